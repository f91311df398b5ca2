//! What a channel tells of itself: `tracing` events under stable names, and metrics. The names are listed in the crate's
//! documentation.

#[cfg(feature = "opentelemetry")]
mod metrics;
#[cfg(not(feature = "opentelemetry"))]
#[path = "off.rs"]
mod metrics;

pub(crate) use metrics::{Measure, pass_on_context};

use crate::error::Error;
use crate::host::Host;
use crate::token::IdToken;
use std::fmt::Display;
use std::time::Duration;
use tonic::{Code, Status};
use tracing::{Span, debug, debug_span, field, warn};

const TARGET: &str = "tonic_cloud_run";

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

pub(crate) fn connection_opened(host: &Host, connection: u64, took: Duration) {
    metrics::connection_opened(host);
    debug!(name: "connection.opened", target: TARGET, %host, connection, took_ms = millis(took), "connection opened");
}

pub(crate) fn connection_failed(host: &Host, error: &Error, took: Duration, pause: Duration) {
    metrics::connection_failed(host);
    warn!(
        name: "connection.failed",
        target: TARGET,
        %host,
        %error,
        took_ms = millis(took),
        next_attempt_ms = millis(pause),
        "connection failed"
    );
}

/// `error` is one of A94's values of `grpc.disconnect_error`.
pub(crate) fn connection_closed(
    host: &Host,
    connection: u64,
    why: impl Display,
    error: &'static str,
) {
    metrics::connection_closed(host, error);
    debug!(name: "connection.closed", target: TARGET, %host, connection, %why, "connection closed");
}

pub(crate) fn token_refreshed(audience: &str, token: &IdToken, lives: Duration) {
    debug!(
        name: "token.refreshed",
        target: TARGET,
        audience,
        identity = token.identity(),
        lives_s = lives.as_secs(),
        "ID token refreshed"
    );
}

pub(crate) fn token_failed(audience: &str, error: &Error) {
    warn!(name: "token.failed", target: TARGET, audience, %error, "no ID token");
}

pub(crate) fn call_resent(host: &Host, path: &str, resend: u32, why: impl Display) {
    debug!(name: "call.resent", target: TARGET, %host, path, resend, %why, "call sent again");
}

pub(crate) fn call_retried(host: &Host, path: &str, attempt: u32, code: Code, pause: Duration) {
    debug!(
        name: "call.retried",
        target: TARGET,
        %host,
        path,
        attempt,
        ?code,
        pause_ms = millis(pause),
        "call made again"
    );
}

/// The span of a call; disabled, and free, where nobody listens.
pub(crate) fn call(host: &Host, path: &str) -> Span {
    debug_span!(target: TARGET, "call", %host, path, code = field::Empty)
}

/// Notes how a call ended, or began to be answered.
pub(crate) fn call_ended<T>(span: &Span, measure: &Measure, outcome: &Result<T, Status>) {
    let code = outcome.as_ref().map_or_else(Status::code, |_| Code::Ok);
    span.record("code", field::debug(code));
    if code != Code::Ok {
        measure.ended(code);
    }
}
