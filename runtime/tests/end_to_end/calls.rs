//! The four kinds of call, and what travels with them.

use crate::echo::{Ask, EchoClient, UNARY, UNKNOWN};
use crate::fake;
use std::time::Duration;
use tokio_stream::StreamExt as _;
use tonic::body::Body;
use tonic_cloud_run::testing::{Denial, FakeCloudRun};
use tonic_cloud_run::tonic::{self, Code, Request, Status};
use tonic_cloud_run::tonic_types::{ErrorDetails, StatusExt as _};
use tonic_cloud_run::{Error, TokenHeader};

#[tokio::test]
async fn all_four_kinds_of_call() {
    let fake = fake().await;
    let client = EchoClient::on(fake.channel().unwrap());

    assert_eq!(client.unary(Ask::text("a")).await.unwrap().text, "a");

    let ask = Ask {
        times: 3,
        ..Ask::text("b")
    };
    let answers: Vec<_> = client.server_stream(ask).await.unwrap().collect().await;
    assert_eq!(answers.len(), 3);
    assert!(
        answers
            .iter()
            .all(|answer| answer.as_ref().unwrap().text == "b")
    );

    let asks = tokio_stream::iter(["c", "d", "e"]).map(Ask::text);
    assert_eq!(client.client_stream(asks).await.unwrap().text, "cde");

    let (ask, asks) = tokio::sync::mpsc::channel(1);
    let asks = tokio_stream::wrappers::ReceiverStream::new(asks);
    let mut answers = client.bidi(asks).await.unwrap();
    for text in ["f", "g"] {
        ask.send(Ask::text(text)).await.unwrap();
        assert_eq!(answers.message().await.unwrap().unwrap().text, text);
    }
    drop(ask);
    assert!(answers.message().await.unwrap().is_none());

    assert_eq!(fake.front().calls_admitted(), 4);
    assert_eq!(fake.metadata().tokens_minted(), 1);
    assert_eq!(fake.front().connections_opened(), 1);
}

#[tokio::test]
async fn the_status_of_the_application_comes_through_untouched() {
    let fake = fake().await;
    let client = EchoClient::on(fake.channel().unwrap());
    for code in 1..=16 {
        let status = client
            .unary(Ask {
                code,
                ..Ask::default()
            })
            .await
            .unwrap_err();
        assert_eq!(status.code(), Code::from(code));
        assert_eq!(status.message(), "as asked");
        assert!(Error::from_status(&status).is_none(), "{status:?}");
    }
    // Also the codes that the front end's refusals map to: neither the token nor the call suffered.
    assert_eq!(fake.metadata().tokens_minted(), 1);
    assert_eq!(fake.front().calls_admitted(), 16);
    let unknown = client
        .0
        .unary::<Ask, Ask>(&UNKNOWN, Request::new(Ask::default()))
        .await
        .unwrap_err();
    assert_eq!(unknown.code(), Code::Unimplemented);
    assert_eq!(unknown.message(), "no such method");
}

#[tokio::test]
async fn the_token_travels_in_the_header_asked_for() {
    let fake = fake().await;
    let client = EchoClient::on(fake.channel().unwrap());
    let told = client.unary(Ask::default()).await.unwrap();
    assert!(
        told.authorization.starts_with("Bearer "),
        "{}",
        told.authorization
    );
    assert!(
        told.user_agent.starts_with("tonic-cloud-run/"),
        "{}",
        told.user_agent
    );

    let channel = fake
        .channel_builder()
        .token_header(TokenHeader::XServerlessAuthorization);
    let client = EchoClient::on(channel.build().unwrap());
    assert_eq!(
        client.unary(Ask::default()).await.unwrap().authorization,
        ""
    );
}

#[tokio::test]
async fn a_call_s_own_authorization_reaches_the_application() {
    let fake = fake().await;
    let client = EchoClient::on(fake.channel().unwrap());
    let mut request = Request::new(Ask::default());
    request
        .metadata_mut()
        .insert("authorization", "Basic dXNlcg==".parse().unwrap());
    let told = client
        .0
        .unary::<_, crate::echo::Told>(&UNARY, request)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(told.authorization, "Basic dXNlcg==");
}

#[tokio::test]
async fn nobody_but_the_channel_says_who_calls() {
    let fake = fake().await;
    let client = EchoClient::on(fake.channel().unwrap());
    let mut request = Request::new(Ask::default());
    request.metadata_mut().insert(
        "x-serverless-authorization",
        "Bearer stolen".parse().unwrap(),
    );
    client
        .0
        .unary::<_, crate::echo::Told>(&UNARY, request)
        .await
        .unwrap();
    assert_eq!(fake.front().calls_denied_for(Denial::MalformedToken), 0);
}

#[tokio::test]
async fn messages_above_a_limit_are_refused_with_the_reason() {
    let fake = fake().await;
    let big = Ask::text(&"x".repeat(100_000));
    let client = EchoClient(
        EchoClient::on(fake.channel().unwrap())
            .0
            .max_encoding_message_size(1000),
    );
    let status = client.unary(big.clone()).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted, "{status:?}");
    let client = EchoClient(
        EchoClient::on(fake.channel().unwrap())
            .0
            .max_decoding_message_size(1000),
    );
    let status = client.unary(big.clone()).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted, "{status:?}");
    let client = EchoClient::on(fake.channel().unwrap());
    assert_eq!(client.unary(big).await.unwrap().text.len(), 100_000);
}

