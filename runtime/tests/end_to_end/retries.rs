//! Retries that a service config allows (gRFC A6), and what else it says of methods.

use crate::echo::{Ask, Echo, EchoClient};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio_stream::StreamExt as _;
use tonic::body::Body;
use tonic::codegen::{BoxFuture, Service};
use tonic::{Code, Status};
use tonic_cloud_run::testing::{FakeCloudRun, FrontFault};
use tonic_cloud_run::{Channel, ErrorKind, tonic};

const POLICY: &str = r#""retryPolicy": {
    "maxAttempts": 4,
    "initialBackoff": "0.01s",
    "maxBackoff": "0.1s",
    "backoffMultiplier": 2,
    "retryableStatusCodes": ["UNAVAILABLE"]
}"#;

fn config(method: &str) -> String {
    format!(r#"{{"methodConfig": [{{"name": [{{"service": "test.Echo"}}], {method}}}]}}"#)
}

/// What becomes of one attempt.
#[derive(Clone, Copy)]
enum Fate {
    Answered,
    /// A status in headers alone, with `grpc-retry-pushback-ms`.
    Refused(Code, Option<&'static str>),
    /// Headers, and then a status.
    Broken(Code),
}

/// The echo service, whose first attempts meet what is set for them.
#[derive(Clone, Default)]
struct Flaky {
    fates: Arc<Mutex<VecDeque<Fate>>>,
    /// The `grpc-previous-rpc-attempts` of the attempts that came in.
    attempts: Arc<Mutex<Vec<Option<String>>>>,
}

impl Flaky {
    fn meets(&self, fates: impl IntoIterator<Item = Fate>) {
        self.fates.lock().unwrap().extend(fates);
    }

    fn attempts(&self) -> Vec<Option<String>> {
        std::mem::take(&mut self.attempts.lock().unwrap())
    }
}

impl Service<http::Request<Body>> for Flaky {
    type Response = http::Response<Body>;
    type Error = std::convert::Infallible;
    type Future = BoxFuture<Self::Response, Self::Error>;

    fn poll_ready(
        &mut self,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), Self::Error>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let previous = request.headers().get("grpc-previous-rpc-attempts");
        let previous = previous.map(|value| value.to_str().unwrap().to_owned());
        self.attempts.lock().unwrap().push(previous);
        let fate = self.fates.lock().unwrap().pop_front();
        Box::pin(async move {
            match fate.unwrap_or(Fate::Answered) {
                Fate::Answered => Echo.call(request).await,
                Fate::Refused(code, push_back) => {
                    let mut status = Status::new(code, "as set");
                    if let Some(push_back) = push_back {
                        let metadata = status.metadata_mut();
                        metadata.insert("grpc-retry-pushback-ms", push_back.parse().unwrap());
                    }
                    Ok(status.into_http())
                }
                Fate::Broken(code) => {
                    let mut trailers = http::HeaderMap::new();
                    Status::new(code, "as set")
                        .add_header(&mut trailers)
                        .unwrap();
                    let frames = [
                        Ok::<_, Status>(http_body::Frame::data(bytes::Bytes::new())),
                        Ok(http_body::Frame::trailers(trailers)),
                    ];
                    let body = http_body_util::StreamBody::new(tokio_stream::iter(frames));
                    let mut response = http::Response::new(Body::new(body));
                    response
                        .headers_mut()
                        .insert("content-type", "application/grpc".parse().unwrap());
                    Ok(response)
                }
            }
        })
    }
}

async fn flaky(config: &str) -> (FakeCloudRun, Flaky, EchoClient) {
    let service = Flaky::default();
    let fake = FakeCloudRun::start(service.clone()).await.unwrap();
    let channel = fake.channel_builder().service_config(config).build();
    let client = EchoClient::on(channel.unwrap());
    (fake, service, client)
}

fn refused(code: Code) -> Fate {
    Fate::Refused(code, None)
}

#[tokio::test]
async fn a_call_is_made_again_and_says_how_often_it_was() {
    let (_fake, service, client) = flaky(&config(POLICY)).await;
    service.meets([refused(Code::Unavailable), refused(Code::Unavailable)]);
    let told = client.unary(Ask::text("hello")).await.unwrap();
    assert_eq!(told.text, "hello");
    assert_eq!(
        service.attempts(),
        [None, Some("1".to_owned()), Some("2".to_owned())]
    );
}

#[tokio::test]
async fn as_often_as_the_policy_says_and_then_with_the_last_status() {
    let (_fake, service, client) = flaky(&config(POLICY)).await;
    service.meets([refused(Code::Unavailable); 9]);
    let status = client.unary(Ask::default()).await.unwrap_err();
    assert_eq!(
        (status.code(), status.message()),
        (Code::Unavailable, "as set")
    );
    assert_eq!(service.attempts().len(), 4);
}

#[tokio::test]
async fn without_a_policy_nothing_that_may_have_run_is_made_again() {
    let (_fake, service, client) = flaky("{}").await;
    service.meets([refused(Code::Unavailable)]);
    client.unary(Ask::default()).await.unwrap_err();
    assert_eq!(service.attempts(), [None]);
}

#[tokio::test]
async fn other_codes_and_answers_that_have_begun_are_final() {
    let (_fake, service, client) = flaky(&config(POLICY)).await;
    for fate in [refused(Code::Internal), Fate::Broken(Code::Unavailable)] {
        service.meets([fate]);
        client.unary(Ask::default()).await.unwrap_err();
        assert_eq!(service.attempts(), [None]);
    }
}

#[tokio::test]
async fn the_server_may_say_when_to_come_back_or_not_to() {
    let (_fake, service, client) = flaky(&config(POLICY)).await;
    service.meets([Fate::Refused(Code::Unavailable, Some("30"))]);
    let begun = tokio::time::Instant::now();
    client.unary(Ask::default()).await.unwrap();
    assert!(begun.elapsed() >= Duration::from_millis(30));
    assert_eq!(service.attempts().len(), 2);
    service.meets([Fate::Refused(Code::Unavailable, Some("-1"))]);
    client.unary(Ask::default()).await.unwrap_err();
    assert_eq!(service.attempts().len(), 1);
}

#[tokio::test]
async fn while_many_calls_fail_none_is_made_again() {
    let config = config(POLICY);
    let throttled = config.replacen(
        '{',
        r#"{"retryThrottling": {"maxTokens": 4, "tokenRatio": 1},"#,
        1,
    );
    let (_fake, service, client) = flaky(&throttled).await;
    service.meets([refused(Code::Unavailable); 3]);
    client.unary(Ask::default()).await.unwrap_err();
    // The second failure left half of the tokens.
    assert_eq!(service.attempts().len(), 2);
    client.unary(Ask::default()).await.unwrap_err();
    assert_eq!(service.attempts().len(), 1);
    // Successes bring them back.
    for _ in 0..4 {
        client.unary(Ask::default()).await.unwrap();
    }
    service.attempts();
    service.meets([refused(Code::Unavailable)]);
    client.unary(Ask::default()).await.unwrap();
    assert_eq!(service.attempts().len(), 2);
}

#[tokio::test]
async fn every_shape_of_call_is_made_again() {
    let (_fake, service, client) = flaky(&config(POLICY)).await;
    service.meets([refused(Code::Unavailable)]);
    let ask = Ask {
        times: 2,
        ..Ask::default()
    };
    let mut stream = client.server_stream(ask).await.unwrap();
    while stream.message().await.unwrap().is_some() {}
    assert_eq!(service.attempts().len(), 2);

    service.meets([refused(Code::Unavailable)]);
    let asks = || tokio_stream::iter(["a", "b", "c"]).map(Ask::text);
    assert_eq!(client.client_stream(asks()).await.unwrap().text, "abc");
    assert_eq!(service.attempts().len(), 2);

    service.meets([refused(Code::Unavailable)]);
    let mut stream = client.bidi(asks()).await.unwrap();
    let mut text = String::new();
    while let Some(told) = stream.message().await.unwrap() {
        text += &told.text;
    }
    assert_eq!(text, "abc");
    assert_eq!(service.attempts().len(), 2);
}

#[tokio::test]
async fn a_front_end_that_has_no_instance_is_tried_again() {
    let (fake, service, client) = flaky(&config(POLICY)).await;
    fake.front().fail_next(2, FrontFault::Status(503));
    client.unary(Ask::default()).await.unwrap();
    assert_eq!(service.attempts(), [Some("2".to_owned())]);
}

#[tokio::test]
async fn a_retry_after_the_deadline_is_not_waited_for() {
    let (_fake, service, client) = flaky(&config(POLICY)).await;
    service.meets([Fate::Refused(Code::Unavailable, Some("60000"))]);
    let status = client
        .unary_within(Duration::from_secs(30), Ask::default())
        .await
        .unwrap_err();
    assert_eq!(
        (status.code(), status.message()),
        (Code::Unavailable, "as set")
    );
}

#[tokio::test]
async fn one_deadline_covers_all_attempts() {
    let timeout = r#""timeout": "0.2s","#;
    let (_fake, service, client) = flaky(&config(&format!("{timeout}{POLICY}"))).await;
    service.meets([refused(Code::Unavailable)]);
    let slow = Ask::slow(Duration::from_secs(60));
    // It is bounded by the config whatever the call asks for.
    let status = client
        .unary_within(Duration::from_secs(120), slow)
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded, "{status:?}");
    assert!(status.message().contains("200ms"), "{status:?}");
    assert_eq!(service.attempts().len(), 2);
}

