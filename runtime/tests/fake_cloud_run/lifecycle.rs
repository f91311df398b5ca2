//! Start, end, and what is told in between.

use std::io::ErrorKind;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use tokio::net::TcpStream;
use tonic_cloud_run::testing::{Denial, Event, FakeCloudRun, FrontFault, MetadataFault, TokenSpec};

use crate::client::{call, call_with, connect, fetch, request, until};
use crate::service::Container;

async fn fake() -> FakeCloudRun {
    FakeCloudRun::start(Container::default()).await.unwrap()
}

#[tokio::test]
async fn dropping_the_fake_stops_everything() {
    let fake = fake().await;
    let mut events = fake.events();
    let (front, metadata) = (fake.address(), fake.metadata().address());
    let mut sender = connect(&fake).await.unwrap();
    let host = fake.host().to_owned();
    sender.send_request(request(&host, &[])).await.unwrap();
    drop(fake);

    for address in [front, metadata] {
        let error = TcpStream::connect(address).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    }
    sender.send_request(request(&host, &[])).await.unwrap_err();
    while let Some(event) = events.next().await {
        assert!(!matches!(event, Event::CallAdmitted { .. }));
    }
}

#[tokio::test]
async fn dropping_the_fake_ends_calls_that_hang() {
    let fake = fake().await;
    let mut sender = connect(&fake).await.unwrap();
    fake.front().set_fault(FrontFault::Hang);
    let hanging = tokio::spawn(sender.send_request(request(fake.host(), &[])));
    until("the call", || fake.front().calls_in_flight() == 1).await;
    drop(fake);
    hanging.await.unwrap().unwrap_err();
}

#[test]
fn a_fake_needs_a_runtime_and_says_so() {
    let start = pin!(FakeCloudRun::start(Container::default()));
    let mut context = Context::from_waker(Waker::noop());
    let Poll::Ready(Err(error)) = start.poll(&mut context) else {
        panic!("started without a runtime");
    };
    let text = error.to_string();
    assert!(
        text.starts_with("the fake metadata server has to be started inside of a Tokio runtime"),
        "{text}"
    );
}

#[tokio::test]
async fn hosts_that_are_none_are_refused() {
    for host in [
        "",
        "https://a.run.app",
        "a.run.app:443",
        "a.run.app/",
        "a b",
        "é.example",
    ] {
        let error = FakeCloudRun::builder()
            .host(host)
            .start(Container::default())
            .await
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "\"{host}\" is not a host name for a fake Cloud Run service; give a name without \
                 scheme, port and path, such as bookstore-7x2kq-uc.a.run.app"
            )
        );
    }
    let error = FakeCloudRun::builder()
        .domain("https://books.example.com")
        .start(Container::default())
        .await
        .unwrap_err();
    assert!(error.to_string().contains("https://books.example.com"));
    let error = FakeCloudRun::builder()
        .host("canary---bookstore-7x2kq-uc.a.run.app")
        .start(Container::default())
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "\"canary---bookstore-7x2kq-uc.a.run.app\" has a traffic tag; give the fake the service's own \
         host, bookstore-7x2kq-uc.a.run.app: requests for its tags reach it as well"
    );
}

#[tokio::test]
async fn fakes_stand_side_by_side() {
    let (one, other) = (fake().await, fake().await);
    assert_ne!(one.address(), other.address());
    one.front().set_fault(FrontFault::Status(503));
    one.metadata().set_fault(MetadataFault::Garbage);
    let token = fetch(&other, other.audience()).await.unwrap().body;
    assert_eq!(call_with(&other, &token).await.status, 200);
    assert_eq!(one.front().calls_faulted(), 0);
}

#[tokio::test]
async fn events_tell_what_happened_in_order_and_never_a_token() {
    let fake = fake().await;
    let mut events = fake.events();
    assert_eq!(events.try_next(), None);

    let token = fetch(&fake, fake.audience()).await.unwrap().body;
    call_with(&fake, &token).await;
    call(&fake, &[]).await;
    let stranger = TokenSpec::new(fake.audience()).email("stranger@example.com");
    let strangers = fake.mint(stranger);
    call_with(&fake, &strangers).await;
    fake.front().fail_next(1, FrontFault::Status(503));
    call_with(&fake, &token).await;
    fake.metadata().fail_next(1, MetadataFault::Status(429));
    fetch(&fake, fake.audience()).await.unwrap();

    let mut lines = Vec::new();
    let mut told = Vec::new();
    while let Some(event) = events.try_next() {
        lines.push(event.to_string());
        if !matches!(event, Event::ConnectionOpened { .. }) {
            told.push(event);
        }
    }
    let path = "/grpc.health.v1.Health/Check";
    let [
        Event::TokenMinted { token: minted },
        Event::CallAdmitted {
            path: admitted,
            token: Some(used),
        },
        Event::CallDenied {
            reason: Denial::MissingToken,
            ..
        },
        Event::CallDenied {
            reason: Denial::NotInvoker,
            detail,
            ..
        },
        Event::CallFaulted {
            fault: FrontFault::Status(503),
            ..
        },
        Event::TokenRequestFaulted {
            fault: MetadataFault::Status(429),
        },
    ] = &told[..]
    else {
        panic!("{told:#?}");
    };
    assert_eq!(admitted, path);
    assert_eq!(minted, used);
    assert_eq!(minted.identity(), fake.identity());
    assert_eq!(detail, "the caller is stranger@example.com");

    let lines = lines.join("\n");
    let minted = format!(
        "token minted: token {} of {} for {}, until ",
        minted.fingerprint,
        fake.identity(),
        fake.audience()
    );
    for line in [
        &*minted,
        " UTC",
        "connection opened from 127.0.0.1:",
        ", HTTP/2",
        "call admitted: /grpc.health.v1.Health/Check, token ",
        "call denied: /grpc.health.v1.Health/Check, 403: no ID token; neither ",
        "403: the identity lacks roles/run.invoker; the caller is stranger@example.com",
        "call met a fault: /grpc.health.v1.Health/Check, HTTP status 503 with an HTML page",
        "token request met a fault: HTTP status 429",
    ] {
        assert!(lines.contains(line), "{line}\nis not in\n{lines}");
    }
    let shown = format!("{lines}{told:?}{fake:?}");
    for token in [&token, &strangers] {
        for part in token.split('.') {
            assert!(!shown.contains(part), "a token's part was printed");
        }
    }
}