#[cfg(feature = "gzip")]
#[tokio::test]
async fn a_compressed_call() {
    use tonic_cloud_run::tonic::codec::CompressionEncoding;

    let fake = fake().await;
    let client = EchoClient::on(fake.channel().unwrap())
        .0
        .accept_compressed(CompressionEncoding::Gzip);
    let text = "gzip ".repeat(1000);
    assert_eq!(
        EchoClient(client.clone())
            .unary(Ask::text(&text))
            .await
            .unwrap()
            .text,
        text
    );
    // The test's server accepts no compression, and says so.
    let status = EchoClient(client.send_compressed(CompressionEncoding::Gzip))
        .unary(Ask::text(&text))
        .await;
    assert_eq!(status.unwrap_err().code(), Code::Unimplemented);
}

#[tokio::test]
async fn a_large_message_goes_both_ways() {
    let fake = fake().await;
    let client = EchoClient::on(fake.channel().unwrap());
    let text = "x".repeat(3_000_000);
    assert_eq!(
        client.unary(Ask::text(&text)).await.unwrap().text.len(),
        text.len()
    );
}

#[tokio::test]
async fn a_stream_that_is_dropped_ends_at_the_server() {
    let fake = fake().await;
    let client = EchoClient::on(fake.channel().unwrap());
    let ask = Ask {
        times: u32::MAX,
        pause_ms: 1,
        ..Ask::text("on and on")
    };
    let mut answers = client.server_stream(ask).await.unwrap();
    answers.message().await.unwrap().unwrap();
    assert_eq!(fake.front().calls_in_flight(), 1);
    drop(answers);
    while fake.front().calls_in_flight() > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_slow_reader_of_many_small_messages_harms_nobody() {
    let fake = fake().await;
    let client = EchoClient::on(fake.channel().unwrap());
    let ask = Ask {
        times: 60_000,
        ..Ask::default()
    };
    let mut slow = client.server_stream(ask).await.unwrap();
    slow.message().await.unwrap().unwrap();
    for _ in 0..200 {
        client.unary(Ask::text(&"x".repeat(1000))).await.unwrap();
    }
    let mut read = 1;
    while slow.message().await.unwrap().is_some() {
        read += 1;
    }
    assert_eq!(read, 60_000);
    assert_eq!(fake.front().connections_opened(), 1);
}

#[tokio::test]
async fn many_slow_readers_hold_up_no_other_call() {
    let fake = fake().await;
    let client = EchoClient::on(fake.channel().unwrap());
    let mut slow = Vec::new();
    for _ in 0..40 {
        // Two megabytes, of which one message is read.
        let ask = Ask {
            times: 20,
            ..Ask::text(&"x".repeat(100_000))
        };
        let mut stream = client.server_stream(ask).await.unwrap();
        let first = tokio::time::timeout(Duration::from_secs(20), stream.message());
        first.await.expect("held up").unwrap().unwrap();
        slow.push(stream);
    }
    // By now each has filled its window.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let ask = Ask::text(&"y".repeat(1_000_000));
    let call = client.unary_within(Duration::from_secs(20), ask);
    assert_eq!(call.await.unwrap().text.len(), 1_000_000);
    assert_eq!(fake.front().connections_opened(), 1);
    for mut stream in slow {
        while stream.message().await.unwrap().is_some() {}
    }
}

#[tokio::test]
async fn a_stream_of_requests_that_panics_ends_its_call() {
    let fake = fake().await;
    let client = EchoClient::on(fake.channel().unwrap());
    let asks = tokio_stream::iter(0..2).then(|n| async move {
        tokio::task::yield_now().await;
        assert!(n == 0, "a stream that panics, for a test");
        Ask::default()
    });
    let status = client.client_stream(asks).await.unwrap_err();
    assert_eq!(status.code(), Code::Internal, "{status:?}");
    client.unary(Ask::default()).await.unwrap();
}

/// A service whose status has details.
#[derive(Clone)]
struct Precise;

impl tonic::codegen::Service<http::Request<Body>> for Precise {
    type Response = http::Response<Body>;
    type Error = std::convert::Infallible;
    type Future = std::future::Ready<Result<Self::Response, Self::Error>>;

    fn poll_ready(
        &mut self,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), Self::Error>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: http::Request<Body>) -> Self::Future {
        let mut details = ErrorDetails::with_retry_info(Some(Duration::from_secs(7)));
        details.add_bad_request_violation("book.title", "it is empty");
        let status = Status::with_error_details(Code::InvalidArgument, "no such book", details);
        std::future::ready(Ok(status.into_http()))
    }
}

#[tokio::test]
async fn the_details_of_a_status_arrive_typed() {
    let fake = FakeCloudRun::start(Precise).await.unwrap();
    let client = EchoClient::on(fake.channel().unwrap());
    let unary = client.unary(Ask::default()).await.unwrap_err();
    let stream = client.server_stream(Ask::default()).await.unwrap_err();
    for status in [unary, stream] {
        assert_eq!(status.message(), "no such book");
        let details = status.get_error_details();
        let retry = details.retry_info().unwrap().retry_delay;
        assert_eq!(retry, Some(Duration::from_secs(7)));
        let violations = &details.bad_request().unwrap().field_violations;
        assert_eq!(violations[0].field, "book.title");
    }
}
