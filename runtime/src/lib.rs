//! gRPC clients for Google Cloud Run: a [`Channel`] with TLS and ID tokens that refresh themselves.
//!
//! The typed clients that `tonic-cloud-run-build` generates from `.proto` files run on it and are made with **one
//! argument, the host**. Any other tonic client runs on it too: [`Channel`] is a `tower` service.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use tonic_cloud_run::Channel;
//!
//! let channel = Channel::new("bookstore-7x2kq-uc.a.run.app")?; // no I/O, no Tokio runtime needed
//! channel.connect().await?; // optional: fail now rather than at the first call
//! # Ok(())
//! # }
//! ```
//!
//! # The data's way
//!
//! ```text
//! generated method ─► channel (deadline) ─► network (token header, attempts) ─► connection (TLS, HTTP/2)
//!                          │                                                      │
//!                          ├── cache ─► source (Application Default Credentials)  ▼
//!                          └────────────◄─ status (what the front end meant) ◄─ answer
//! ```
//!
//! # Features
//!
//! | feature | what it adds |
//! |---|---|
//! | `gzip`, `deflate`, `zstd` | message compression, as tonic's features of the same names |
//! | `opentelemetry` | metrics by gRPC's names (gRFCs A66, A94, A96) from the global meter provider, and W3C trace context passed on |
//! | `testing` | [`testing`](https://docs.rs/tonic-cloud-run/latest/tonic_cloud_run/testing/): Cloud Run's front end and metadata server on loopback |
//!
//! # Telemetry
//!
//! A channel tells `tracing` what happens to it, under names that stay, with the target `tonic_cloud_run`. No field ever
//! holds a token or another secret.
//!
//! | name | level | when | fields |
//! |---|---|---|---|
//! | `connection.opened` | DEBUG | a connection is ready | `host`, `connection`, `took_ms` |
//! | `connection.failed` | WARN | none could be made | `host`, `error`, `took_ms`, `next_attempt_ms` |
//! | `connection.closed` | DEBUG | one has ended | `host`, `connection`, `why` |
//! | `token.refreshed` | DEBUG | an ID token was obtained | `audience`, `identity`, `lives_s` |
//! | `token.failed` | WARN | none could be obtained | `audience`, `error` |
//! | `call.resent` | DEBUG | a call that never reached the application is sent again | `host`, `path`, `resend`, `why` |
//! | `call.retried` | DEBUG | a service config lets a failed call be made again | `host`, `path`, `attempt`, `code`, `pause_ms` |
//!
//! Every call runs in a span `call` (DEBUG) with `host`, `path` and, in the end, `code`; for a stream of answers it ends
//! where they begin.
//!
//! With the feature `opentelemetry` it counts for the global meter provider what gRPC's own libraries count: gRFC A66
//! (`grpc.client.attempt.started`, `.attempt.duration`, `.attempt.sent_total_compressed_message_size`,
//! `.attempt.rcvd_total_compressed_message_size`, `.call.duration`), A94 (`grpc.subchannel.open_connections`,
//! `.connection_attempts_succeeded`, `.connection_attempts_failed`, `.disconnections`) and A96
//! (`grpc.client.call.retries`, `.transparent_retries`, `.retry_delay`), and passes the caller's trace context on. Set the
//! provider before the first call. Without the feature none of it is compiled.
//!
//! `cargo run -p tonic-cloud-run --example telemetry --features testing,opentelemetry` shows both in a terminal.

mod backoff;
mod cache;
mod channel;
mod clock;
#[doc(hidden)]
pub mod codegen;
mod credentials;
mod deadline;
mod error;
mod host;
mod retry;
mod service_config;
mod source;
mod status;
mod telemetry;
#[cfg(feature = "testing")]
pub mod testing;
mod token;

pub use channel::{Channel, ChannelBuilder, TokenHeader};
pub use credentials::Credentials;
pub use error::{Error, ErrorKind};
pub use host::{Host, HostError};
pub use source::{TokenError, TokenSource};
pub use token::{IdToken, IdTokenError};

pub use prost;
pub use prost_types;
pub use tonic;
/// The details of a status (`grpc-status-details-bin`, the messages of `google.rpc`), typed: what a server that
/// follows Google's [error model] says beyond code and text.
///
/// ```
/// # fn example(status: &tonic_cloud_run::tonic::Status) {
/// use tonic_cloud_run::tonic_types::StatusExt;
///
/// if let Some(bad_request) = status.get_details_bad_request() {
///     for violation in bad_request.field_violations {
///         eprintln!("{}: {}", violation.field, violation.description);
///     }
/// }
/// # }
/// ```
///
/// [error model]: https://cloud.google.com/apis/design/errors#error_model
#[doc(inline)]
pub use tonic_types;

/// Includes the code that `tonic-cloud-run-build` generated for a protobuf package.
///
/// ```ignore
/// // needs a build script, so it cannot run here; see the crate's README
/// pub mod bookstore {
///     tonic_cloud_run::include_proto!("bookstore.v1");
/// }
/// ```
#[macro_export]
macro_rules! include_proto {
    ($package:tt) => {
        include!(concat!(env!("OUT_DIR"), "/", $package, ".rs"));
    };
}
