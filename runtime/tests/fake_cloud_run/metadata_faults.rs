//! What the metadata server does when it is told to fail.

use std::io::{ErrorKind, Read as _};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tonic_cloud_run::testing::{FakeCloudRun, MetadataFault};

use crate::client::{FLAVOR, call_with, fetch, metadata, until};
use crate::metadata::verify;
use crate::service::Container;

async fn fake() -> FakeCloudRun {
    FakeCloudRun::start(Container::default()).await.unwrap()
}

#[tokio::test]
async fn it_answers_with_any_status() {
    let fake = fake().await;
    for status in [400, 401, 403, 404, 408, 429, 500, 503] {
        fake.metadata().fail_next(1, MetadataFault::Status(status));
        let answer = fetch(&fake, fake.audience()).await.unwrap();
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("metadata-flavor"), "Google");
    }
    assert_eq!(fake.metadata().requests(), 8);
    assert_eq!(fake.metadata().tokens_minted(), 0);
    assert_eq!(fetch(&fake, fake.audience()).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_fault_lasts_until_it_is_cleared_and_spares_the_other_paths() {
    let fake = fake().await;
    fake.metadata().set_fault(MetadataFault::Status(503));
    fake.metadata().fail_next(1, MetadataFault::Status(429));
    for status in [429, 503, 503] {
        assert_eq!(fetch(&fake, fake.audience()).await.unwrap().status, status);
    }
    let email = "/computeMetadata/v1/instance/service-accounts/default/email";
    assert_eq!(metadata(&fake, email, FLAVOR).await.unwrap().status, 200);
    fake.metadata().clear_faults();
    assert_eq!(fetch(&fake, fake.audience()).await.unwrap().status, 200);
}

#[tokio::test]
async fn its_bad_tokens_are_bad_in_one_way_each() {
    let fake = fake().await;
    for (fault, why) in [
        (MetadataFault::NoExpiry, "Missing required claim: exp"),
        (MetadataFault::Expired, "ExpiredSignature"),
        (MetadataFault::WrongAudience, "InvalidAudience"),
        (MetadataFault::WrongSignature, "InvalidSignature"),
    ] {
        fake.metadata().fail_next(1, fault);
        let answer = fetch(&fake, fake.audience()).await.unwrap();
        assert_eq!(answer.status, 200);
        let error = verify(&fake, &answer.body, fake.audience()).unwrap_err();
        assert_eq!(error, why);
        assert_eq!(call_with(&fake, &answer.body).await.status, 401, "{why}");
    }
    assert_eq!(fake.metadata().tokens_minted(), 4);
}

#[tokio::test]
async fn it_answers_with_text_that_is_no_token() {
    let fake = fake().await;
    for (fault, body) in [
        (MetadataFault::Garbage, "this is not a token"),
        (MetadataFault::Body(String::new()), ""),
        (MetadataFault::Body("a.b.c".to_owned()), "a.b.c"),
    ] {
        fake.metadata().set_fault(fault);
        let answer = fetch(&fake, fake.audience()).await.unwrap();
        assert_eq!((answer.status.as_u16(), &*answer.body), (200, body));
    }
    assert_eq!(fake.metadata().tokens_minted(), 0);
}

#[tokio::test]
async fn it_closes_the_connection_instead_of_an_answer() {
    let fake = fake().await;
    fake.metadata().fail_next(1, MetadataFault::Disconnect);
    fetch(&fake, fake.audience()).await.unwrap_err();
    assert_eq!(fetch(&fake, fake.audience()).await.unwrap().status, 200);
    assert_eq!(fake.metadata().requests(), 2);
}

#[tokio::test]
async fn a_request_that_hangs_does_not_hold_up_the_next() {
    let fake = std::sync::Arc::new(fake().await);
    fake.metadata().fail_next(1, MetadataFault::Hang);
    let hanging = tokio::spawn({
        let fake = fake.clone();
        async move { fetch(&fake, fake.audience()).await }
    });
    until("the request", || fake.metadata().requests() == 1).await;
    assert_eq!(fetch(&fake, fake.audience()).await.unwrap().status, 200);
    assert!(!hanging.is_finished());
    hanging.abort();
}

#[tokio::test]
async fn a_delay_holds_up_tokens_and_nothing_else() {
    let fake = std::sync::Arc::new(fake().await);
    fake.metadata().set_delay(Duration::from_hours(1));
    let slow = tokio::spawn({
        let fake = fake.clone();
        async move { fetch(&fake, fake.audience()).await }
    });
    until("the request", || fake.metadata().requests() == 1).await;
    assert_eq!(metadata(&fake, "/", &[]).await.unwrap().status, 200);
    fake.metadata().set_delay(Duration::ZERO);
    assert_eq!(fetch(&fake, fake.audience()).await.unwrap().status, 200);
    assert!(!slow.is_finished());
    assert_eq!(fake.metadata().tokens_minted(), 1);
    slow.abort();
}

#[tokio::test]
async fn it_refuses_connections_and_closes_those_it_has() {
    let fake = fake().await;
    let address = fake.metadata().address();
    // A connection that has served a request and waits for the next.
    let mut open = TcpStream::connect(address).await.unwrap();
    let request = format!("GET / HTTP/1.1\r\nhost: {address}\r\n\r\n");
    open.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"computeMetadata/\n") {
        open.read_buf(&mut answer).await.unwrap();
    }
    fake.metadata().refuse_connections().unwrap();
    let error = TcpStream::connect(address).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    let mut open = open.into_std().unwrap();
    open.set_nonblocking(false).unwrap();
    open.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
    assert_eq!(open.read(&mut [0; 1]).unwrap(), 0, "still open");

    fake.metadata().accept_connections().unwrap();
    assert_eq!(fake.metadata().address(), address);
    assert_eq!(fetch(&fake, fake.audience()).await.unwrap().status, 200);
}
