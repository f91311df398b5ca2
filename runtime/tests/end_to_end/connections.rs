//! Connections: made side by side with the token, remade when they are gone, explained when they cannot be made.

use crate::echo::{Ask, EchoClient};
use crate::fake;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tonic_cloud_run::testing::FakeCloudRun;
use tonic_cloud_run::tonic::Code;
use tonic_cloud_run::{Channel, Credentials, Error, ErrorKind, IdToken, TokenError, TokenSource};

#[tokio::test]
async fn building_does_no_io() {
    let fake = fake().await;
    let channel = fake.channel().unwrap();
    drop(EchoClient::on(channel));
    assert_eq!(fake.front().connections_opened(), 0);
    assert_eq!(fake.metadata().requests(), 0);
}

/// The token comes only once the connection is being made, and the connection only once the token has been asked
/// for: one after the other, in either order, would never end.
#[tokio::test]
async fn token_and_connection_are_fetched_side_by_side() {
    struct Awaiting {
        asked: Arc<Notify>,
        connecting: Arc<Notify>,
        token: String,
    }

    impl TokenSource for Awaiting {
        async fn token(&self, _: &str) -> Result<IdToken, TokenError> {
            self.asked.notify_one();
            self.connecting.notified().await;
            Ok(IdToken::parse(self.token.clone())?)
        }
    }

    let fake = fake().await;
    let (asked, connecting) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let tunnel = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let source = Awaiting {
        asked: asked.clone(),
        connecting: connecting.clone(),
        token: fake.token(),
    };
    let channel = fake
        .channel_builder()
        .connect_to(tunnel.local_addr().unwrap())
        .credentials(Credentials::from_source(source))
        .build()
        .unwrap();
    let front = fake.address();
    tokio::spawn(async move {
        let (mut near, _) = tunnel.accept().await.unwrap();
        connecting.notify_one();
        asked.notified().await;
        let mut far = TcpStream::connect(front).await.unwrap();
        let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
    });
    EchoClient::on(channel).unary(Ask::default()).await.unwrap();
}

#[tokio::test]
async fn a_restarted_server_is_found_again() {
    let fake = fake().await;
    let client = EchoClient::on(fake.channel().unwrap());
    for round in 0..5 {
        client.unary(Ask::default()).await.unwrap();
        fake.front().restart().unwrap();
        // The broken connection may be noticed by one call, and by no more than one.
        if client.unary(Ask::default()).await.is_err() {
            client
                .unary(Ask::default())
                .await
                .unwrap_or_else(|status| panic!("round {round}: {status:?}"));
        }
    }
}

#[tokio::test]
async fn goaway_fails_no_call() {
    let fake = fake().await;
    let client = EchoClient::on(fake.channel().unwrap());
    for _ in 0..20 {
        let slow = tokio::spawn({
            let client = client.clone();
            async move { client.unary(Ask::slow(Duration::from_millis(20))).await }
        });
        client.unary(Ask::default()).await.unwrap();
        fake.front().go_away();
        client.unary(Ask::default()).await.unwrap();
        slow.await.unwrap().unwrap();
    }
    assert!(fake.front().connections_opened() > 1);
}

#[tokio::test]
async fn nothing_listens() {
    let fake = fake().await;
    fake.front().refuse_connections().unwrap();
    let status = EchoClient::on(fake.channel().unwrap())
        .unary(Ask::default())
        .await
        .unwrap_err();
    explained(&status, &["nothing listens there", fake.host()]);
}

fn explained(status: &tonic_cloud_run::tonic::Status, says: &[&str]) {
    assert_eq!(status.code(), Code::Unavailable, "{status:?}");
    for part in says {
        assert!(
            status.message().contains(part),
            "{part} is not in {status:?}"
        );
    }
    assert_eq!(
        Error::from_status(status).unwrap().kind(),
        ErrorKind::Connect
    );
}

#[tokio::test]
async fn a_name_that_does_not_resolve() {
    let channel = Channel::builder("no-such-host.invalid")
        .credentials(Credentials::none())
        .build()
        .unwrap();
    let error = channel.connect().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert!(error.to_string().contains("cannot be resolved"), "{error}");
}

