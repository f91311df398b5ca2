//! A client in a `static`, used from runtimes that come and go.

use crate::echo::{Ask, Echo, EchoClient};
use std::sync::{LazyLock, OnceLock};
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tonic_cloud_run::testing::FakeCloudRun;
use tonic_cloud_run::tonic::Code;
use tonic_cloud_run::{Channel, Credentials, ErrorKind};

static FAKE: LazyLock<FakeCloudRun> = LazyLock::new(|| serve(Duration::from_secs(3600)));

/// A fake on a runtime and a thread of its own.
pub(crate) fn serve(token_lifetime: Duration) -> FakeCloudRun {
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        Runtime::new().unwrap().block_on(async move {
            let fake = FakeCloudRun::builder()
                .token_lifetime(token_lifetime)
                .start(Echo)
                .await;
            sender.send(fake.unwrap()).unwrap();
            std::future::pending::<()>().await;
        });
    });
    receiver.recv().unwrap()
}

fn current_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn multi_thread() -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}

#[test]
fn a_static_client_outlives_the_runtimes_that_use_it() {
    // Made outside any runtime.
    static CLIENT: OnceLock<EchoClient> = OnceLock::new();
    let client = CLIENT.get_or_init(|| EchoClient::on(FAKE.channel().unwrap()));
    for round in 0..6 {
        let runtime = if round % 2 == 0 {
            current_thread()
        } else {
            multi_thread()
        };
        for _ in 0..3 {
            assert_eq!(
                runtime.block_on(client.unary(Ask::text("a"))).unwrap().text,
                "a"
            );
        }
    }
}

/// google-cloud-auth's own refreshing dies with the runtime that built the credentials.
#[test]
fn tokens_are_refreshed_after_the_runtime_that_fetched_the_first_is_gone() {
    let fake = serve(Duration::from_secs(2));
    let client = EchoClient::on(fake.channel().unwrap());
    for _ in 0..4 {
        current_thread()
            .block_on(client.unary(Ask::default()))
            .unwrap();
        // Past the token's end, on the wall clock.
        std::thread::sleep(Duration::from_millis(2100));
    }
    assert_eq!(fake.metadata().tokens_minted(), 4);
    assert_eq!(fake.front().calls_denied(), 0);
}

#[test]
fn a_runtime_that_stands_still_holds_nobody_up() {
    let client = EchoClient::on(FAKE.channel().unwrap());
    let still = current_thread();
    still.block_on(client.unary(Ask::default())).unwrap();
    // Its connection is there, but nobody drives it.
    let other = current_thread();
    other.block_on(client.unary(Ask::default())).unwrap();
    still.block_on(client.unary(Ask::default())).unwrap();
}

#[test]
fn several_runtimes_at_once() {
    let client = EchoClient::on(FAKE.channel().unwrap());
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let runtime = current_thread();
                for _ in 0..20 {
                    runtime.block_on(client.unary(Ask::default())).unwrap();
                }
            });
        }
    });
}

#[test]
fn a_call_outside_a_runtime_is_an_error_and_no_panic() {
    let channel = Channel::new("example.com").unwrap();
    let client = EchoClient::on(channel.clone());
    let status = block_on(client.unary(Ask::default())).unwrap_err();
    assert_eq!(status.code(), Code::Internal);
    assert!(status.message().contains("Tokio runtime"), "{status:?}");
    assert_eq!(
        block_on(channel.connect()).unwrap_err().kind(),
        ErrorKind::InvalidConfiguration
    );
}

/// Without timers the tasks that open a connection panic. That must not go on for ever.
#[test]
fn a_runtime_without_timers_is_an_error() {
    let runtime = Builder::new_current_thread().enable_io().build().unwrap();
    let channel = FAKE
        .channel_builder()
        .credentials(Credentials::none())
        .build()
        .unwrap();
    let status = runtime
        .block_on(EchoClient::on(channel).unary(Ask::default()))
        .unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert!(status.message().contains("enable_all"), "{status:?}");
}

/// Polls a future that is ready at once.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::pin!(future).poll(&mut context) {
        std::task::Poll::Ready(value) => value,
        std::task::Poll::Pending => panic!("the future waits"),
    }
}
