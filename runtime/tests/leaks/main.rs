//! Nothing is left behind: tasks, sockets and memory over ten thousand channels that are made, called on and dropped.
//!
//! A test binary of its own, since it counts what the whole process has.

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
use std::fs;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tonic_cloud_run::testing::FakeCloudRun;

const ROUNDS: usize = 10_000;

/// Enough for caches and pools to have reached their size.
const WARM_UP: usize = 500;

fn runtime(threads: usize) -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_all()
        .build()
        .unwrap()
}

/// The sockets that the process has open.
fn sockets() -> usize {
    fs::read_dir("/proc/self/fd")
        .unwrap()
        .filter_map(|entry| fs::read_link(entry.ok()?.path()).ok())
        .filter(|to| to.to_string_lossy().starts_with("socket:"))
        .count()
}

/// The memory that the process has in use, in bytes.
fn memory() -> usize {
    let pages: usize = fs::read_to_string("/proc/self/statm")
        .unwrap()
        .split(' ')
        .nth(1)
        .unwrap()
        .parse()
        .unwrap();
    pages * 4096
}

/// One channel's life. Every third call is dropped before its answer, every third stream before its end.
async fn live(fake: &FakeCloudRun, round: usize) {
    let client = EchoClient::on(fake.channel().unwrap());
    match round % 3 {
        0 => drop(client.unary(Ask::text("all of it")).await.unwrap()),
        1 => {
            let slow = client.unary(Ask::slow(Duration::from_secs(60)));
            let _ = tokio::time::timeout(Duration::from_millis(2), slow).await;
        }
        _ => {
            let ask = Ask {
                times: 3,
                ..Ask::default()
            };
            let mut stream = client.server_stream(ask).await.unwrap();
            stream.message().await.unwrap().unwrap();
        }
    }
}

async fn lives(fake: &FakeCloudRun, rounds: std::ops::Range<usize>) {
    for round in rounds {
        live(fake, round).await;
    }
}

/// Waits until `count` is down to `want`: a task or a socket may outlive its last use by a moment.
fn settles(what: &str, want: usize, count: impl Fn() -> usize) {
    for _ in 0..500 {
        if count() <= want {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("{} {what} are left, and there were {want} before", count());
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "counts in /proc")]
fn ten_thousand_channels_leave_nothing_behind() {
    let servers = runtime(1);
    let fake = servers.block_on(FakeCloudRun::start(Echo)).unwrap();
    let clients = runtime(1);
    clients.block_on(lives(&fake, 0..WARM_UP));
    settles("tasks", 0, || clients.metrics().num_alive_tasks());
    let (sockets_before, memory_before) = (sockets(), memory());

    clients.block_on(lives(&fake, 0..ROUNDS));

    settles("tasks", 0, || clients.metrics().num_alive_tasks());
    settles("sockets", sockets_before, sockets);
    assert_eq!(fake.front().open_connections(), 0);
    let grown = memory().saturating_sub(memory_before);
    // A leak of a kilobyte each round would be ten megabytes.
    assert!(grown < 8 << 20, "the process has grown by {grown} bytes");
}
