//! `FakeCloudRun` from outside: driven by a bare HTTP client that shares no code with this crate's channel.
#![cfg(feature = "testing")]
// Tests may; clippy knows only the functions that are marked as such, not those that they call.
#![allow(clippy::unwrap_used)]

mod calls;
mod channel;
mod checks;
mod client;
mod connections;
mod lifecycle;
mod metadata;
mod metadata_faults;
mod service;
mod tokens;
