//! How many connections there are, what happens while there is none, and how they end.

use crate::echo::{Ask, Echo, EchoClient};
use crate::fake;
use std::net::TcpListener;
use std::time::Duration;
use tokio::time::timeout;
use tonic_cloud_run::testing::FakeCloudRun;
use tonic_cloud_run::tonic::Code;
use tonic_cloud_run::{Channel, Credentials, Error, ErrorKind};

const LONG: Duration = Duration::from_secs(30);

/// Makes calls that all are open at once.
async fn at_once(client: &EchoClient, calls: usize) {
    let calls: Vec<_> = (0..calls)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.unary(Ask::slow(Duration::from_millis(300))).await })
        })
        .collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn one_connection_is_enough_for_few_calls_and_busy_ones_get_one_more_than_there_are_threads()
{
    let fake = FakeCloudRun::builder()
        .max_concurrent_streams(1000)
        .start(Echo)
        .await
        .unwrap();
    let client = EchoClient::on(fake.channel().unwrap());
    client.unary(Ask::default()).await.unwrap();
    at_once(&client, 50).await;
    assert_eq!(fake.front().connections_opened(), 1);
    // It is not for want of room.
    for _ in 0..3 {
        at_once(&client, 400).await;
    }
    assert_eq!(fake.front().connections_opened(), 2);
}

#[tokio::test]
async fn a_crowd_that_arrives_before_there_is_a_connection_opens_as_many_as_it_fills() {
    let fake = FakeCloudRun::builder()
        .max_concurrent_streams(10)
        .start(Echo)
        .await
        .unwrap();
    let client = EchoClient::on(fake.channel().unwrap());
    at_once(&client, 100).await;
    let opened = fake.front().connections_opened();
    assert!(
        (5..=15).contains(&opened),
        "{opened} for 100 calls, 10 on each"
    );
}

#[tokio::test]
async fn while_it_backs_off_calls_fail_at_once_and_say_when_the_next_attempt_is() {
    let fake = fake().await;
    fake.front().refuse_connections().unwrap();
    let client = EchoClient::on(fake.channel().unwrap());
    let first = client.unary(Ask::default()).await.unwrap_err();
    assert!(!first.message().contains("next attempt"), "{first:?}");
    let second = client.unary(Ask::default()).await.unwrap_err();
    assert_eq!(second.code(), Code::Unavailable);
    assert!(second.message().starts_with(first.message()), "{second:?}");
    assert!(
        second.message().contains("the next attempt is made in"),
        "{second:?}"
    );
    // And it is made, with no call to wait for it.
    fake.front().restart().unwrap();
    let found = async {
        while client.unary(Ask::default()).await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(LONG, found).await.unwrap();
}

#[tokio::test]
async fn calls_wait_for_a_server_that_restarts() {
    let fake = fake().await;
    let client = EchoClient::on(fake.channel().unwrap());
    client.unary(Ask::default()).await.unwrap();
    fake.front().refuse_connections().unwrap();
    fake.front().go_away();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let call = tokio::spawn({
        let client = client.clone();
        async move { client.unary(Ask::default()).await }
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!call.is_finished());
    fake.front().restart().unwrap();
    timeout(LONG, call).await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn a_storm_of_goaways_fails_no_call() {
    let fake = fake().await;
    let client = EchoClient::on(fake.channel().unwrap());
    let callers: Vec<_> = (0..64)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move {
                for _ in 0..40 {
                    client
                        .unary(Ask::slow(Duration::from_millis(5)))
                        .await
                        .unwrap();
                }
            })
        })
        .collect();
    while callers.iter().any(|caller| !caller.is_finished()) {
        fake.front().go_away();
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    for caller in callers {
        caller.await.unwrap();
    }
    assert_eq!(
        fake.front().calls_admitted(),
        64 * 40,
        "each was carried out once"
    );
    assert!(fake.front().connections_opened() > 10);
}

#[tokio::test]
async fn no_more_than_so_many_calls_wait_for_room() {
    let fake = FakeCloudRun::builder()
        .max_concurrent_streams(1)
        .start(Echo)
        .await
        .unwrap();
    let client = EchoClient::on(fake.channel().unwrap());
    client.unary(Ask::default()).await.unwrap();
    // What there is takes one call, and nothing more can be opened.
    fake.front().set_http1_only(true);
    let waiting: Vec<_> = (0..1100)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.unary(Ask::slow(Duration::from_millis(2))).await })
        })
        .collect();
    let mut refused = 0;
    for call in waiting {
        if let Err(status) = call.await.unwrap() {
            assert_eq!(status.code(), Code::ResourceExhausted, "{status:?}");
            assert!(status.message().contains("calls to"), "{status:?}");
            assert!(status.message().contains("wait already"), "{status:?}");
            refused += 1;
        }
    }
    assert!((1..=100).contains(&refused), "{refused} were refused");
}

#[tokio::test]
async fn closing_lets_calls_end_and_takes_no_more() {
    let fake = fake().await;
    let channel = fake.channel().unwrap();
    let client = EchoClient::on(channel.clone());
    client.unary(Ask::default()).await.unwrap();
    let under_way = tokio::spawn({
        let client = client.clone();
        async move { client.unary(Ask::slow(Duration::from_millis(300))).await }
    });
    let mut stream = client
        .server_stream(Ask {
            times: 3,
            ..Ask::default()
        })
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let closing = tokio::spawn({
        let channel = channel.clone();
        async move { channel.close().await }
    });
    under_way.await.unwrap().unwrap();
    assert!(!closing.is_finished(), "a stream is open");
    let status = client.unary(Ask::default()).await.unwrap_err();
    assert_eq!(status.code(), Code::Cancelled);
    let error = Error::from_status(&status).unwrap();
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert!(error.to_string().contains("has been closed"), "{error}");
    while stream.message().await.unwrap().is_some() {}
    drop(stream);
    timeout(LONG, closing).await.unwrap().unwrap();
    // Again, and from another clone: nothing is left to be closed.
    timeout(LONG, channel.clone().close()).await.unwrap();
}

#[tokio::test]
async fn closing_ends_calls_that_wait_for_a_connection() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let channel = Channel::builder(format!("127.0.0.1:{}", silent.local_addr().unwrap().port()))
        .credentials(Credentials::none())
        .build()
        .unwrap();
    let client = EchoClient::on(channel.clone());
    let call = tokio::spawn(async move { client.unary(Ask::default()).await });
    tokio::time::sleep(Duration::from_millis(50)).await;
    timeout(LONG, channel.close()).await.unwrap();
    let status = timeout(LONG, call).await.unwrap().unwrap().unwrap_err();
    assert_eq!(status.code(), Code::Cancelled, "{status:?}");
}

#[test]
fn closing_closes_the_connections_of_other_runtimes() {
    let runtime = || {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap()
    };
    let (one, other, third) = (runtime(), runtime(), runtime());
    let fake = one.block_on(fake());
    let channel = fake.channel().unwrap();
    let client = EchoClient::on(channel.clone());
    for runtime in [&one, &other, &third] {
        runtime.block_on(client.unary(Ask::default())).unwrap();
    }
    assert_eq!(fake.front().connections_opened(), 3);
    // One that is gone has nothing to close.
    drop(third);
    one.block_on(async { timeout(LONG, channel.close()).await })
        .unwrap();
    // A task is counted a moment longer than it runs.
    one.block_on(async {
        let ended = async {
            while other.metrics().num_alive_tasks() > 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(LONG, ended).await.unwrap();
    });
}
