//! Application Default Credentials as a program's environment sets them: each case is a process of its own, this test
//! binary again.

use crate::echo::{Ask, EchoClient};
use crate::fake;
use std::process::{Command, Output};
use std::time::Duration;
use tonic_cloud_run::testing::FakeCloudRun;
use tonic_cloud_run::{Channel, Error};

const HOST: &str = "END_TO_END_HOST";
const CA: &str = "END_TO_END_CA";
pub(crate) const ADDRESS: &str = "END_TO_END_ADDRESS";
/// The time limit on connecting, in seconds.
pub(crate) const TIMEOUT: &str = "END_TO_END_TIMEOUT";

/// The part of the child: one call with the default credentials. Without the parent's variables there is nothing to do.
#[tokio::test]
async fn child() {
    let Ok(host) = std::env::var(HOST) else {
        return;
    };
    let mut channel = Channel::builder(host).root_certificates_pem(std::env::var(CA).unwrap());
    if let Some(address) = std::env::var(ADDRESS).ok().filter(|it| !it.is_empty()) {
        channel = channel.connect_to(address.parse().unwrap());
    }
    if let Ok(seconds) = std::env::var(TIMEOUT) {
        channel = channel.connect_timeout(Duration::from_secs(seconds.parse().unwrap()));
    }
    match EchoClient::on(channel.build().unwrap())
        .unary(Ask::text("called"))
        .await
    {
        Ok(told) => println!("OK: {}", told.text),
        Err(status) => {
            let kind = Error::from_status(&status).map(Error::kind);
            println!(
                "FAILED: {:?} {kind:?}: {} {}",
                status.code(),
                status.message(),
                format!("{status:?}").replace('\n', " ")
            );
        }
    }
}

/// Runs the child with these variables and no others that could lead to credentials.
pub(crate) fn call_with(
    fake: &FakeCloudRun,
    home: &std::path::Path,
    variables: &[(&str, &str)],
) -> String {
    let Output { stdout, stderr, .. } = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "application_default::child", "--nocapture"])
        .env_remove("GOOGLE_APPLICATION_CREDENTIALS")
        .env_remove("APPDATA")
        .env_remove("HTTPS_PROXY")
        .env_remove("https_proxy")
        .env_remove("ALL_PROXY")
        .env_remove("all_proxy")
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .env("GCE_METADATA_HOST", fake.metadata().address().to_string())
        .env("HOME", home)
        .env(HOST, fake.host())
        .env(CA, fake.ca_certificate_pem())
        .env(ADDRESS, fake.address().to_string())
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let stdout = String::from_utf8(stdout).unwrap();
    stdout
        .lines()
        .find_map(|line| {
            line.find("OK: ")
                .or(line.find("FAILED: "))
                .map(|start| line[start..].to_owned())
        })
        .unwrap_or_else(|| panic!("{stdout}\n{}", String::from_utf8_lossy(&stderr)))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_metadata_server_is_found_by_its_variable() {
    let (fake, home) = (fake().await, tempfile::tempdir().unwrap());
    assert_eq!(call_with(&fake, home.path(), &[]), "OK: called");
    assert_eq!(fake.metadata().tokens_minted(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_any_credentials_it_is_said_what_was_tried() {
    let (fake, home) = (fake().await, tempfile::tempdir().unwrap());
    let nowhere = call_with(
        &fake,
        home.path(),
        &[("GCE_METADATA_HOST", "no-such-host.invalid")],
    );
    assert!(
        nowhere.starts_with("FAILED: Unauthenticated Some(Credentials)"),
        "{nowhere}"
    );
    for part in [
        fake.audience(),
        "no-such-host.invalid",
        "gcloud auth application-default login",
    ] {
        assert!(nowhere.contains(part), "{part} is not in {nowhere}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_cannot_be_used_are_named_with_the_next_step() {
    let (fake, home) = (fake().await, tempfile::tempdir().unwrap());
    let file = home.path().join("credentials.json");
    let path = file.to_str().unwrap();
    for (content, says) in [
        (
            None,
            "check that GOOGLE_APPLICATION_CREDENTIALS names a file",
        ),
        (Some("not JSON"), "unchanged credentials file"),
        (Some("{}"), "type"),
        (
            Some(r#"{"type": "service_account"}"#),
            "unchanged credentials file",
        ),
        (
            Some(
                r#"{"type": "authorized_user", "client_id": "i", "client_secret": "s3cr3t", "refresh_token": "r3fr3sh"}"#,
            ),
            "--impersonate-service-account",
        ),
        (
            Some(r#"{"type": "external_account", "audience": "a"}"#),
            "gives no ID tokens",
        ),
        (Some(r#"{"type": "of tomorrow"}"#), "gives no ID tokens"),
    ] {
        match content {
            Some(content) => std::fs::write(&file, content).unwrap(),
            None => assert!(!file.exists()),
        }
        let outcome = call_with(
            &fake,
            home.path(),
            &[("GOOGLE_APPLICATION_CREDENTIALS", path)],
        );
        assert!(
            outcome.starts_with("FAILED: Unauthenticated Some(Credentials)"),
            "{content:?}: {outcome}"
        );
        for part in [says, path] {
            assert!(
                outcome.contains(part),
                "{content:?}: {part} is not in {outcome}"
            );
        }
        for secret in ["s3cr3t", "r3fr3sh"] {
            assert!(!outcome.contains(secret), "{outcome}");
        }
    }
    assert_eq!(
        fake.metadata().requests(),
        0,
        "a bad file does not lead to another identity"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_file_of_gcloud_is_found_in_its_place() {
    let (fake, home) = (fake().await, tempfile::tempdir().unwrap());
    let folder = home.path().join(".config/gcloud");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(
        folder.join("application_default_credentials.json"),
        r#"{"type": "authorized_user"}"#,
    )
    .unwrap();
    let outcome = call_with(&fake, home.path(), &[]);
    assert!(outcome.contains("authorized_user"), "{outcome}");
}
