//! What can be wrong with an ID token. No text here shows any of the token: it may be a valid one, cut in half.

use super::MAX_LEN;
use std::fmt;

/// Why a text is not an [`IdToken`](super::IdToken).
///
/// Its text names the fault, a likely cause and what to do, and contains nothing of the token itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdTokenError {
    fault: Fault,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    Empty,
    TooLong(usize),
    Padded,
    NotAJwt(usize),
    EmptyPart(Part),
    NotBase64(Part),
    NotAnObject(Part),
    SignatureRemoved,
    NoExpiry,
    ExpiryNotANumber,
    ExpiryOutOfRange,
    NotAString(&'static str),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Header,
    Payload,
    Signature,
}

impl From<Fault> for IdTokenError {
    fn from(fault: Fault) -> Self {
        Self { fault }
    }
}

impl std::error::Error for IdTokenError {}

impl fmt::Display for IdTokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const ASK: &str =
            "ask the source of the credentials for an ID token for the service's audience";
        match self.fault {
            Fault::Empty => write!(f, "the ID token is empty: {ASK}"),
            Fault::TooLong(len) => write!(
                f,
                "the ID token has {len} bytes, and more than {MAX_LEN} are not read: it is probably something else, such \
                 as an error page; {ASK}"
            ),
            Fault::Padded => f.write_str(
                "the ID token has white space around it, such as the line end of a file: trim it before it is parsed",
            ),
            Fault::NotAJwt(parts) => write!(
                f,
                "the ID token is not a JWT: it has {parts} of the 3 parts between dots; it may be an access token, an \
                 encrypted token or an error message: {ASK}"
            ),
            Fault::EmptyPart(part) => write!(f, "the ID token has an empty {part}: it was cut off or is unsigned; {ASK}"),
            Fault::NotBase64(part) => write!(
                f,
                "the ID token's {part} is not base64url without padding: it was changed or cut off on its way; {ASK}"
            ),
            Fault::NotAnObject(part) => write!(
                f,
                "the ID token's {part} is not a JSON object: it was changed or cut off on its way, or it is another \
                 kind of token; {ASK}"
            ),
            Fault::SignatureRemoved => f.write_str(
                "the ID token has no signature any more: Cloud Run removed it from a token that came in with a request, \
                 and such a token cannot be used again; let the service call with its own credentials",
            ),
            Fault::NoExpiry => write!(
                f,
                "the ID token has no exp claim, so that nobody can tell when to replace it: it is another kind of token, \
                 or its issuer does not follow OpenID Connect; {ASK}"
            ),
            Fault::ExpiryNotANumber => write!(
                f,
                "the ID token's exp claim is not a number: its issuer must write seconds since 1970 (RFC 7519, \
                 section 4.1.4); {ASK}"
            ),
            Fault::ExpiryOutOfRange => write!(
                f,
                "the ID token's exp claim is before 1970 or after 9999: its issuer must write seconds since 1970, not \
                 milliseconds (RFC 7519, section 4.1.4); {ASK}"
            ),
            Fault::NotAString(claim) => write!(
                f,
                "the ID token's {claim} claim is not a string: its issuer does not follow RFC 7519; {ASK}"
            ),
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Header => "header",
            Self::Payload => "payload",
            Self::Signature => "signature",
        })
    }
}
