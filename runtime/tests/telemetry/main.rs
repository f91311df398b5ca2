//! What the crate tells a `tracing` subscriber, and that nothing below it ever tells a token.
//!
//! A test binary of its own, with one test: a subscriber hears the whole process.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on panics"
)]

#[path = "../end_to_end/echo.rs"]
#[allow(
    dead_code,
    reason = "a fixture shared with the end-to-end tests, which use all of it"
)]
mod echo;

use echo::{Ask, Echo, EchoClient};
use std::fmt::{self, Write as _};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tonic_cloud_run::testing::{FakeCloudRun, FrontFault};
use tonic_cloud_run::{Credentials, IdToken, TokenError, TokenHeader, TokenSource};
use tracing::field::{Field, Visit};
use tracing::span;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;

/// Keeps all that is told, at every level: target, name and fields in one line each.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<String>>>);

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let _ = write!(self.0, " {field}={value:?}");
    }
}

impl<S: tracing::Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Heard {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        let mut line = Line(format!("{} {}", metadata.target(), metadata.name()));
        event.record(&mut line);
        self.0.lock().unwrap().push(line.0);
    }

    fn on_new_span(&self, attributes: &span::Attributes<'_>, _: &span::Id, _: Context<'_, S>) {
        let metadata = attributes.metadata();
        let mut line = Line(format!("{} span {}", metadata.target(), metadata.name()));
        attributes.record(&mut line);
        self.0.lock().unwrap().push(line.0);
    }

    fn on_record(&self, _: &span::Id, values: &span::Record<'_>, _: Context<'_, S>) {
        let mut line = Line("recorded".to_owned());
        values.record(&mut line);
        self.0.lock().unwrap().push(line.0);
    }
}

impl Heard {
    /// Waits for a line with all these parts: a task may tell of its end a moment after it.
    async fn tells(&self, parts: &[&str]) {
        for _ in 0..500 {
            let told = |line: &String| parts.iter().all(|part| line.contains(part));
            if self.0.lock().unwrap().iter().any(told) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let ours = |line: &&String| line.starts_with("tonic_cloud_run");
        let all: Vec<String> = self
            .0
            .lock()
            .unwrap()
            .iter()
            .filter(ours)
            .cloned()
            .collect();
        panic!("{parts:?} is not among\n{}", all.join("\n"));
    }
}

const RETRIES: &str = r#"{"methodConfig": [{"name": [{}], "retryPolicy": {
    "maxAttempts": 2, "initialBackoff": "0.01s", "maxBackoff": "0.1s", "backoffMultiplier": 2,
    "retryableStatusCodes": ["UNAVAILABLE"]
}}]}"#;

const HEADERS: [TokenHeader; 2] = [
    TokenHeader::Authorization,
    TokenHeader::XServerlessAuthorization,
];

/// A channel's life, with all that may happen to a call.
async fn live(fake: &FakeCloudRun, header: TokenHeader) {
    let builder = fake.channel_builder().token_header(header);
    let channel = builder.service_config(RETRIES).build().unwrap();
    let client = EchoClient::on(channel.clone());
    client.unary(Ask::default()).await.unwrap();
    client.server_stream(Ask::default()).await.unwrap();
    // The front end has no instance; the server refuses the stream; the token is refused.
    for fault in [
        FrontFault::Status(503),
        FrontFault::ResetStream(7),
        FrontFault::Status(401),
    ] {
        fake.front().fail_next(1, fault);
        client.unary(Ask::default()).await.unwrap();
    }
    channel.close().await;
}

struct Fixed(String);

impl TokenSource for Fixed {
    async fn token(&self, _: &str) -> Result<IdToken, TokenError> {
        IdToken::parse(self.0.clone()).map_err(|error| TokenError::permanent(error.to_string()))
    }
}

#[tokio::test]
async fn connections_tokens_and_calls_are_told_and_tokens_never_shown() {
    let heard = Heard::default();
    let subscriber = tracing_subscriber::registry().with(heard.clone());
    tracing::subscriber::set_global_default(subscriber).unwrap();

    let fake = FakeCloudRun::start(Echo).await.unwrap();
    for header in HEADERS {
        live(&fake, header).await;
    }
    let host = format!("host={}", fake.host());
    let path = "path=\"/test.Echo/Unary\"";
    heard
        .tells(&[
            "tonic_cloud_run connection.opened",
            &host,
            "connection=",
            "took_ms=",
        ])
        .await;
    heard
        .tells(&["tonic_cloud_run connection.closed", &host, "why=closed"])
        .await;
    let audience = format!("audience={:?}", fake.audience());
    let identity = format!("identity={:?}", fake.identity());
    heard
        .tells(&[
            "tonic_cloud_run token.refreshed",
            &audience,
            &identity,
            "lives_s=",
        ])
        .await;
    heard
        .tells(&["tonic_cloud_run call.resent", &host, path, "resend=1"])
        .await;
    heard
        .tells(&[
            "tonic_cloud_run call.retried",
            &host,
            "attempt=2",
            "code=Unavailable",
        ])
        .await;
    heard
        .tells(&["tonic_cloud_run span call", &host, path])
        .await;
    heard.tells(&["recorded code=Ok"]).await;

    fake.front().refuse_connections().unwrap();
    fake.metadata()
        .set_fault(tonic_cloud_run::testing::MetadataFault::Status(404));
    let lonely = EchoClient::on(
        fake.channel_builder()
            .audience("https://other")
            .build()
            .unwrap(),
    );
    lonely.unary(Ask::default()).await.unwrap_err();
    heard
        .tells(&[
            "tonic_cloud_run connection.failed",
            &host,
            "error=",
            "next_attempt_ms=",
        ])
        .await;
    heard
        .tells(&[
            "tonic_cloud_run token.failed",
            "audience=\"https://other\"",
            "error=",
        ])
        .await;

    // A token whose parts are known, signature and all.
    let token = fake.token();
    fake.front().accept_connections().unwrap();
    for header in HEADERS {
        let channel = fake
            .channel_builder()
            .credentials(Credentials::from_source(Fixed(token.clone())))
            .token_header(header)
            .build();
        let client = EchoClient::on(channel.unwrap());
        client.unary(Ask::default()).await.unwrap();
    }
    // All that h2, hyper, rustls, reqwest and the rest told, at TRACE.
    let all = heard.0.lock().unwrap().join("\n");
    assert!(all.contains("h2::"), "h2 told nothing");
    let signature = token.rsplit('.').next().unwrap();
    assert!(signature.len() > 300);
    for part in [&signature[..40], &signature[signature.len() - 40..]] {
        assert!(!all.contains(part), "a signature was told");
    }
    // Every JWT begins with a JSON object: in base64, with this.
    assert!(token.starts_with("eyJ"));
    assert!(!all.contains("eyJ"), "a token was told");
}
