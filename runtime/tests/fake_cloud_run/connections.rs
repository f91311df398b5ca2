//! Faults of connections.

use std::io::ErrorKind;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use tonic_cloud_run::testing::{FakeCloudRun, FrontFault};

use crate::client::{Answer, Sender, call_with, connect, request, tls, tls_trusting, until};
use crate::service::Container;

async fn fake() -> FakeCloudRun {
    FakeCloudRun::start(Container::default()).await.unwrap()
}

async fn send(fake: &FakeCloudRun, sender: &mut Sender) -> Result<Answer, hyper::Error> {
    let value = format!("Bearer {}", fake.token());
    let request = request(fake.host(), &[("authorization", &value)]);
    Ok(Answer::read(sender.send_request(request).await?).await)
}

#[tokio::test]
async fn refused_connections_leave_the_open_ones_alone() {
    let fake = fake().await;
    let mut sender = connect(&fake).await.unwrap();
    for _ in 0..2 {
        fake.front().refuse_connections().unwrap();
        let error = connect(&fake).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        // Nobody else gets the port meanwhile.
        let error = std::net::TcpListener::bind(fake.address()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AddrInUse);
    }
    assert_eq!(send(&fake, &mut sender).await.unwrap().status, 200);

    let address = fake.address();
    fake.front().accept_connections().unwrap();
    assert_eq!(fake.address(), address);
    assert_eq!(call_with(&fake, &fake.token()).await.status, 200);
    assert_eq!(send(&fake, &mut sender).await.unwrap().status, 200);
}

#[tokio::test]
async fn doors_can_be_worked_from_a_thread_without_a_runtime() {
    let fake = std::sync::Arc::new(fake().await);
    for _ in 0..2 {
        let elsewhere = fake.clone();
        std::thread::spawn(move || {
            elsewhere.front().restart().unwrap();
            elsewhere.metadata().refuse_connections().unwrap();
            elsewhere.metadata().accept_connections().unwrap();
        })
        .join()
        .unwrap();
        assert_eq!(call_with(&fake, &fake.token()).await.status, 200);
    }
}

#[tokio::test]
async fn stalled_connections_are_made_and_never_answered() {
    let fake = fake().await;
    fake.front().stall_connections().unwrap();
    let mut stalled = pin!(tls(&fake, fake.host(), &["h2"]));
    let mut context = Context::from_waker(Waker::noop());
    assert!(matches!(stalled.as_mut().poll(&mut context), Poll::Pending));
    until("the connection", || {
        assert!(matches!(stalled.as_mut().poll(&mut context), Poll::Pending));
        fake.front().open_connections() == 1
    })
    .await;

    // A later connection is served from end to end; the stalled one still waits.
    fake.front().accept_connections().unwrap();
    assert_eq!(call_with(&fake, &fake.token()).await.status, 200);
    assert!(matches!(stalled.as_mut().poll(&mut context), Poll::Pending));
    fake.front().disconnect();
    stalled.await.unwrap_err();
    assert_eq!(fake.front().connections_opened(), 1);
}

#[tokio::test]
async fn a_slow_handshake_waits() {
    let fake = fake().await;
    fake.front().set_handshake_delay(Duration::from_hours(1));
    let mut slow = pin!(tls(&fake, fake.host(), &["h2"]));
    let mut context = Context::from_waker(Waker::noop());
    until("the connection", || {
        assert!(matches!(slow.as_mut().poll(&mut context), Poll::Pending));
        fake.front().open_connections() == 1
    })
    .await;
    fake.front().set_handshake_delay(Duration::ZERO);
    assert_eq!(call_with(&fake, &fake.token()).await.status, 200);
    assert!(matches!(slow.as_mut().poll(&mut context), Poll::Pending));
}

#[tokio::test]
async fn disconnected_connections_break_their_calls() {
    let fake = fake().await;
    let mut sender = connect(&fake).await.unwrap();
    fake.front().fail_next(1, FrontFault::Hang);
    let hanging = tokio::spawn(sender.send_request(request(fake.host(), &[])));
    until("the call", || fake.front().calls_in_flight() == 1).await;
    fake.front().disconnect();
    assert_eq!(fake.front().open_connections(), 0);
    hanging.await.unwrap().unwrap_err();
    until("the call to end", || fake.front().calls_in_flight() == 0).await;
    assert_eq!(call_with(&fake, &fake.token()).await.status, 200);
}

