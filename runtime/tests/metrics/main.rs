//! What the feature `opentelemetry` measures and passes on, as a reader of the global provider sees it.
//!
//! A test binary of its own, with one test: the provider is the whole process's.

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
use opentelemetry::trace::{
    SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{Context, global};
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData, ScopeMetrics};
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, PeriodicReader, SdkMeterProvider};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tonic::body::Body;
use tonic::codegen::Service;
use tonic_cloud_run::testing::{FakeCloudRun, FrontFault};
use tonic_cloud_run::tonic;

const RETRIES: &str = r#"{"methodConfig": [{"name": [{}], "retryPolicy": {
    "maxAttempts": 2, "initialBackoff": "0.01s", "maxBackoff": "0.1s", "backoffMultiplier": 2,
    "retryableStatusCodes": ["UNAVAILABLE"]
}}]}"#;

/// The echo service, which keeps the trace contexts that reach it.
#[derive(Clone, Default)]
struct Traced(Arc<Mutex<Vec<String>>>);

impl Service<http::Request<Body>> for Traced {
    type Response = http::Response<Body>;
    type Error = std::convert::Infallible;
    type Future = tonic::codegen::BoxFuture<Self::Response, Self::Error>;

    fn poll_ready(
        &mut self,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), Self::Error>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        if let Some(parent) = request.headers().get("traceparent") {
            self.0
                .lock()
                .unwrap()
                .push(parent.to_str().unwrap().to_owned());
        }
        Echo.call(request)
    }
}

/// All points of all metrics: name, labels in order, and the count or sum.
fn points(provider: &SdkMeterProvider, exporter: &InMemoryMetricExporter) -> Vec<String> {
    exporter.reset();
    provider.force_flush().unwrap();
    let mut points = Vec::new();
    for resource in exporter.get_finished_metrics().unwrap() {
        for metric in resource.scope_metrics().flat_map(ScopeMetrics::metrics) {
            let mut add = |labels: Vec<String>, value: String| {
                let mut labels = labels;
                labels.sort();
                points.push(format!("{} {} = {value}", metric.name(), labels.join(" ")));
            };
            macro_rules! data {
                ($data:expr) => {
                    match $data {
                        MetricData::Histogram(histogram) => {
                            for point in histogram.data_points() {
                                let labels = point
                                    .attributes()
                                    .map(|it| format!("{}={}", it.key, it.value));
                                add(labels.collect(), point.count().to_string());
                            }
                        }
                        MetricData::Sum(sum) => {
                            for point in sum.data_points() {
                                let labels = point
                                    .attributes()
                                    .map(|it| format!("{}={}", it.key, it.value));
                                add(labels.collect(), point.value().to_string());
                            }
                        }
                        _ => panic!("neither counter nor histogram"),
                    }
                };
            }
            match metric.data() {
                AggregatedMetrics::F64(data) => data!(data),
                AggregatedMetrics::U64(data) => data!(data),
                AggregatedMetrics::I64(data) => data!(data),
            }
        }
    }
    points
}