#[tokio::test]
async fn an_unknown_certificate_authority() {
    let fake = fake().await;
    let channel = Channel::builder(fake.host())
        .connect_to(fake.address())
        .credentials(fake.credentials())
        .build()
        .unwrap();
    let status = EchoClient::on(channel)
        .unary(Ask::default())
        .await
        .unwrap_err();
    explained(
        &status,
        &[
            "signed by nobody this machine trusts",
            "root_certificates_pem",
        ],
    );
    assert_eq!(
        fake.front().calls_admitted() + fake.front().calls_denied(),
        0
    );
}

#[tokio::test]
async fn a_certificate_for_another_name() {
    let fake = fake().await;
    let channel = Channel::builder("somebody-else.example.com")
        .connect_to(fake.address())
        .root_certificates_pem(fake.ca_certificate_pem())
        .credentials(fake.credentials())
        .build()
        .unwrap();
    let status = EchoClient::on(channel)
        .unary(Ask::default())
        .await
        .unwrap_err();
    explained(&status, &["for other names"]);
}

#[tokio::test]
async fn a_server_without_http2() {
    let fake = fake().await;
    fake.front().set_http1_only(true);
    let status = EchoClient::on(fake.channel().unwrap())
        .unary(Ask::default())
        .await
        .unwrap_err();
    explained(&status, &["HTTP/2"]);
}

#[tokio::test]
async fn a_server_without_tls() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        use tokio::io::AsyncWriteExt as _;
        while let Ok((mut socket, _)) = listener.accept().await {
            let _ = socket.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        }
    });
    let channel = Channel::builder("example.com")
        .connect_to(address)
        .credentials(Credentials::none())
        .build()
        .unwrap();
    let error = channel.connect().await.unwrap_err();
    assert!(error.to_string().contains("does not speak TLS"), "{error}");
}

#[tokio::test]
async fn a_server_that_accepts_and_says_nothing() {
    let fake = fake().await;
    fake.front().stall_connections().unwrap();
    let channel = fake
        .channel_builder()
        .connect_timeout(Duration::from_millis(300))
        .build()
        .unwrap();
    let status = EchoClient::on(channel)
        .unary(Ask::default())
        .await
        .unwrap_err();
    explained(&status, &["not connected within 300ms"]);
}

/// A connection whose packets are dropped: neither side hears of it.
#[tokio::test]
async fn keepalive_notices_a_server_that_went_silent() {
    let fake = crate::runtimes::serve(Duration::from_secs(3600));
    let (listener, front) = (
        TcpListener::bind("127.0.0.1:0").await.unwrap(),
        fake.address(),
    );
    let channel = fake
        .channel_builder()
        .connect_to(listener.local_addr().unwrap())
        .keepalive(Duration::from_secs(10), Duration::from_secs(5))
        .build()
        .unwrap();
    let silent = Arc::new(Notify::new());
    let tunnel = tokio::spawn({
        let silent = silent.clone();
        async move {
            let (mut near, _) = listener.accept().await.unwrap();
            let mut far = TcpStream::connect(front).await.unwrap();
            tokio::select! {
                _ = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
                () = silent.notified() => std::future::pending().await,
            }
        }
    });
    let client = EchoClient::on(channel);
    client.unary(Ask::default()).await.unwrap();
    silent.notify_one();
    tokio::task::yield_now().await;
    // From here on nothing can happen but timers: the clock jumps from one to the next.
    tokio::time::pause();
    let status = client.unary(Ask::default()).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable, "{status:?}");
    assert_eq!(
        Error::from_status(&status).unwrap().kind(),
        ErrorKind::Transport
    );
    tunnel.abort();
}

async fn crowd(client: &EchoClient, calls: usize, pause: Duration) {
    let calls: Vec<_> = (0..calls)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.unary(Ask::slow(pause)).await })
        })
        .collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn where_a_connection_is_full_another_is_opened() {
    let fake = FakeCloudRun::builder()
        .max_concurrent_streams(10)
        .start(crate::echo::Echo)
        .await
        .unwrap();
    let client = EchoClient::on(fake.channel().unwrap());
    client.unary(Ask::default()).await.unwrap();
    crowd(&client, 100, Duration::from_millis(300)).await;
    let opened = fake.front().connections_opened();
    assert!(
        (5..=15).contains(&opened),
        "{opened} connections for 100 calls at once, 10 on each"
    );
    // With room on what there is nothing more is opened.
    crowd(&client, 10, Duration::ZERO).await;
    assert_eq!(fake.front().connections_opened(), opened);
}