#[tokio::test]
async fn a_restart_breaks_connections_and_listens_on_the_same_port() {
    let fake = fake().await;
    for round in 1..=3 {
        let mut sender = connect(&fake).await.unwrap();
        assert_eq!(send(&fake, &mut sender).await.unwrap().status, 200);
        fake.front().restart().unwrap();
        send(&fake, &mut sender).await.unwrap_err();
        assert_eq!(fake.front().connections_opened(), round);
    }
    assert_eq!(call_with(&fake, &fake.token()).await.status, 200);
}

#[tokio::test]
async fn go_away_lets_calls_finish_and_takes_no_more() {
    let (reporter, service) = tonic_health::server::health_reporter();
    let fake = FakeCloudRun::start(service).await.unwrap();
    let stream = tls(&fake, fake.host(), &["h2"]).await.unwrap();
    let (sender, connection) = h2::client::handshake(stream).await.unwrap();
    let connection = tokio::spawn(connection);
    let watch = Request::post(format!(
        "https://{}/grpc.health.v1.Health/Watch",
        fake.host()
    ))
    .header("content-type", "application/grpc")
    .header("authorization", format!("Bearer {}", fake.token()))
    .body(())
    .unwrap();
    let mut sender = sender.ready().await.unwrap();
    let (response, mut message) = sender.send_request(watch, false).unwrap();
    message
        .send_data(Bytes::from_static(&[0, 0, 0, 0, 0]), true)
        .unwrap();
    let mut body = response.await.unwrap().into_body();

    fake.front().go_away();
    let mut error = None;
    until("the GOAWAY", || {
        let mut context = Context::from_waker(Waker::noop());
        match sender.poll_ready(&mut context) {
            Poll::Ready(Err(told)) => error = Some(told),
            Poll::Ready(Ok(())) | Poll::Pending => {}
        }
        error.is_some()
    })
    .await;
    let error = error.unwrap();
    assert!(error.is_go_away() && error.is_remote(), "{error}");
    assert_eq!(error.reason(), Some(h2::Reason::NO_ERROR));
    assert_eq!(fake.front().open_connections(), 1);
    assert_eq!(fake.front().calls_in_flight(), 1);
    // The call under way still gets its messages.
    reporter
        .set_service_status("", tonic_health::ServingStatus::NotServing)
        .await;
    let mut received = Vec::new();
    while received.len() < 14 {
        received.extend(body.data().await.unwrap().unwrap());
    }
    // Two frames, field 1 as varint: SERVING, then NOT_SERVING.
    assert_eq!(received, [0, 0, 0, 0, 2, 8, 1, 0, 0, 0, 0, 2, 8, 2]);
    // The last call is over, and with it the connection.
    drop((body, message, sender));
    connection.await.unwrap().unwrap();
    until("the connection to close", || {
        fake.front().open_connections() == 0
    })
    .await;
}

#[tokio::test]
async fn the_protocol_is_agreed_on_by_alpn() {
    let fake = fake().await;
    for (http1_only, offered, agreed) in [
        (false, &["h2", "http/1.1"][..], Some("h2")),
        (false, &["http/1.1"], Some("http/1.1")),
        (true, &["h2", "http/1.1"], Some("http/1.1")),
        (false, &[], None),
    ] {
        fake.front().set_http1_only(http1_only);
        let stream = tls(&fake, fake.host(), offered).await.unwrap();
        let connection = stream.get_ref().1;
        assert_eq!(connection.alpn_protocol(), agreed.map(str::as_bytes));
        assert_eq!(
            connection.protocol_version(),
            Some(rustls::ProtocolVersion::TLSv1_3)
        );
    }
    // Nothing in common: the handshake fails, as TLS demands.
    fake.front().set_http1_only(true);
    tls(&fake, fake.host(), &["h2"]).await.unwrap_err();
}

#[tokio::test]
async fn a_client_that_does_not_trust_the_authority_is_counted() {
    let fake = fake().await;
    let error = tls_trusting(&fake, None, fake.host(), &["h2"])
        .await
        .unwrap_err();
    assert!(error.to_string().contains("UnknownIssuer"), "{error}");
    until("the alert", || fake.front().handshakes_failed() == 1).await;
    assert_eq!(fake.front().connections_opened(), 0);
    // Nor is the certificate good for other names.
    tls(&fake, "www.example.com", &["h2"]).await.unwrap_err();
}
