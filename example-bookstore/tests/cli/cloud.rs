//! Commands against a service that lets in only valid ID tokens.

use std::{io::Write as _, process::Output};

use tempfile::NamedTempFile;
use tonic::service::Routes;
use tonic_cloud_run::testing::{Denial, FakeCloudRun};

use crate::process::bookstore;

/// A front end with no bookstore behind it: what is let in is answered with UNIMPLEMENTED.
async fn front() -> (FakeCloudRun, NamedTempFile) {
    let fake = FakeCloudRun::start(Routes::default()).await.unwrap();
    let mut authority = NamedTempFile::new().unwrap();
    authority
        .write_all(fake.ca_certificate_pem().as_bytes())
        .unwrap();
    (fake, authority)
}

/// Lists its shelves, in an environment whose metadata server is the fake's.
fn list(fake: &FakeCloudRun, options: &[&str]) -> Output {
    let mut command = bookstore();
    command
        .env_remove("GOOGLE_APPLICATION_CREDENTIALS")
        .env("HOME", "no-such-directory");
    command.env("GCE_METADATA_HOST", fake.metadata().address().to_string());
    command.args([
        "--host",
        fake.host(),
        "--connect-to",
        &fake.address().to_string(),
    ]);
    command
        .args(options)
        .args(["shelves", "list"])
        .output()
        .unwrap()
}

#[track_caller]
fn told(output: &Output, code: i32, words: &[&str]) {
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(
        words.iter().all(|word| told.contains(word)),
        "{words:?} are not all in: {told}"
    );
    assert_eq!(output.status.code(), Some(code), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_with_a_token_is_let_in() {
    let (fake, authority) = front().await;
    let ca = authority.path().to_str().unwrap();
    told(&list(&fake, &["--ca", ca]), 1, &["error: UNIMPLEMENTED: "]);
    assert_eq!(
        (fake.front().calls_admitted(), fake.front().calls_denied()),
        (1, 0)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_without_the_role_learns_which() {
    let (fake, authority) = front().await;
    let ca = authority.path().to_str().unwrap();
    fake.front().revoke_invoker(fake.identity());
    let words = [
        "error: PERMISSION_DENIED: ",
        fake.host(),
        fake.identity(),
        "roles/run.invoker",
    ];
    told(&list(&fake, &["--ca", ca]), 4, &words);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_audience_may_be_set() {
    let (fake, authority) = front().await;
    let ca = authority.path().to_str().unwrap();
    let options = ["--ca", ca, "--audience", "https://wrong.example"];
    let words = [
        "error: UNAUTHENTICATED: ",
        fake.host(),
        "https://wrong.example",
    ];
    told(&list(&fake, &options), 4, &words);
    assert!(fake.front().calls_denied_for(Denial::WrongAudience) > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_authority_is_not_trusted() {
    let (fake, _) = front().await;
    told(
        &list(&fake, &[]),
        5,
        &["error: UNAVAILABLE: ", fake.host(), "certificate"],
    );
    assert_eq!(fake.front().calls_admitted(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hanging_service_is_given_up() {
    let (fake, authority) = front().await;
    let ca = authority.path().to_str().unwrap();
    fake.front()
        .set_fault(tonic_cloud_run::testing::FrontFault::Hang);
    let output = list(&fake, &["--ca", ca, "--timeout", "1"]);
    told(&output, 5, &["error: DEADLINE_EXCEEDED: ", fake.host()]);
}
