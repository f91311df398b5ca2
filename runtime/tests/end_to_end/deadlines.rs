//! Deadlines cover the whole call, and the server hears of them.

use crate::echo::{Ask, EchoClient};
use crate::fake;
use std::time::Duration;
use tonic_cloud_run::tonic::Code;
use tonic_cloud_run::{Channel, Error};

const SHORT: Duration = Duration::from_millis(300);
const LONG: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_slow_answer() {
    let fake = fake().await;
    let client = EchoClient::on(fake.channel().unwrap());
    let status = client
        .unary_within(SHORT, Ask::slow(LONG))
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded, "{status:?}");
    assert!(status.message().contains("300ms"), "{status:?}");
    assert!(Error::from_status(&status).unwrap().is_timeout());
    while fake.front().calls_in_flight() > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_stream_that_goes_on_after_its_first_answers() {
    let fake = fake().await;
    let client = EchoClient::on(fake.channel_builder().deadline(SHORT).build().unwrap());
    let ask = Ask {
        times: u32::MAX,
        pause_ms: 20,
        ..Ask::default()
    };
    let mut answers = client.server_stream(ask).await.unwrap();
    let mut received = 0;
    let status = loop {
        match answers.message().await {
            Ok(answer) => assert!(answer.is_some(), "the stream has no end of its own"),
            Err(status) => break status,
        }
        received += 1;
    };
    assert!(received > 0);
    assert_eq!(status.code(), Code::DeadlineExceeded, "{status:?}");
    while fake.front().calls_in_flight() > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_slow_token_and_a_slow_handshake() {
    let fake = fake().await;
    fake.metadata().set_delay(LONG);
    let client = EchoClient::on(fake.channel().unwrap());
    let status = client
        .unary_within(SHORT, Ask::default())
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded, "{status:?}");
    assert!(
        status.message().contains("waiting for an ID token;"),
        "{status:?}"
    );

    let fake = crate::fake().await;
    fake.front().set_handshake_delay(LONG);
    let client = EchoClient::on(fake.channel().unwrap());
    let status = client
        .unary_within(SHORT, Ask::default())
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded, "{status:?}");
    assert!(
        status.message().contains("waiting for a connection"),
        "{status:?}"
    );
}

#[tokio::test]
async fn connect_has_the_channel_s_deadline() {
    let fake = fake().await;
    fake.metadata().set_delay(LONG);
    let error = fake
        .channel_builder()
        .deadline(SHORT)
        .build()
        .unwrap()
        .connect()
        .await
        .unwrap_err();
    assert!(error.is_timeout(), "{error:?}");
}

#[tokio::test]
async fn the_server_is_told_the_time_that_is_left() {
    let fake = fake().await;
    let client = EchoClient::on(fake.channel_builder().deadline(LONG).build().unwrap());
    // The default deadline; and a call's own, which wins.
    for (told, within) in [
        (client.unary(Ask::default()).await.unwrap(), LONG),
        (
            client.unary_within(LONG / 2, Ask::default()).await.unwrap(),
            LONG / 2,
        ),
    ] {
        let micros: u64 = told
            .timeout
            .strip_suffix('u')
            .unwrap_or_else(|| panic!("{told:?}"))
            .parse()
            .unwrap();
        let left = Duration::from_micros(micros);
        assert!(left < within && left > within / 2, "{told:?}");
    }
    let without = EchoClient::on(fake.channel().unwrap());
    assert_eq!(without.unary(Ask::default()).await.unwrap().timeout, "");
}

#[tokio::test]
async fn a_call_in_process_has_deadlines_too() {
    let client = EchoClient::on(Channel::in_process(crate::echo::Echo));
    let status = client
        .unary_within(SHORT, Ask::slow(LONG))
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded, "{status:?}");
}

#[tokio::test]
async fn a_call_without_any_time_is_not_begun() {
    let fake = fake().await;
    let client = EchoClient::on(fake.channel().unwrap());
    let status = client
        .unary_within(Duration::ZERO, Ask::default())
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded, "{status:?}");
    assert_eq!(fake.front().connections_opened(), 0);
}
