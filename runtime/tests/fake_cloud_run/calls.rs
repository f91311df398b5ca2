//! Faults of calls, and the limit on how many run at once.

use h2::Reason;
use http::HeaderMap;
use std::error::Error as _;
use tokio::task::JoinSet;
use tonic_cloud_run::testing::{FakeCloudRun, FrontFault};

use crate::client::{Answer, call_with, connect, request, until};
use crate::service::{Broken, Container};

#[tokio::test]
async fn the_front_answers_with_any_status_and_a_page() {
    let fake = FakeCloudRun::start(Container::default()).await.unwrap();
    let token = fake.token();
    for status in [200, 401, 403, 404, 429, 500, 502, 503, 504] {
        fake.front().set_fault(FrontFault::Status(status));
        let answer = call_with(&fake, &token).await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("content-type"), "text/html; charset=UTF-8");
        assert_eq!(answer.header("server"), "Google Frontend");
        assert!(
            answer.body.contains(&format!("<title>{status} ")),
            "{}",
            answer.body
        );
    }
    assert_eq!(fake.front().calls_faulted(), 9);
    assert_eq!(
        fake.front().calls_admitted() + fake.front().calls_denied(),
        0
    );
    fake.front().clear_faults();
    assert_eq!(call_with(&fake, &token).await.header("grpc-status"), "0");
}

#[tokio::test]
async fn faults_queue_up_before_the_lasting_one() {
    let fake = FakeCloudRun::start(Container::default()).await.unwrap();
    let token = fake.token();
    fake.front().set_fault(FrontFault::Status(500));
    fake.front().fail_next(2, FrontFault::Status(503));
    fake.front().fail_next(1, FrontFault::Status(429));
    let mut statuses = Vec::new();
    for _ in 0..5 {
        statuses.push(call_with(&fake, &token).await.status.as_u16());
    }
    assert_eq!(statuses, [503, 503, 429, 500, 500]);
}

#[tokio::test]
async fn a_stream_is_reset_with_the_code_asked_for() {
    let fake = FakeCloudRun::start(Container::default()).await.unwrap();
    let mut sender = connect(&fake).await.unwrap();
    for reason in [Reason::REFUSED_STREAM, Reason::ENHANCE_YOUR_CALM] {
        fake.front()
            .fail_next(1, FrontFault::ResetStream(reason.into()));
        let error = sender
            .send_request(request(fake.host(), &[]))
            .await
            .unwrap_err();
        let h2 = error.source().unwrap().downcast_ref::<h2::Error>().unwrap();
        assert_eq!(h2.reason(), Some(reason));
        assert!(h2.is_remote() && h2.is_reset());
    }
    // The connection itself is unharmed.
    let response = sender
        .send_request(request(fake.host(), &[]))
        .await
        .unwrap();
    assert_eq!(response.status(), 403);
    assert_eq!(fake.front().connections_opened(), 1);
}

#[tokio::test]
async fn a_connection_is_closed_instead_of_an_answer() {
    let fake = FakeCloudRun::start(Container::default()).await.unwrap();
    let mut sender = connect(&fake).await.unwrap();
    fake.front().fail_next(1, FrontFault::Disconnect);
    sender
        .send_request(request(fake.host(), &[]))
        .await
        .unwrap_err();
    until("the connection to close", || sender.is_closed()).await;
    until("the server to notice", || {
        fake.front().open_connections() == 0
    })
    .await;
    assert_eq!(call_with(&fake, &fake.token()).await.status, 200);
}

#[tokio::test]
async fn a_call_that_hangs_is_under_way_until_the_caller_gives_up() {
    let fake = FakeCloudRun::start(Container::default()).await.unwrap();
    let mut sender = connect(&fake).await.unwrap();
    fake.front().fail_next(1, FrontFault::Hang);
    let hanging = tokio::spawn(sender.send_request(request(fake.host(), &[])));
    until("the call to arrive", || fake.front().calls_in_flight() == 1).await;
    // Others pass it by.
    let answer = sender
        .send_request(request(fake.host(), &[]))
        .await
        .unwrap();
    assert_eq!(answer.status(), 403);
    assert!(!hanging.is_finished());
    drop(answer);

    hanging.abort();
    until("the call to end", || fake.front().calls_in_flight() == 0).await;
    assert_eq!(fake.front().open_connections(), 1);
}

