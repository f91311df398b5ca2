//! The program from outside: its commands against `serve`, the server's end, the demonstration.

#![expect(
    clippy::unwrap_used,
    reason = "what only tests call may fail as tests do"
)]

mod commands;
mod demo;
mod process;
#[cfg(unix)]
mod streams;
