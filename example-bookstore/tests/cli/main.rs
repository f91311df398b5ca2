//! The program from outside: its commands against `serve` and against a fake Cloud Run, the server's end,
//! the demonstration.

#![expect(
    clippy::unwrap_used,
    reason = "what only tests call may fail as tests do"
)]

mod arguments;
mod cloud;
mod commands;
mod demo;
mod process;
#[cfg(unix)]
mod streams;
