//! What the front end answers, and what the caller is told.

use crate::echo::{Ask, EchoClient};
use crate::fake;
use std::time::Duration;
use tonic_cloud_run::testing::FrontFault;
use tonic_cloud_run::tonic::Code;
use tonic_cloud_run::{Credentials, Error, ErrorKind};

#[tokio::test]
async fn http_statuses_become_grpc_statuses_that_explain() {
    for (http, code, says) in [
        (200, Code::Unknown, "text/html"),
        (302, Code::Unknown, "redirect"),
        (400, Code::Internal, "refused the call"),
        (401, Code::Unauthenticated, "audience"),
        (403, Code::PermissionDenied, "roles/run.invoker"),
        (404, Code::Unimplemented, "no service answers at this host"),
        (418, Code::Unknown, "refused the call"),
        (429, Code::Unavailable, "limit of instances"),
        (500, Code::Unknown, "logs"),
        (502, Code::Unavailable, "--use-http2"),
        (503, Code::Unavailable, "logs"),
        (504, Code::Unavailable, "request timeout"),
    ] {
        let fake = fake().await;
        fake.front().set_fault(FrontFault::Status(http));
        let client = EchoClient::on(fake.channel().unwrap());
        let status = client.unary(Ask::default()).await.unwrap_err();
        assert_eq!(status.code(), code, "{http}: {status:?}");
        for part in [says, fake.host(), fake.identity(), &http.to_string()] {
            assert!(
                status.message().contains(part),
                "{http}: {part} is not in {status:?}"
            );
        }
        let error = Error::from_status(&status).unwrap();
        assert_eq!(error.kind(), ErrorKind::Refused);
        assert_eq!(error.http_status(), Some(http));
        assert_eq!(error.host(), Some(fake.host()));
        assert_eq!(error.audience(), Some(fake.audience()));
        assert_eq!(error.identity(), Some(fake.identity()));
        assert_eq!(error.is_transient(), code == Code::Unavailable);
    }
}

#[tokio::test]
async fn streams_are_refused_in_the_same_words() {
    let fake = fake().await;
    fake.front().set_fault(FrontFault::Status(403));
    let client = EchoClient::on(fake.channel().unwrap());
    let status = client.server_stream(Ask::default()).await.unwrap_err();
    assert!(status.message().contains("roles/run.invoker"), "{status:?}");
    let status = client.bidi(tokio_stream::pending()).await.unwrap_err();
    assert!(status.message().contains("roles/run.invoker"), "{status:?}");
}

#[tokio::test]
async fn a_caller_without_the_role_gets_the_command_that_grants_it() {
    let fake = fake().await;
    fake.front().revoke_invoker(fake.identity());
    let client = EchoClient::on(fake.channel().unwrap());
    let status = client.unary(Ask::default()).await.unwrap_err();
    let member = format!("--member=serviceAccount:{}", fake.identity());
    assert!(
        status
            .message()
            .contains("gcloud run services add-iam-policy-binding"),
        "{status:?}"
    );
    assert!(status.message().contains(&member), "{status:?}");
    fake.front().grant_invoker(fake.identity());
    client.unary(Ask::default()).await.unwrap();
}

#[tokio::test]
async fn a_channel_without_credentials_is_told_so() {
    let fake = fake().await;
    let channel = fake
        .channel_builder()
        .credentials(Credentials::none())
        .build()
        .unwrap();
    let status = EchoClient::on(channel)
        .unary(Ask::default())
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::PermissionDenied);
    assert!(
        status.message().contains("this channel sends none"),
        "{status:?}"
    );
    assert_eq!(fake.metadata().requests(), 0);
}

#[tokio::test]
async fn a_refused_stream_never_reached_the_application_and_is_sent_again() {
    const REFUSED_STREAM: u32 = 7;
    let fake = fake().await;
    fake.front()
        .fail_next(2, FrontFault::ResetStream(REFUSED_STREAM));
    let client = EchoClient::on(fake.channel().unwrap());
    assert_eq!(client.unary(Ask::text("a")).await.unwrap().text, "a");
    fake.front()
        .set_fault(FrontFault::ResetStream(REFUSED_STREAM));
    assert_eq!(
        client.unary(Ask::default()).await.unwrap_err().code(),
        Code::Unavailable
    );
}

#[tokio::test]
async fn other_resets_are_not_repeated() {
    for (reset, code) in [
        (1, Code::Internal),
        (2, Code::Internal),
        (8, Code::Cancelled),
        (11, Code::ResourceExhausted),
        (12, Code::PermissionDenied),
    ] {
        let fake = fake().await;
        fake.front().fail_next(1, FrontFault::ResetStream(reset));
        let client = EchoClient::on(fake.channel().unwrap());
        let status = client.unary(Ask::default()).await.unwrap_err();
        assert_eq!(status.code(), code, "{reset}: {status:?}");
        assert_eq!(
            Error::from_status(&status).unwrap().kind(),
            ErrorKind::Transport
        );
        assert_eq!(fake.front().calls_faulted(), 1, "{reset}");
    }
}

#[tokio::test]
async fn a_connection_that_breaks_during_a_call_is_unavailable_and_the_next_call_has_another() {
    let fake = fake().await;
    let client = EchoClient::on(fake.channel().unwrap());
    fake.front().fail_next(1, FrontFault::Disconnect);
    let status = client.unary(Ask::default()).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable, "{status:?}");
    assert!(status.message().contains(fake.host()), "{status:?}");
    client.unary(Ask::default()).await.unwrap();
}

#[tokio::test]
async fn a_front_that_hangs_is_left_at_the_deadline() {
    let fake = fake().await;
    fake.front().set_fault(FrontFault::Hang);
    let client = EchoClient::on(fake.channel().unwrap());
    let status = client
        .unary_within(Duration::from_millis(300), Ask::default())
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
    assert!(
        status.message().contains("waiting for the server's answer"),
        "{status:?}"
    );
}
