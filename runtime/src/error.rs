//! The one error type: what happened, to which host, audience and identity, why most likely, and what to do next.

use std::fmt;
use std::sync::Arc;
use tonic::{Code, Status};

/// What a call, or the making of a channel, failed of.
///
/// [`Display`](fmt::Display) gives one text that says what happened, the likely cause and the next step. It never
/// contains a token or any other secret. An `Error` that ended a call travels inside the call's
/// [`tonic::Status`], where [`Error::from_status`] finds it:
///
/// ```
/// # fn example(status: &tonic_cloud_run::tonic::Status) {
/// use tonic_cloud_run::{Error, ErrorKind};
///
/// if let Some(error) = Error::from_status(status) {
///     if error.kind() == ErrorKind::Refused && error.http_status() == Some(403) {
///         eprintln!("{:?} may not call {:?}", error.identity(), error.host());
///     }
/// }
/// # }
/// ```
#[derive(Clone)]
pub struct Error(Box<Inner>);

type Source = Arc<dyn std::error::Error + Send + Sync>;

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    code: Code,
    message: String,
    host: Option<String>,
    audience: Option<String>,
    identity: Option<String>,
    http_status: Option<u16>,
    source: Option<Source>,
}

/// What kind of thing went wrong: where to look first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The host given to a constructor is not one.
    InvalidHost,
    /// A setting of the channel cannot be used.
    InvalidConfiguration,
    /// No ID token could be had.
    Credentials,
    /// No connection to the host could be made.
    Connect,
    /// Something on the way, most likely Cloud Run's front end, answered instead of the application.
    Refused,
    /// The call's deadline passed.
    Deadline,
    /// The connection broke during the call.
    Transport,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, code: Code, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            code,
            message: message.into(),
            host: None,
            audience: None,
            identity: None,
            http_status: None,
            source: None,
        }))
    }

    pub(crate) fn configuration(message: impl Into<String>) -> Self {
        Self::new(
            ErrorKind::InvalidConfiguration,
            Code::InvalidArgument,
            message,
        )
    }

    pub(crate) fn with_host(mut self, host: impl fmt::Display) -> Self {
        self.0.host = Some(host.to_string());
        self
    }

    /// Adds what else there is to say.
    pub(crate) fn noting(mut self, note: &str) -> Self {
        self.0.message.push_str("; ");
        self.0.message.push_str(note);
        self
    }

    pub(crate) fn with_audience(mut self, audience: &str) -> Self {
        self.0.audience = Some(audience.to_owned());
        self
    }

    pub(crate) fn with_identity(mut self, identity: Option<&str>) -> Self {
        self.0.identity = identity.map(str::to_owned);
        self
    }

    pub(crate) fn with_http_status(mut self, status: http::StatusCode) -> Self {
        self.0.http_status = Some(status.as_u16());
        self
    }

    pub(crate) fn with_source(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.0.source = Some(Arc::from(source.into()));
        self
    }

    /// The error that ended the call with `status`, if it was one of this crate's and not the application's own.
    #[must_use]
    pub fn from_status(status: &Status) -> Option<&Self> {
        causes(status).find_map(|error| error.downcast_ref())
    }

    /// What kind of thing went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The gRPC status code that a call ends with because of this error.
    #[must_use]
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// Whether the same call may well succeed a little later, with nothing changed.
    ///
    /// True for everything that gRPC calls UNAVAILABLE: no connection, a metadata server that is not up yet, a
    /// service that is scaling up.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        self.0.code == Code::Unavailable
    }

    /// Whether the call's deadline passed.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        self.0.kind == ErrorKind::Deadline
    }

    /// The host that was called, `name` or `name:port`.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        self.0.host.as_deref()
    }

    /// The audience of the ID token that was asked for or sent.
    #[must_use]
    pub fn audience(&self) -> Option<&str> {
        self.0.audience.as_deref()
    }

    /// The caller, as far as a token told: its `email` claim, or else its `sub`.
    #[must_use]
    pub fn identity(&self) -> Option<&str> {
        self.0.identity.as_deref()
    }

    /// The HTTP status of the answer that was not gRPC.
    #[must_use]
    pub fn http_status(&self) -> Option<u16> {
        self.0.http_status
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

/// Shows the same text as [`Display`](fmt::Display), for `fn main() -> Result<(), Error>` and `unwrap`, and the causes.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.0.kind, self.0.message)?;
        causes(self)
            .skip(1)
            .try_for_each(|error| write!(f, "\n  caused by: {error}"))
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

impl From<crate::host::HostError> for Error {
    fn from(error: crate::host::HostError) -> Self {
        Self::new(
            ErrorKind::InvalidHost,
            Code::InvalidArgument,
            error.to_string(),
        )
        .with_source(error)
    }
}

/// The status carries the error as its source, for [`Error::from_status`].
impl From<Error> for Status {
    fn from(error: Error) -> Self {
        let mut status = Self::new(error.0.code, error.0.message.clone());
        status.set_source(Arc::new(error));
        status
    }
}

/// An error and what caused it, the root cause last.
pub(crate) fn causes<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    let mut next = Some(error);
    std::iter::from_fn(move || {
        let error = next?;
        next = error.source();
        Some(error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Error {
        Error::new(
            ErrorKind::Connect,
            Code::Unavailable,
            "cannot connect to h: refused",
        )
        .with_host("h")
        .with_audience("https://h")
        .with_identity(Some("me@example.com"))
        .with_source(std::io::Error::other("refused"))
    }

    #[test]
    fn a_status_leads_back_to_its_error() {
        let status = Status::from(sample());
        assert_eq!(status.code(), Code::Unavailable);
        assert_eq!(status.message(), "cannot connect to h: refused");
        let error = Error::from_status(&status).unwrap();
        assert_eq!(error.kind(), ErrorKind::Connect);
        assert_eq!(error.host(), Some("h"));
        assert_eq!(error.audience(), Some("https://h"));
        assert_eq!(error.identity(), Some("me@example.com"));
        assert!(error.is_transient());
        assert!(!error.is_timeout());
    }

    #[test]
    fn a_status_of_the_application_has_none() {
        assert!(Error::from_status(&Status::not_found("no such book")).is_none());
    }

    #[test]
    fn debug_names_the_causes() {
        assert_eq!(
            format!("{:?}", sample()),
            "Connect: cannot connect to h: refused\n  caused by: refused"
        );
    }
}
