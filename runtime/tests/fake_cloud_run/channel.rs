//! The crate's own channel on the fake.

use std::process::Command;

use tonic::Code;
use tonic_cloud_run::Channel;
use tonic_cloud_run::testing::{Denial, FakeCloudRun};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use crate::service::Container;

async fn check(channel: Channel) -> Result<(), tonic::Status> {
    HealthClient::new(channel)
        .check(HealthCheckRequest::default())
        .await
        .map(drop)
}

#[tokio::test]
async fn the_fakes_channels_share_a_token() {
    let (_reporter, service) = tonic_health::server::health_reporter();
    let fake = FakeCloudRun::start(service).await.unwrap();
    for _ in 0..3 {
        check(fake.channel().unwrap()).await.unwrap();
    }
    assert_eq!(fake.front().calls_admitted(), 3);
    assert_eq!(fake.front().connections_opened(), 3);
    assert_eq!(fake.metadata().tokens_minted(), 1);
    assert_eq!(fake.front().tokens()[0].identity(), fake.identity());
}

#[tokio::test]
async fn the_builder_leaves_everything_else_to_the_test() {
    let fake = FakeCloudRun::start(Container::default()).await.unwrap();
    let channel = fake
        .channel_builder()
        .audience("https://else.run.app")
        .build()
        .unwrap();
    let status = check(channel).await.unwrap_err();
    assert_eq!(status.code(), Code::Unauthenticated, "{status}");
    assert!(fake.front().calls_denied_for(Denial::WrongAudience) > 0);
}

#[tokio::test]
async fn a_traffic_tag_is_reached_with_the_services_own_token() {
    let (_reporter, service) = tonic_health::server::health_reporter();
    let fake = FakeCloudRun::start(service).await.unwrap();
    let channel = Channel::builder(format!("canary---{}", fake.host()))
        .connect_to(fake.address())
        .root_certificates_pem(fake.ca_certificate_pem())
        .credentials(fake.credentials())
        .build()
        .unwrap();
    check(channel).await.unwrap();
    assert_eq!(fake.front().tokens()[0].audience, fake.audience());
}

/// Set for the process that [`as_a_program_of_its_own`] runs in.
const HOST: &str = "FAKE_CLOUD_RUN_TEST_HOST";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_of_its_own_reaches_the_fake_by_its_environment() {
    let (_reporter, service) = tonic_health::server::health_reporter();
    let fake = FakeCloudRun::builder()
        .host("localhost")
        .start(service)
        .await
        .unwrap();
    let folder = env!("CARGO_TARGET_TMPDIR");
    let roots = format!("{folder}/fake-cloud-run-{}.pem", std::process::id());
    std::fs::write(&roots, fake.ca_certificate_pem()).unwrap();
    let mut program = Command::new(std::env::current_exe().unwrap());
    program
        .args(["--exact", "channel::as_a_program_of_its_own"])
        .env_remove("GOOGLE_APPLICATION_CREDENTIALS")
        .env_remove("SSL_CERT_DIR")
        // No credentials of the person who runs this test.
        .env("HOME", folder)
        .env("APPDATA", folder)
        .env(HOST, format!("localhost:{}", fake.address().port()))
        .env("GCE_METADATA_HOST", fake.metadata().address().to_string())
        .env("SSL_CERT_FILE", &roots);
    let output = tokio::task::spawn_blocking(move || program.output())
        .await
        .unwrap()
        .unwrap();
    std::fs::remove_file(&roots).unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(fake.front().calls_admitted(), 1, "{output:?}");
    assert_eq!(fake.front().tokens()[0].audience, "https://localhost");
    assert_eq!(fake.metadata().tokens_minted(), 1);
}

/// What the test above runs in a process of its own; does nothing elsewhere.
#[tokio::test]
async fn as_a_program_of_its_own() {
    if let Ok(host) = std::env::var(HOST) {
        check(Channel::new(host).unwrap()).await.unwrap();
    }
}