#[tokio::test]
async fn messages_are_limited_both_ways_in_every_shape() {
    let limits = r#""maxRequestMessageBytes": 4000, "maxResponseMessageBytes": 3000"#;
    let (_fake, _service, client) = flaky(&config(limits)).await;
    let small = Ask::text(&"x".repeat(20));
    client.unary(small).await.unwrap();
    for (length, says) in [
        (5000, "the request has a message"),
        (3500, "the answer has a message"),
    ] {
        let ask = Ask {
            times: 1,
            ..Ask::text(&"x".repeat(length))
        };
        let mut found = vec![client.unary(ask.clone()).await.unwrap_err()];
        found.push(match client.server_stream(ask.clone()).await {
            Ok(mut stream) => stream.message().await.unwrap_err(),
            Err(status) => status,
        });
        found.push(
            client
                .client_stream(tokio_stream::iter([ask.clone()]))
                .await
                .unwrap_err(),
        );
        for status in found {
            assert_eq!(status.code(), Code::ResourceExhausted, "{status:?}");
            assert!(status.message().starts_with(says), "{length}: {status:?}");
        }
    }
}

#[tokio::test]
async fn calls_that_may_wait_wait_for_a_server_that_is_not_up_yet() {
    let fake = FakeCloudRun::start(Echo).await.unwrap();
    fake.front().refuse_connections().unwrap();
    let config = config(r#""waitForReady": true"#);
    let channel = fake.channel_builder().service_config(config).build();
    let client = EchoClient::on(channel.unwrap());
    let call = tokio::spawn(async move { client.unary(Ask::default()).await });
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!call.is_finished());
    fake.front().accept_connections().unwrap();
    call.await.unwrap().unwrap();
}

#[test]
fn a_service_config_that_is_wrong_is_told_when_the_channel_is_built() {
    let error = Channel::builder("a.run.app")
        .service_config(config(r#""timeout": 5"#))
        .build()
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidConfiguration);
    assert_eq!(
        error.to_string(),
        "the service config cannot be used: methodConfig[0].timeout: 5 is not a duration, which is written like \"1.5s\""
    );
}