/// The caller's trace context goes along.
async fn in_a_trace(client: &EchoClient, service: &Traced) {
    let trace = TraceId::from_hex("4bf92f3577b34da6a3ce929d0e0e4736").unwrap();
    let parent = SpanContext::new(
        trace,
        SpanId::from_hex("00f067aa0ba902b7").unwrap(),
        TraceFlags::SAMPLED,
        true,
        TraceState::default(),
    );
    let call = client.unary(Ask::default());
    let context = Context::new().with_remote_span_context(parent);
    opentelemetry::trace::FutureExt::with_context(call, context)
        .await
        .unwrap();
    let seen = service.0.lock().unwrap().clone();
    assert_eq!(
        seen,
        ["00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_attempts_and_connections_are_measured_by_grpc_s_names() {
    let exporter = InMemoryMetricExporter::default();
    let reader = PeriodicReader::builder(exporter.clone())
        .with_interval(Duration::from_secs(3600))
        .build();
    let provider = SdkMeterProvider::builder().with_reader(reader).build();
    global::set_meter_provider(provider.clone());
    global::set_text_map_propagator(TraceContextPropagator::new());

    let service = Traced::default();
    let fake = FakeCloudRun::start(service.clone()).await.unwrap();
    let builder = fake.channel_builder().service_config(RETRIES);
    let channel = builder.build().unwrap();
    let client = EchoClient::on(channel.clone());

    client.unary(Ask::default()).await.unwrap();
    client
        .unary(Ask {
            code: 5,
            ..Ask::default()
        })
        .await
        .unwrap_err();
    fake.front().fail_next(1, FrontFault::Status(503));
    client.unary(Ask::default()).await.unwrap();
    fake.front().fail_next(1, FrontFault::ResetStream(7));
    client.unary(Ask::default()).await.unwrap();
    let slow = client.unary_within(
        Duration::from_millis(50),
        Ask::slow(Duration::from_secs(60)),
    );
    slow.await.unwrap_err();
    // One stream read to its end, one given up.
    for whole in [true, false] {
        let ask = Ask {
            times: 3,
            ..Ask::default()
        };
        let mut stream = client.server_stream(ask).await.unwrap();
        stream.message().await.unwrap().unwrap();
        while whole && stream.message().await.unwrap().is_some() {}
    }

    in_a_trace(&client, &service).await;

    channel.close().await;
    fake.front().refuse_connections().unwrap();
    let lonely = EchoClient::on(fake.channel().unwrap());
    lonely.unary(Ask::default()).await.unwrap_err();
    // A connection tells of its end a moment after it.
    tokio::time::sleep(Duration::from_millis(100)).await;

    let points = points(&provider, &exporter);
    let target = format!("grpc.target=dns:///{}:443", fake.host());
    let unary = format!("grpc.method=test.Echo/Unary grpc.status={{}} {target}");
    let stream = format!("grpc.method=test.Echo/ServerStream grpc.status={{}} {target}");
    let of = |labels: &str, status: &str| labels.replace("{}", status);
    let method = format!("grpc.method=test.Echo/Unary {target}");
    for want in [
        // 1 + 1 + 2 + 2 + 1 + 1; the last call never came to an attempt.
        format!("grpc.client.attempt.started {method} = 8"),
        format!("grpc.client.call.duration {} = 4", of(&unary, "OK")),
        format!("grpc.client.call.duration {} = 1", of(&unary, "NOT_FOUND")),
        format!(
            "grpc.client.call.duration {} = 1",
            of(&unary, "DEADLINE_EXCEEDED")
        ),
        format!(
            "grpc.client.call.duration {} = 1",
            of(&unary, "UNAVAILABLE")
        ),
        format!("grpc.client.call.duration {} = 1", of(&stream, "OK")),
        format!("grpc.client.call.duration {} = 1", of(&stream, "CANCELLED")),
        format!("grpc.client.attempt.duration {} = 4", of(&unary, "OK")),
        format!(
            "grpc.client.attempt.duration {} = 2",
            of(&unary, "UNAVAILABLE")
        ),
        format!(
            "grpc.client.attempt.sent_total_compressed_message_size {} = 4",
            of(&unary, "OK")
        ),
        format!(
            "grpc.client.attempt.rcvd_total_compressed_message_size {} = 1",
            of(&stream, "OK")
        ),
        format!("grpc.client.call.retries {method} = 1"),
        format!("grpc.client.call.retry_delay {method} = 1"),
        format!("grpc.client.call.transparent_retries {method} = 1"),
        format!("grpc.subchannel.connection_attempts_succeeded {target} = 1"),
        format!("grpc.subchannel.connection_attempts_failed {target} = 1"),
        format!("grpc.subchannel.open_connections {target} = 0"),
        format!(
            "grpc.subchannel.disconnections grpc.disconnect_error=subchannel shutdown {target} = 1"
        ),
    ] {
        assert!(
            points.contains(&want),
            "{want} is not among\n{}",
            points.join("\n")
        );
    }
}