#[tokio::test]
async fn more_calls_than_all_connections_take_wait_their_turn() {
    let fake = FakeCloudRun::builder()
        .max_concurrent_streams(2)
        .start(crate::echo::Echo)
        .await
        .unwrap();
    let client = EchoClient::on(fake.channel().unwrap());
    client.unary(Ask::default()).await.unwrap();
    crowd(&client, 300, Duration::from_millis(20)).await;
    assert!(
        fake.front().connections_opened() <= 33,
        "{} connections",
        fake.front().connections_opened()
    );
}

#[tokio::test]
async fn a_server_that_takes_no_further_connection_still_gets_the_calls() {
    let fake = FakeCloudRun::builder()
        .max_concurrent_streams(2)
        .start(crate::echo::Echo)
        .await
        .unwrap();
    let client = EchoClient::on(fake.channel().unwrap());
    let mut held = client
        .server_stream(Ask {
            times: 3,
            pause_ms: 300,
            ..Ask::default()
        })
        .await
        .unwrap();
    fake.front().set_http1_only(true);
    crowd(&client, 20, Duration::from_millis(10)).await;
    assert!(held.message().await.unwrap().is_some());
}

#[tokio::test]
async fn plaintext_is_for_loopback_and_sends_no_token() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let service = hyper::service::service_fn(|request: http::Request<_>| {
                use tonic_cloud_run::tonic::codegen::Service as _;
                crate::echo::Echo.call(request.map(tonic_cloud_run::tonic::body::Body::new))
            });
            let io = hyper_util::rt::TokioIo::new(socket);
            let executor = hyper_util::rt::TokioExecutor::new();
            tokio::spawn(
                hyper::server::conn::http2::Builder::new(executor).serve_connection(io, service),
            );
        }
    });
    let client = EchoClient::on(
        Channel::builder(address.to_string())
            .danger_plaintext_loopback()
            .build()
            .unwrap(),
    );
    let told = client.unary(Ask::text("plain")).await.unwrap();
    assert_eq!(
        (told.text.as_str(), told.authorization.as_str()),
        ("plain", "")
    );
}

#[test]
fn what_is_wrong_is_said_when_the_channel_is_built() {
    let elsewhere: SocketAddr = "192.0.2.1:80".parse().unwrap();
    let loopback: SocketAddr = "127.0.0.1:80".parse().unwrap();
    for (builder, says) in [
        (Channel::builder(""), "host"),
        (Channel::builder("http://example.com"), "http"),
        (Channel::builder("example.com").audience(""), "audience"),
        (
            Channel::builder("example.com").audience("https://a b"),
            "audience",
        ),
        (
            Channel::builder("example.com").deadline(Duration::ZERO),
            "deadline",
        ),
        (
            Channel::builder("example.com").connect_timeout(Duration::ZERO),
            "connect_timeout",
        ),
        (
            Channel::builder("example.com")
                .keepalive(Duration::from_secs(1), Duration::from_secs(1)),
            "keepalive",
        ),
        (
            Channel::builder("example.com").root_certificates_pem("nonsense"),
            "root certificates",
        ),
        (
            Channel::builder("example.com").danger_plaintext_loopback(),
            "loopback",
        ),
        (
            Channel::builder("localhost")
                .connect_to(elsewhere)
                .danger_plaintext_loopback(),
            "loopback",
        ),
        (
            Channel::builder("localhost")
                .credentials(Credentials::none())
                .danger_plaintext_loopback(),
            "credentials",
        ),
    ] {
        let shown = format!("{builder:?}");
        let error = builder
            .build()
            .err()
            .unwrap_or_else(|| panic!("{shown} was taken"));
        assert!(error.to_string().contains(says), "{shown}: {error}");
    }
    let tunnel = Channel::builder("service.example.com")
        .connect_to(loopback)
        .danger_plaintext_loopback();
    assert!(tunnel.build().is_ok());
}
