//! The client under test of the [Connect conformance suite]: made by this project's generator, on this project's runtime.
//!
//! Each message on standard input describes a call to a server of the suite; the outcome of each goes to standard output,
//! and the suite judges it. See `run` beside this crate.
//!
//! [Connect conformance suite]: https://github.com/connectrpc/conformance

/// The suite's messages and the client of its service, generated from its protos.
mod suite {
    tonic_cloud_run::include_proto!("connectrpc.conformance.v1");
}

mod call;
mod cancel;
mod clients;
mod details;
mod download;
mod frames;
mod headers;
mod outcome;
mod unpack;
mod upload;

use cancel::Means;
use clients::Clients;
use std::io;
use std::process::ExitCode;
use std::sync::Arc;
use suite::ClientCompatRequest;
use tokio::io::{BufReader, BufWriter, stdin, stdout};
use tokio::sync::{Mutex, Semaphore};
use tokio::task::JoinSet;

/// Calls under way at once: enough to share a connection, and few enough to be on time on a busy machine, since the suite
/// takes a deadline that reaches its server half a second late for a fault.
const AT_ONCE: usize = 8;

#[tokio::main]
async fn main() -> ExitCode {
    let means = match std::env::args().nth(1).as_deref() {
        None => Means::Drop,
        Some("--cancel-with-handle") => Means::Handle,
        Some(other) => {
            eprintln!("conformance: there is no option {other}; there is --cancel-with-handle");
            return ExitCode::FAILURE;
        }
    };
    match serve(means).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("conformance: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Makes the calls that standard input asks for, until it ends and all are done.
async fn serve(means: Means) -> io::Result<()> {
    let mut input = BufReader::new(stdin());
    let output = Arc::new(Mutex::new(BufWriter::new(stdout())));
    let clients = Arc::new(Clients::default());
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut calls = JoinSet::new();
    while let Some(request) = frames::read::<ClientCompatRequest>(&mut input).await? {
        let place = places
            .clone()
            .acquire_owned()
            .await
            .map_err(io::Error::other)?;
        let (clients, output) = (clients.clone(), output.clone());
        calls.spawn(async move {
            let response = Box::pin(call::run(request, &clients, means)).await;
            drop(place);
            frames::write(&response, &mut *output.lock().await).await
        });
        while let Some(done) = calls.try_join_next() {
            done??;
        }
    }
    while let Some(done) = calls.join_next().await {
        done??;
    }
    Ok(())
}
