//! A fake Cloud Run for tests: front end, ID tokens and metadata server, on loopback and in this process.
//!
//! [`FakeCloudRun`] takes a tonic server and puts Cloud Run's front before it: TLS with a certificate authority of
//! its own, HTTP/2, and the check of ID tokens that Cloud Run makes. A metadata server beside it mints the
//! tokens. Both can be told to fail in the ways that the real ones do, and tell what they saw.
//!
//! ```
//! use tonic::Code;
//! use tonic_cloud_run::tonic;
//! use tonic_cloud_run::testing::{Denial, FakeCloudRun, FrontFault};
//! use tonic_health::pb::HealthCheckRequest;
//! use tonic_health::pb::health_client::HealthClient;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // Your service goes here; tonic-health's stands in for it.
//! let (_reporter, service) = tonic_health::server::health_reporter();
//! let fake = FakeCloudRun::start(service).await?;
//!
//! // Your client goes here: `BookstoreClient::from_channel(fake.channel()?)`.
//! let mut client = HealthClient::new(fake.channel()?);
//! client.check(HealthCheckRequest::default()).await?;
//! assert_eq!(fake.front().calls_admitted(), 1);
//! assert_eq!(fake.metadata().tokens_minted(), 1);
//!
//! // What does it do when its service account may not call the service any more?
//! fake.front().revoke_invoker(fake.identity());
//! let status = client.check(HealthCheckRequest::default()).await.unwrap_err();
//! assert_eq!(status.code(), Code::PermissionDenied);
//! assert_eq!(fake.front().calls_denied_for(Denial::NotInvoker), 1);
//!
//! // And when the service has too few instances?
//! fake.front().grant_invoker(fake.identity());
//! fake.front().set_fault(FrontFault::Status(429));
//! let status = client.check(HealthCheckRequest::default()).await.unwrap_err();
//! assert_eq!(status.code(), Code::Unavailable);
//! # Ok(())
//! # }
//! ```
//!
//! # What is as on Cloud Run
//!
//! * Calls need an ID token in `x-serverless-authorization` or `authorization`. The first wins, and leaves the second to
//!   the service. The token's signature is taken off before the service sees it.
//! * No token, or an identity without `roles/run.invoker`: 403. A token that is garbled, forged, expired, of another
//!   issuer or for another audience: 401. Both are answered with an HTML page, without a gRPC status.
//! * 100 concurrent calls on one HTTP/2 connection; traffic tags (`TAG---HOST`) reach the service; a request for another
//!   host is answered with 404.
//! * Tokens live one hour. They are signed with RS256 by a key that is made for each process.
//!
//! What is not: there is no leeway for clocks that differ, tokens have a `jti` claim so that no two are the same,
//! requests may take any time, and the service runs in the same process and on the same Tokio runtime.
//!
//! # Clients that know nothing of the fake
//!
//! A program of its own can be sent to the fake by its environment alone: make the fake's host `localhost`
//! ([`FakeCloudRunBuilder::host`]), give the program `localhost:PORT` as its host
//! ([`FakeCloudRun::address`] has the port), and set `SSL_CERT_FILE` to a file with
//! [`FakeCloudRun::ca_certificate_pem`] and `GCE_METADATA_HOST` to [`MetadataServer::address`].

mod builder;
mod ca;
mod denial;
mod error;
mod events;
mod fake;
mod fault;
mod front;
mod issuer;
mod keys;
mod lock;
mod metadata;
mod port;
mod server;
mod token;

pub use builder::FakeCloudRunBuilder;
pub use denial::Denial;
pub use error::Error;
pub use events::{Event, Events};
pub use fake::FakeCloudRun;
pub use fault::{FrontFault, MetadataFault};
pub use front::Front;
pub use metadata::MetadataServer;
pub use token::{TokenInfo, TokenSpec};
