//! The channel from outside: real sockets, real TLS, real tokens, against the fake Cloud Run.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on panics"
)]

mod application_default;
mod calls;
mod certificates;
mod connections;
mod deadlines;
mod echo;
mod in_process;
mod pool;
mod proxies;
mod refusals;
mod retries;
mod runtimes;
mod tokens;
mod wire;

use tonic_cloud_run::testing::FakeCloudRun;

async fn fake() -> FakeCloudRun {
    FakeCloudRun::start(echo::Echo).await.unwrap()
}
