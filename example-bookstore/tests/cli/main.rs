//! The program from outside: its commands against `serve` and against a fake Cloud Run, the server's end,
//! the demonstration.

#![expect(
    clippy::unwrap_used,
    reason = "what only tests call may fail as tests do"
)]

/// Messages and client, as the program itself has them.
pub mod bookstore {
    tonic_cloud_run::include_proto!("bookstore.v1");
}

mod arguments;
mod cloud;
mod commands;
mod demo;
mod process;
#[cfg(unix)]
mod serve;
#[cfg(unix)]
mod streams;