#[tokio::test]
async fn one_connection_carries_100_calls_and_no_more() {
    let fake = FakeCloudRun::start(Container::default()).await.unwrap();
    fake.front().set_fault(FrontFault::Hang);
    let sender = connect(&fake).await.unwrap();
    let mut calls = JoinSet::new();
    for _ in 0..110 {
        let mut sender = sender.clone();
        let request = request(fake.host(), &[]);
        calls.spawn(async move { sender.send_request(request).await });
    }
    until("100 calls", || fake.front().calls_in_flight() >= 100).await;
    // A second connection has room: its call comes in, and the first connection's 101st still does not.
    let mut other = connect(&fake).await.unwrap();
    let one_more = tokio::spawn(other.send_request(request(fake.host(), &[])));
    until("another connection's call", || {
        fake.front().calls_in_flight() > 100
    })
    .await;
    assert_eq!(fake.front().calls_in_flight(), 101);
    assert_eq!(fake.front().calls_faulted(), 101);

    one_more.abort();
    calls.shutdown().await;
    until("every call to end", || fake.front().calls_in_flight() == 0).await;
}

#[tokio::test]
async fn the_limit_on_concurrent_calls_is_announced() {
    for (limit, builder) in [
        (100, FakeCloudRun::builder()),
        (3, FakeCloudRun::builder().max_concurrent_streams(3)),
    ] {
        let fake = builder.start(Container::default()).await.unwrap();
        let stream = crate::client::tls(&fake, fake.host(), &["h2"])
            .await
            .unwrap();
        let (sender, connection) = h2::client::handshake(stream).await.unwrap();
        tokio::spawn(connection);
        until("the settings", || {
            sender.current_max_send_streams() == limit
        })
        .await;
    }
}

#[tokio::test]
async fn a_container_that_breaks_off_is_503() {
    let fake = FakeCloudRun::start(Broken).await.unwrap();
    let answer = call_with(&fake, &fake.token()).await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.header("content-type"), "text/html; charset=UTF-8");
    assert_eq!(fake.front().calls_admitted(), 1);
}

#[tokio::test]
async fn a_stream_of_messages_is_under_way_until_its_end() {
    let (reporter, service) = tonic_health::server::health_reporter();
    let fake = FakeCloudRun::start(service).await.unwrap();
    let mut sender = connect(&fake).await.unwrap();
    let mut request = request(
        fake.host(),
        &[("authorization", &format!("Bearer {}", fake.token()))],
    );
    *request.uri_mut() = format!("https://{}/grpc.health.v1.Health/Watch", fake.host())
        .parse()
        .unwrap();
    let response = sender.send_request(request).await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(fake.front().calls_in_flight(), 1);
    // The service ends the stream.
    drop(reporter);
    drop(response);
    until("the stream to end", || fake.front().calls_in_flight() == 0).await;
}

#[tokio::test]
async fn http1_is_served_too() {
    let fake = FakeCloudRun::start(Container::default()).await.unwrap();
    let stream = crate::client::tls(&fake, fake.host(), &["http/1.1"])
        .await
        .unwrap();
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(hyper_util::rt::TokioIo::new(stream))
            .await
            .unwrap();
    tokio::spawn(connection);
    let mut statuses = Vec::new();
    for headers in [HeaderMap::new(), {
        let mut headers = HeaderMap::new();
        let value = format!("Bearer {}", fake.token());
        headers.insert("authorization", value.parse().unwrap());
        headers
    }] {
        let mut request = request(fake.host(), &[("host", fake.host())]);
        *request.uri_mut() = "/grpc.health.v1.Health/Check".parse().unwrap();
        request.headers_mut().extend(headers);
        let response = sender.send_request(request).await.unwrap();
        statuses.push(Answer::read(response).await.status.as_u16());
    }
    assert_eq!(statuses, [403, 200]);
}
