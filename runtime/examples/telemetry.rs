//! What a channel tells of itself, in a terminal, against a fake Cloud Run on this machine:
//!
//! `cargo run -p tonic-cloud-run --example telemetry --features testing,opentelemetry`
//!
//! Events and spans come from `tracing` as they happen; at the end the metrics that were counted, by gRPC's names.

use opentelemetry::global;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use tonic_cloud_run::codegen::{Client, Method};
use tonic_cloud_run::testing::{FakeCloudRun, FrontFault};
use tonic_cloud_run::tonic::Request;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;

static CHECK: Method = Method::new(
    "grpc.health.v1.Health",
    "Check",
    "/grpc.health.v1.Health/Check",
);

const RETRIES: &str = r#"{"methodConfig": [{"name": [{}], "retryPolicy": {
    "maxAttempts": 3, "initialBackoff": "0.1s", "maxBackoff": "1s", "backoffMultiplier": 2,
    "retryableStatusCodes": ["UNAVAILABLE"]
}}]}"#;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let ours = Targets::new().with_target("tonic_cloud_run", tracing::Level::DEBUG);
    let subscriber = tracing_subscriber::registry()
        .with(tracing_subscriber::fmt::layer())
        .with(ours);
    tracing::subscriber::set_global_default(subscriber)?;
    let metrics = SdkMeterProvider::builder()
        .with_periodic_exporter(opentelemetry_stdout::MetricExporter::default())
        .build();
    global::set_meter_provider(metrics.clone());

    // A real service needs but `Channel::new(host)`.
    let (_reporter, health) = tonic_health::server::health_reporter();
    let fake = FakeCloudRun::start(health).await?;
    let channel = fake.channel_builder().service_config(RETRIES).build()?;
    let client = Client::from_channel(channel.clone());
    for fault in [
        None,
        Some(FrontFault::Status(503)),
        Some(FrontFault::ResetStream(7)),
    ] {
        if let Some(fault) = fault {
            fake.front().fail_next(1, fault);
        }
        let request = Request::new(HealthCheckRequest::default());
        let _: tonic::Response<HealthCheckResponse> = client.unary(&CHECK, request).await?;
    }
    channel.close().await;
    metrics.shutdown()?;
    Ok(())
}
