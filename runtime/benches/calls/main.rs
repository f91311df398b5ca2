//! Whole calls against hand-written tonic: `cargo bench -p tonic-cloud-run --features testing --bench calls`.
//!
//! The baseline (1.00) is what a careful user writes today: tonic's `Channel` with TLS and an interceptor that adds a
//! cached token. Beside it, in the same run and by turns, so that a machine whose speed drifts drifts for all: the
//! generated clients' way over our channel, with the token in `authorization` and in `x-serverless-authorization`. All
//! of them call the same tonic server, which is a process of its own, so that the CPU that is counted is the client's.
//! Client and server share the machine's cores.
//!
//! `-- --quick` takes a tenth of the time, and means less. `-- --svg FILE` draws a picture.

#![allow(
    clippy::cast_precision_loss,
    reason = "statistics of counts far below 2^52"
)]

mod clients;
mod load;
mod message;
mod picture;
mod report;
mod server;

use clients::{Client, Way};
use load::{Cell, Shape};
use report::Report;
use std::time::Duration;

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == server::ROLE) {
        return server::serve();
    }
    let quick = arguments.iter().any(|it| it == "--quick");
    let svg = arguments
        .iter()
        .position(|it| it == "--svg")
        .and_then(|at| arguments.get(at + 1));
    let (rounds, time) = if quick {
        (1, Duration::from_millis(300))
    } else {
        (5, Duration::from_secs(1))
    };
    let server = server::start()?;
    let mut report = Report::default();
    for cell in Cell::all() {
        eprintln!("{cell} …");
        let mut cells: Vec<Vec<load::Outcome>> = vec![Vec::new(); Way::ALL.len()];
        for _ in 0..rounds {
            for (way, outcomes) in Way::ALL.into_iter().zip(&mut cells) {
                outcomes.push(load::run(way, &server, &cell, time)?);
            }
        }
        report.add(cell, &cells);
    }
    eprintln!("one call at a time, counted …");
    for way in Way::ALL {
        report.count(way, load::count(way, &server)?);
    }
    eprintln!("1000 calls of 50 ms, where a connection takes 100 …");
    let mut slow: Vec<Vec<load::Slow>> = vec![Vec::new(); Way::ALL.len()];
    for _ in 0..rounds {
        for (way, outcomes) in Way::ALL.into_iter().zip(&mut slow) {
            outcomes.push(load::slow(way, &server)?);
        }
    }
    report.slow(&slow);
    eprintln!("cold starts …");
    let mut cold = vec![Vec::new(); Way::ALL.len()];
    for _ in 0..rounds {
        for (way, times) in Way::ALL.into_iter().zip(&mut cold) {
            times.push(load::cold(way, &server)?);
        }
    }
    report.cold(&cold);
    println!("{report}");
    if let Some(path) = svg {
        std::fs::write(path, report.svg())?;
        println!("drawn in {path}");
    }
    Ok(())
}
