//! The reasons for which the front turns a call away.

use std::fmt;

/// Why the front denied a call, as Cloud Run would have.
///
/// The caller sees only an HTTP status and an HTML page; this is what a service's log would say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Denial {
    /// The host named in the request is not this service's. Answered with 404.
    UnknownHost,
    /// Neither `x-serverless-authorization` nor `authorization` is there. Answered with 403.
    MissingToken,
    /// The header does not start with `Bearer `. Answered with 401.
    NotBearer,
    /// The token is not a JSON Web Token with the claims of an ID token. Answered with 401.
    MalformedToken,
    /// The token was not signed by the issuer's key with RS256. Answered with 401.
    BadSignature,
    /// `iss` is neither `https://accounts.google.com` nor `accounts.google.com`. Answered with 401.
    WrongIssuer,
    /// The token has no `exp` claim. Answered with 401.
    MissingExpiry,
    /// The token's `exp` has been reached. Answered with 401.
    Expired,
    /// `aud` is none of the audiences that the service accepts. Answered with 401.
    WrongAudience,
    /// The token is good, but its identity lacks `roles/run.invoker`. Answered with 403.
    NotInvoker,
}

impl Denial {
    /// The HTTP status with which such a call is answered.
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::UnknownHost => 404,
            Self::MissingToken | Self::NotInvoker => 403,
            Self::NotBearer
            | Self::MalformedToken
            | Self::BadSignature
            | Self::WrongIssuer
            | Self::MissingExpiry
            | Self::Expired
            | Self::WrongAudience => 401,
        }
    }
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownHost => "no such host here",
            Self::MissingToken => "no ID token",
            Self::NotBearer => "not a bearer token",
            Self::MalformedToken => "malformed ID token",
            Self::BadSignature => "bad signature",
            Self::WrongIssuer => "wrong issuer",
            Self::MissingExpiry => "ID token without expiry",
            Self::Expired => "expired ID token",
            Self::WrongAudience => "wrong audience",
            Self::NotInvoker => "the identity lacks roles/run.invoker",
        })
    }
}
