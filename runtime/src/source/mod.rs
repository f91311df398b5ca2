//! Where ID tokens come from.

pub(crate) mod application_default;
mod google_error;
mod origin;

use crate::token::{IdToken, IdTokenError};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// Obtains ID tokens for an audience.
///
/// A source only fetches. Caching, refreshing ahead of the end, single flight, time limits and back-off are the
/// channel's work, so a source is called about once an hour, and may fail, hang or panic without harm to the calls
/// that still have a valid token.
///
/// ```
/// use tonic_cloud_run::{Channel, Credentials, IdToken, TokenError, TokenSource};
///
/// struct FromFile(std::path::PathBuf);
///
/// impl TokenSource for FromFile {
///     async fn token(&self, _audience: &str) -> Result<IdToken, TokenError> {
///         let text = std::fs::read_to_string(&self.0)
///             .map_err(|e| TokenError::transient(format!("cannot read {}: {e}", self.0.display())))?;
///         Ok(IdToken::parse(text.trim())?)
///     }
/// }
///
/// let channel = Channel::builder("bookstore-7x2kq-uc.a.run.app")
///     .credentials(Credentials::from_source(FromFile("/var/run/token".into())))
///     .build()?;
/// # Ok::<(), tonic_cloud_run::Error>(())
/// ```
pub trait TokenSource: Send + Sync + 'static {
    /// Fetches a token whose `aud` claim is `audience`.
    ///
    /// Runs as a task of the Tokio runtime of the call that needs the token, for at most 10 seconds.
    ///
    /// # Errors
    /// A [`TokenError`] that says whether trying again can help.
    fn token(&self, audience: &str) -> impl Future<Output = Result<IdToken, TokenError>> + Send;
}

/// Why a [`TokenSource`] gave no token.
#[derive(Clone, Debug)]
pub struct TokenError {
    message: String,
    transient: bool,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl TokenError {
    /// A failure that may be gone at the next attempt: a server not up yet, a network fault, HTTP 429 or 5xx.
    ///
    /// It is retried for a few seconds; calls that it ends get UNAVAILABLE.
    pub fn transient(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            transient: true,
            source: None,
        }
    }

    /// A failure that stays until somebody changes something: no credentials, no permission, a malformed token.
    ///
    /// It is not retried at once, yet never held for ever; calls that it ends get UNAUTHENTICATED.
    pub fn permanent(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            transient: false,
            source: None,
        }
    }

    /// The same with the error that caused it, for [`source`](std::error::Error::source).
    #[must_use]
    pub fn with_source(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.source = Some(Arc::from(source.into()));
        self
    }

    /// Whether trying again may help.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        self.transient
    }
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for TokenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

impl From<IdTokenError> for TokenError {
    fn from(error: IdTokenError) -> Self {
        Self::permanent(format!(
            "the token that was obtained is not an ID token: {error}"
        ))
        .with_source(error)
    }
}

/// A boxed answer of a source.
pub(crate) type TokenFuture<'a> =
    Pin<Box<dyn Future<Output = Result<IdToken, TokenError>> + Send + 'a>>;

/// [`TokenSource`] with its type erased.
pub(crate) trait DynTokenSource: Send + Sync + 'static {
    fn token<'a>(&'a self, audience: &'a str) -> TokenFuture<'a>;
}

impl<T: TokenSource> DynTokenSource for T {
    fn token<'a>(&'a self, audience: &'a str) -> TokenFuture<'a> {
        Box::pin(TokenSource::token(self, audience))
    }
}
