//! Application Default Credentials, found and used by google-cloud-auth, with its faults kept away from calls.
//!
//! google-cloud-auth keeps a token cache of its own: a task that dies with the runtime that built it, keeps a
//! permanent error for ever, has no time limit, judges expiry on the monotonic clock, takes an expired token for a
//! valid one and panics over a token without `exp`. None of that cache is used here. Each fetch builds fresh
//! credentials on a thread and a runtime of its own and throws all three away with the answer, so a panic, a hang
//! or a latched error ends with that fetch. It happens about once an hour.

use super::{TokenError, TokenSource};
use crate::error::causes;
use crate::token::IdToken;
use google_cloud_auth::build_errors::Error as BuildError;
use google_cloud_auth::credentials::idtoken;
use google_cloud_auth::errors::CredentialsError;
use google_cloud_gax::error::Error as GaxError;
use std::error::Error as StdError;
use std::time::Duration;
use tokio::sync::oneshot;

/// How long one fetch may take. A little under the cache's own limit, so that this, the better explanation, comes first.
const TIME_LIMIT: Duration = Duration::from_secs(9);

/// What went wrong is said in this many characters of a server's answer at most.
const LONGEST_QUOTE: usize = 300;

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
                        let _ = answer.send(Err(resource(&error)));
                        return;
                    }
                };
                runtime.block_on(async {
                    let token = tokio::time::timeout(TIME_LIMIT, fetch.run()).await;
                    // Nobody waits any more where the channel was dropped; then the answer is not missed.
                    let _ = answer.send(token.unwrap_or_else(|_| Err(timed_out())));
                });
                // A name lookup that hangs must not hold this thread.
                runtime.shutdown_background();
            })
            .map_err(|error| resource(&error))?;
        // The sender is dropped unused only where google-cloud-auth panicked.
        let token = answered.await.unwrap_or_else(|_| Err(panicked()))?;
        Ok(IdToken::parse(token)?)
    }
}

impl ApplicationDefault {
    fn fetch(&self, audience: String) -> Fetch {
        match self {
            Self::Found => Fetch {
                audience,
                endpoint: None,
                metadata_only: false,
            },
            Self::MetadataServer { endpoint } => Fetch {
                audience,
                endpoint: endpoint.clone(),
                metadata_only: true,
            },
        }
    }
}

/// One fetch, as data that can go to a thread of its own.
struct Fetch {
    audience: String,
    endpoint: Option<String>,
    metadata_only: bool,
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
        .map_err(unusable)?;
        credentials.id_token().await.map_err(failed)
    }
}

/// Where the credentials were looked for, to be named in errors.
fn searched() -> String {
    match std::env::var_os("GOOGLE_APPLICATION_CREDENTIALS") {
        Some(path) => format!("the file {} that GOOGLE_APPLICATION_CREDENTIALS names", path.display()),
        None => match std::env::var("GCE_METADATA_HOST") {
            Ok(host) => format!("gcloud's application_default_credentials.json or the metadata server at {host} (GCE_METADATA_HOST)"),
            Err(_) => "gcloud's application_default_credentials.json or the metadata server metadata.google.internal".to_owned(),
        },
    }
}

fn unusable(error: BuildError) -> TokenError {
    let next_step = if error.is_not_supported() || error.is_unknown_type() {
        "this kind of credentials gives no ID tokens here: use a service account key, the metadata server, or \
         `gcloud auth application-default login --impersonate-service-account=SERVICE_ACCOUNT_EMAIL`"
    } else if error.is_loading() {
        "check that GOOGLE_APPLICATION_CREDENTIALS names a file that this process can read, or unset it"
    } else {
        "check that the file is an unchanged credentials file as gcloud or the console wrote it"
    };
    TokenError::permanent(format!(
        "the credentials in {} cannot be used: {}; {next_step}",
        searched(),
        chain(&error)
    ))
    .with_source(error)
}

fn failed(error: CredentialsError) -> TokenError {
    let status = http_status(&error);
    let text = chain(&error);
    let message = match status {
        Some(status) => format!("{} answered HTTP {status}: {text}", searched()),
        None => format!("no ID token from {}: {text}", searched()),
    };
    // A metadata server that is still starting answers 404 too, and nothing says so but time.
    let transient = error.is_transient() || (status == Some(404) && is_metadata(&error));
    let message = if is_unresolved(&text) {
        format!(
            "{message}; outside Google Cloud there is no metadata server: run `gcloud auth application-default login \
             --impersonate-service-account=SERVICE_ACCOUNT_EMAIL`, or set GOOGLE_APPLICATION_CREDENTIALS to a service \
             account key file"
        )
    } else {
        message
    };
    if transient {
        TokenError::transient(message)
    } else {
        TokenError::permanent(message)
    }
    .with_source(error)
}

fn timed_out() -> TokenError {
    TokenError::transient(format!(
        "no ID token from {} within {} s; is the metadata server or the token endpoint reachable from here?",
        searched(),
        TIME_LIMIT.as_secs()
    ))
}

fn panicked() -> TokenError {
    TokenError::permanent(format!(
        "google-cloud-auth gave up over the answer of {}: most likely what it got is not an ID token (no `exp` claim)",
        searched()
    ))
}

fn resource(error: &std::io::Error) -> TokenError {
    TokenError::transient(format!(
        "cannot start a thread to fetch an ID token: {error}"
    ))
}

/// Whether the credentials can only be the metadata server's.
fn is_metadata(error: &(dyn StdError + 'static)) -> bool {
    // google-cloud-auth says so of metadata requests alone.
    causes(error).any(|e| e.to_string().contains("failed to fetch id token")) && {
        std::env::var_os("GOOGLE_APPLICATION_CREDENTIALS").is_none()
    }
}

fn is_unresolved(text: &str) -> bool {
    text.contains("dns error") || text.contains("failed to lookup address")
}

fn http_status(error: &(dyn StdError + 'static)) -> Option<u16> {
    causes(error).find_map(|e| {
        e.downcast_ref::<GaxError>()
            .and_then(GaxError::http_status_code)
    })
}

/// The causes in one line, without repetitions and not longer than it helps.
fn chain(error: &(dyn StdError + 'static)) -> String {
    let mut text = String::new();
    for part in causes(error).map(ToString::to_string) {
        if text.contains(&part) {
            continue;
        }
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&part);
    }
    if let Some((end, _)) = text.char_indices().nth(LONGEST_QUOTE) {
        text.truncate(end);
        text.push('…');
    }
    text
}
