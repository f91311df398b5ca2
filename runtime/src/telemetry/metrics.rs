//! OpenTelemetry metrics under gRPC's names: gRFCs [A66] (calls and attempts), [A94] (connections) and [A96] (retries);
//! and the W3C trace context of the caller, passed on.
//!
//! The meter is the global provider's. Sizes are those of messages with their five-byte prefixes.
//!
//! [A66]: https://github.com/grpc/proposal/blob/master/A66-otel-stats.md
//! [A94]: https://github.com/grpc/proposal/blob/master/A94-subchannel-otel-metrics.md
//! [A96]: https://github.com/grpc/proposal/blob/master/A96-retry-otel-stats.md

use crate::host::Host;
use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::metrics::{Counter, Histogram, Meter, UpDownCounter};
use opentelemetry::propagation::Injector;
use opentelemetry::{Context, KeyValue, global};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;
use tonic::Code;

/// A66's boundaries for latencies, in seconds.
const LATENCIES: [f64; 41] = [
    0.0, 0.000_01, 0.000_05, 0.000_1, 0.000_3, 0.000_6, 0.000_8, 0.001, 0.002, 0.003, 0.004, 0.005,
    0.006, 0.008, 0.01, 0.013, 0.016, 0.02, 0.025, 0.03, 0.04, 0.05, 0.065, 0.08, 0.1, 0.13, 0.16,
    0.2, 0.25, 0.3, 0.4, 0.5, 0.65, 0.8, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0,
];

/// A66's boundaries for sizes, in bytes.
const SIZES: [f64; 14] = [
    0.0,
    1024.0,
    2048.0,
    4096.0,
    16_384.0,
    65_536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
    16_777_216.0,
    67_108_864.0,
    268_435_456.0,
    1_073_741_824.0,
    4_294_967_296.0,
];

/// A96's boundaries for numbers of retries.
const RETRIES: [f64; 5] = [1.0, 2.0, 3.0, 4.0, 5.0];

struct Instruments {
    attempts_started: Counter<u64>,
    attempt_duration: Histogram<f64>,
    sent: Histogram<u64>,
    received: Histogram<u64>,
    call_duration: Histogram<f64>,
    retries: Histogram<u64>,
    transparent_retries: Histogram<u64>,
    retry_delay: Histogram<f64>,
    connected: Counter<u64>,
    connect_failed: Counter<u64>,
    disconnected: Counter<u64>,
    open_connections: UpDownCounter<i64>,
}

/// Made at the first call: a provider is to be set before.
static INSTRUMENTS: LazyLock<Instruments> = LazyLock::new(|| {
    let meter = global::meter("tonic-cloud-run");
    let seconds = |name: &'static str, about: &'static str| {
        let histogram = meter.f64_histogram(name).with_unit("s");
        let boundaries = LATENCIES.to_vec();
        histogram
            .with_description(about)
            .with_boundaries(boundaries)
            .build()
    };
    Instruments {
        attempts_started: counter(
            &meter,
            "grpc.client.attempt.started",
            "{attempt}",
            "Attempts of calls that were started",
        ),
        attempt_duration: seconds(
            "grpc.client.attempt.duration",
            "Time from the start of an attempt to its end",
        ),
        sent: histogram(
            &meter,
            "grpc.client.attempt.sent_total_compressed_message_size",
            "By",
            &SIZES,
            "Bytes of the messages that an attempt sent",
        ),
        received: histogram(
            &meter,
            "grpc.client.attempt.rcvd_total_compressed_message_size",
            "By",
            &SIZES,
            "Bytes of the messages that an attempt received",
        ),
        call_duration: seconds(
            "grpc.client.call.duration",
            "Time from the start of a call to its end, all attempts included",
        ),
        retries: histogram(
            &meter,
            "grpc.client.call.retries",
            "{retry}",
            &RETRIES,
            "Retries of a call that had any",
        ),
        transparent_retries: histogram(
            &meter,
            "grpc.client.call.transparent_retries",
            "{transparent_retry}",
            &RETRIES,
            "Times that a call was sent again since it had never reached the application",
        ),
        retry_delay: seconds(
            "grpc.client.call.retry_delay",
            "Time that a call with retries was without an attempt",
        ),
        connected: counter(
            &meter,
            "grpc.subchannel.connection_attempts_succeeded",
            "{attempt}",
            "Connections that were made",
        ),
        connect_failed: counter(
            &meter,
            "grpc.subchannel.connection_attempts_failed",
            "{attempt}",
            "Connections that could not be made",
        ),
        disconnected: counter(
            &meter,
            "grpc.subchannel.disconnections",
            "{disconnection}",
            "Connections that ended",
        ),
        open_connections: meter
            .i64_up_down_counter("grpc.subchannel.open_connections")
            .with_unit("{connection}")
            .with_description("Connections that are open")
            .build(),
    }
});

fn counter(
    meter: &Meter,
    name: &'static str,
    unit: &'static str,
    about: &'static str,
) -> Counter<u64> {
    meter
        .u64_counter(name)
        .with_unit(unit)
        .with_description(about)
        .build()
}

fn histogram(
    meter: &Meter,
    name: &'static str,
    unit: &'static str,
    boundaries: &[f64],
    about: &'static str,
) -> Histogram<u64> {
    meter
        .u64_histogram(name)
        .with_unit(unit)
        .with_boundaries(boundaries.to_vec())
        .with_description(about)
        .build()
}

