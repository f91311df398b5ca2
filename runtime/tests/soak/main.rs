//! At full load against a server that restarts: no call is lost that may be sent again, and none is carried out twice.
//!
//! `SOAK_SECONDS` says for how long (10 by default), `SOAK_RESTART_SECONDS` how often it restarts (2 by default).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on panics"
)]

#[path = "../end_to_end/echo.rs"]
#[allow(
    dead_code,
    reason = "a fixture shared with the end-to-end tests, which use all of it"
)]
mod echo;

use echo::{Ask, Echo, EchoClient};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};
use tokio::time::sleep;
use tonic_cloud_run::testing::FakeCloudRun;
use tonic_cloud_run::tonic::Code;

const WORKERS: usize = 128;

/// For how long the port is closed at a restart.
const DOWN: Duration = Duration::from_millis(200);

fn seconds(variable: &str, default: u64) -> Duration {
    let given = std::env::var(variable).ok().map(|text| text.parse());
    Duration::from_secs(given.transpose().unwrap().unwrap_or(default))
}

#[derive(Default)]
struct Tally {
    answered: AtomicU64,
    /// Calls that were under way when the server was killed: nobody knows whether they were carried out.
    cut_off: AtomicU64,
}

async fn load(client: EchoClient, tally: Arc<Tally>, stop: Arc<AtomicBool>) {
    while !stop.load(Relaxed) {
        match client.unary(Ask::text("on and on")).await {
            Ok(_) => tally.answered.fetch_add(1, Relaxed),
            Err(status)
                if status.code() == Code::Unavailable
                    && status
                        .message()
                        .contains("may or may not have been carried out") =>
            {
                tally.cut_off.fetch_add(1, Relaxed)
            }
            Err(status) => panic!("a call was lost that may be sent again: {status:?}"),
        };
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_restarts_under_load_loses_no_call_that_may_be_sent_again() {
    let fake = FakeCloudRun::start(Echo).await.unwrap();
    let client = EchoClient::on(fake.channel().unwrap());
    let (tally, stop) = (Arc::new(Tally::default()), Arc::new(AtomicBool::new(false)));
    let workers: Vec<_> = (0..WORKERS)
        .map(|_| tokio::spawn(load(client.clone(), tally.clone(), stop.clone())))
        .collect();
    let (whole, every) = (
        seconds("SOAK_SECONDS", 10),
        seconds("SOAK_RESTART_SECONDS", 2),
    );
    let begun = Instant::now();
    let mut restarts = BTreeMap::from([("killed", 0_u64), ("drained", 0)]);
    for round in 0.. {
        sleep(every).await;
        if begun.elapsed() >= whole {
            break;
        }
        fake.front().refuse_connections().unwrap();
        if round % 2 == 0 {
            fake.front().disconnect();
            *restarts.entry("killed").or_default() += 1;
        } else {
            fake.front().go_away();
            *restarts.entry("drained").or_default() += 1;
        }
        sleep(DOWN).await;
        fake.front().accept_connections().unwrap();
    }
    stop.store(true, Relaxed);
    for worker in workers {
        worker.await.unwrap();
    }
    let (answered, cut_off) = (tally.answered.load(Relaxed), tally.cut_off.load(Relaxed));
    println!("{answered} calls answered, {cut_off} cut off by {restarts:?}");
    let killed = restarts["killed"];
    assert!(
        cut_off <= killed * WORKERS as u64,
        "{cut_off} cut off by {killed} kills"
    );
    // What the server let in has been answered or cut off: nothing was sent twice.
    assert!(
        fake.front().calls_admitted() <= answered + cut_off,
        "{} calls came in for {answered} answered and {cut_off} cut off",
        fake.front().calls_admitted()
    );
    assert!(answered > 1000, "{answered}");
}
