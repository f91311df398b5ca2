//! Application Default Credentials, found and used by google-cloud-auth, with its faults kept away from calls.
//!
//! google-cloud-auth keeps a token cache of its own: a task that dies with the runtime that built it, keeps a
//! permanent error for ever, has no time limit, judges expiry on the monotonic clock, takes an expired token for a
//! valid one and panics over a token without `exp`. None of that cache is used here. Each fetch builds fresh
//! credentials on a thread and a runtime of its own and throws all three away with the answer, so a panic, a hang
//! or a latched error ends with that fetch. It happens about once an hour.

use super::origin::Origin;
use super::{TokenError, TokenSource, google_error};
use crate::token::IdToken;
use google_cloud_auth::credentials::idtoken;
use std::time::Duration;
use tokio::sync::oneshot;

/// How long one fetch may take. A little under the cache's own limit, so that this, the better explanation, comes first.
const TIME_LIMIT: Duration = Duration::from_secs(9);

/// The credentials that google-cloud-auth finds.
pub(crate) enum ApplicationDefault {
    /// `GOOGLE_APPLICATION_CREDENTIALS`, gcloud's well-known file, or else the metadata server.
    Found,
    /// The metadata server, at the given URL or where `GCE_METADATA_HOST` says or at its usual name.
    MetadataServer { endpoint: Option<String> },
}

impl TokenSource for ApplicationDefault {
    async fn token(&self, audience: &str) -> Result<IdToken, TokenError> {
        let fetch = self.fetch(audience.to_owned());
        let (timed_out, gave_up) = (timed_out(&fetch.origin), gave_up(&fetch.origin));
        let (answer, answered) = oneshot::channel();
        std::thread::Builder::new()
            .name("id-token".to_owned())
            .spawn(move || {
                let runtime = match tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                {
                    Ok(runtime) => runtime,
                    Err(error) => {
                        let _ = answer.send(Err(no_thread(&error)));
                        return;
                    }
                };
                runtime.block_on(async {
                    let token = tokio::time::timeout(TIME_LIMIT, fetch.run()).await;
                    // Nobody waits any more where the channel was dropped; then the answer is not missed.
                    let _ = answer.send(token.unwrap_or(Err(timed_out)));
                });
                // A name lookup that hangs must not hold this thread.
                runtime.shutdown_background();
            })
            .map_err(|error| no_thread(&error))?;
        // The sender is dropped unused only where google-cloud-auth panicked.
        let token = answered.await.unwrap_or(Err(gave_up))?;
        // Some metadata servers end their answer with a newline.
        Ok(IdToken::parse(token.trim())?)
    }
}

impl ApplicationDefault {
    fn fetch(&self, audience: String) -> Fetch {
        match self {
            Self::Found => Fetch {
                audience,
                endpoint: None,
                metadata_only: false,
                origin: Origin::find(),
            },
            Self::MetadataServer { endpoint } => Fetch {
                audience,
                endpoint: endpoint.clone(),
                metadata_only: true,
                origin: Origin::metadata_server(endpoint.as_deref()),
            },
        }
    }
}

/// One fetch, as data that can go to a thread of its own.
struct Fetch {
    audience: String,
    endpoint: Option<String>,
    metadata_only: bool,
    origin: Origin,
}

impl Fetch {
    async fn run(self) -> Result<String, TokenError> {
        let credentials = if self.metadata_only {
            let builder =
                idtoken::mds::Builder::new(self.audience).with_format(idtoken::mds::Format::Full);
            match self.endpoint {
                Some(endpoint) => builder.with_endpoint(endpoint),
                None => builder,
            }
            .build()
        } else {
            idtoken::Builder::new(self.audience)
                .with_include_email()
                .build()
        }
        .map_err(|error| google_error::unusable(&error, &self.origin))?;
        credentials
            .id_token()
            .await
            .map_err(|error| google_error::failed(&error, &self.origin))
    }
}

fn timed_out(origin: &Origin) -> TokenError {
    TokenError::transient(format!(
        "{origin} gave no ID token within {} s; are it and the token endpoints of Google reachable from here?",
        TIME_LIMIT.as_secs()
    ))
}

fn gave_up(origin: &Origin) -> TokenError {
    TokenError::permanent(format!(
        "google-cloud-auth panicked over the answer of {origin}: most likely it is not an ID token (no `exp` claim)"
    ))
}

fn no_thread(error: &std::io::Error) -> TokenError {
    TokenError::transient(format!(
        "cannot start a thread to fetch an ID token: {error}"
    ))
}