fn target(host: &Host) -> KeyValue {
    KeyValue::new(
        "grpc.target",
        format!("dns:///{}:{}", host.name(), host.port()),
    )
}

pub(super) fn connection_opened(host: &Host) {
    let target = [target(host)];
    INSTRUMENTS.connected.add(1, &target);
    INSTRUMENTS.open_connections.add(1, &target);
}

pub(super) fn connection_failed(host: &Host) {
    INSTRUMENTS.connect_failed.add(1, &[target(host)]);
}

pub(super) fn connection_closed(host: &Host, error: &'static str) {
    let target = target(host);
    INSTRUMENTS
        .open_connections
        .add(-1, std::slice::from_ref(&target));
    let error = KeyValue::new("grpc.disconnect_error", error);
    INSTRUMENTS.disconnected.add(1, &[target, error]);
}

/// What is measured of one call. If it is dropped before the call's end is told, the caller gave the call up.
#[derive(Default)]
pub(crate) struct Measure(Mutex<Option<Box<Call>>>);

struct Call {
    /// `grpc.method` and `grpc.target`.
    labels: [KeyValue; 2],
    begun: Instant,
    attempt: Option<Instant>,
    sent: u64,
    received: u64,
    retries: u64,
    transparent_retries: u64,
    delay: Duration,
}

impl Measure {
    /// A call begins. Methods of generated clients are told by name, others as `other` (A66): there may be any number.
    pub(crate) fn begin(host: &Host, path: &str, generated: bool) -> Self {
        let method = if generated {
            path.trim_start_matches('/').to_owned()
        } else {
            "other".to_owned()
        };
        Self(Mutex::new(Some(Box::new(Call {
            labels: [KeyValue::new("grpc.method", method), target(host)],
            begun: Instant::now(),
            attempt: None,
            sent: 0,
            received: 0,
            retries: 0,
            transparent_retries: 0,
            delay: Duration::ZERO,
        }))))
    }

    fn with(&self, change: impl FnOnce(&mut Call)) {
        // A poisoned lock means that a panic happened elsewhere; the counts are whole.
        if let Some(call) = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .as_deref_mut()
        {
            change(call);
        }
    }

    /// The measure for whoever sees the call's end.
    pub(crate) fn hand_over(&self) -> Self {
        Self(Mutex::new(
            self.0.lock().unwrap_or_else(PoisonError::into_inner).take(),
        ))
    }

    pub(crate) fn attempt(&self) {
        self.with(|call| {
            INSTRUMENTS.attempts_started.add(1, &call.labels);
            call.attempt = Some(Instant::now());
            (call.sent, call.received) = (0, 0);
        });
    }

    pub(crate) fn sent(&self, bytes: usize) {
        self.with(|call| call.sent = call.sent.saturating_add(bytes as u64));
    }

    pub(crate) fn received(&self, bytes: usize) {
        self.with(|call| call.received = call.received.saturating_add(bytes as u64));
    }

    pub(crate) fn resent(&self) {
        self.with(|call| {
            call.attempt_ended(Code::Unavailable);
            call.transparent_retries += 1;
        });
    }

    pub(crate) fn retried(&self, code: Code, delay: Duration) {
        self.with(|call| {
            call.attempt_ended(code);
            call.retries += 1;
            call.delay += delay;
        });
    }

    /// The call has ended; what is told afterwards counts no more.
    pub(crate) fn ended(&self, code: Code) {
        let call = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(call) = call {
            call.ended(code);
        }
    }
}

impl Drop for Measure {
    fn drop(&mut self) {
        self.ended(Code::Cancelled);
    }
}

impl Call {
    fn labels_and(&self, code: Code) -> [KeyValue; 3] {
        let [method, target] = self.labels.clone();
        [method, target, KeyValue::new("grpc.status", name(code))]
    }

    fn attempt_ended(&mut self, code: Code) {
        if let Some(begun) = self.attempt.take() {
            let labels = self.labels_and(code);
            let seconds = begun.elapsed().as_secs_f64();
            INSTRUMENTS.attempt_duration.record(seconds, &labels);
            INSTRUMENTS.sent.record(self.sent, &labels);
            INSTRUMENTS.received.record(self.received, &labels);
        }
    }

    fn ended(mut self, code: Code) {
        self.attempt_ended(code);
        let seconds = self.begun.elapsed().as_secs_f64();
        INSTRUMENTS
            .call_duration
            .record(seconds, &self.labels_and(code));
        if self.transparent_retries > 0 {
            INSTRUMENTS
                .transparent_retries
                .record(self.transparent_retries, &self.labels);
        }
        if self.retries > 0 {
            INSTRUMENTS.retries.record(self.retries, &self.labels);
            let delay = self.delay.as_secs_f64();
            INSTRUMENTS.retry_delay.record(delay, &self.labels);
        }
    }
}

/// Adds the trace context that the caller is in, as the global propagator writes it.
pub(crate) fn pass_on_context(headers: &mut HeaderMap) {
    global::get_text_map_propagator(|propagator| {
        propagator.inject_context(&Context::current(), &mut Headers(headers));
    });
}

struct Headers<'a>(&'a mut HeaderMap);

impl Injector for Headers<'_> {
    fn set(&mut self, key: &str, value: String) {
        if let (Ok(name), Ok(mut value)) = (key.parse::<HeaderName>(), HeaderValue::try_from(value))
        {
            // It differs from call to call: in HPACK's table it would only push out what does not.
            value.set_sensitive(true);
            self.0.insert(name, value);
        }
    }
}

/// A code's name in gRPC's specifications.
fn name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}
