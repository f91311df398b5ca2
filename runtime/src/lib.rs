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
//! | `testing` | [`testing`](https://docs.rs/tonic-cloud-run/latest/tonic_cloud_run/testing/): Cloud Run's front end and metadata server on loopback |

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
