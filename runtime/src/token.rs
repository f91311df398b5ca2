//! An ID token: who calls whom until when, and the secret that proves it.

mod claims;
mod fault;
mod lifetime;
#[cfg(test)]
mod properties;
#[cfg(test)]
pub(crate) mod tests;

use claims::Claims;
use fault::{Fault, Part};
use std::fmt;
use std::time::SystemTime;
use zeroize::Zeroizing;

pub use fault::IdTokenError;
pub(crate) use lifetime::{Freshness, Lifetime};

/// The longest token that is read, in bytes. Google's have about 1,000; a header much longer than this is refused by
/// servers anyway.
const MAX_LEN: usize = 16 * 1024;
/// What Cloud Run puts in the place of the signature of a token that it hands to the container.
const REMOVED_SIGNATURE: &str = "SIGNATURE_REMOVED_BY_GOOGLE";

/// An [OpenID Connect][oidc] ID token, as Cloud Run accepts it: a signed JWT (RFC 7519).
///
/// It is a password for as long as it lives: `Debug` shows the claims without the token itself, there is no `Display`,
/// and the memory is overwritten when the last use of it ends.
///
/// The signature is not checked here. That is for the service that the token is shown to; the claims are read to know
/// when the token ends, and to name the caller in errors.
///
/// [oidc]: https://openid.net/specs/openid-connect-core-1_0.html#IDToken
#[derive(Clone)]
pub struct IdToken {
    secret: Zeroizing<String>,
    claims: Claims,
}

impl IdToken {
    /// Reads a token in the JWS compact serialization: `header.payload.signature`, each part in base64url without
    /// padding.
    ///
    /// The payload must have an `exp` claim: a number of seconds since 1970, of which fractions are dropped. Of the
    /// other claims, `aud` (one or several), `iss`, `email` and `sub` must be strings if they are there. An `iat` that
    /// is no time is taken as absent.
    ///
    /// # Errors
    ///
    /// [`IdTokenError`] if `token` is anything else, or longer than 16 KiB. Its text never contains any of the token.
    pub fn parse(token: impl Into<String>) -> Result<Self, IdTokenError> {
        let secret = Zeroizing::new(token.into());
        let claims = parse(&secret)?;
        Ok(Self { secret, claims })
    }

    /// When the token ends, by the issuer's clock: the `exp` claim.
    #[must_use]
    pub fn expires_at(&self) -> SystemTime {
        self.claims.expires_at
    }

    /// When the token was made, by the issuer's clock: the `iat` claim.
    #[must_use]
    pub fn issued_at(&self) -> Option<SystemTime> {
        self.claims.issued_at
    }

    /// Whom the token is meant for: the `aud` claim, usually one `https://HOST`; empty if there is none.
    #[must_use]
    pub fn audience(&self) -> &[String] {
        &self.claims.audience
    }

    /// Whether `audience` is among those that the token is meant for, letter by letter.
    #[must_use]
    pub fn has_audience(&self, audience: &str) -> bool {
        self.claims.audience.iter().any(|a| a == audience)
    }

    /// Who issued the token: the `iss` claim, `https://accounts.google.com` for Google's.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.claims.issuer.as_deref()
    }

    /// The caller's e-mail address: the `email` claim, which not every source of tokens puts in.
    #[must_use]
    pub fn email(&self) -> Option<&str> {
        self.claims.email.as_deref()
    }

    /// The caller's unique id: the `sub` claim.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.claims.subject.as_deref()
    }

    /// The caller as a person would name it: the e-mail address, or else the unique id.
    #[must_use]
    pub fn identity(&self) -> Option<&str> {
        self.email().or_else(|| self.subject())
    }

    /// The token itself. It may go into a header that is marked as sensitive, and nowhere else.
    ///
    /// It consists of `A-Z`, `a-z`, `0-9`, `-`, `_` and two dots.
    pub(crate) fn secret(&self) -> &str {
        &self.secret
    }
}

#[expect(
    clippy::missing_fields_in_debug,
    reason = "the field that is missing is the secret"
)]
impl fmt::Debug for IdToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdToken")
            .field("email", &self.claims.email)
            .field("subject", &self.claims.subject)
            .field("issuer", &self.claims.issuer)
            .field("audience", &self.claims.audience)
            .field("issued_at", &self.claims.issued_at)
            .field("expires_at", &self.claims.expires_at)
            .field("token", &"[redacted]")
            .finish()
    }
}

fn parse(token: &str) -> Result<Claims, Fault> {
    if token.is_empty() {
        return Err(Fault::Empty);
    }
    if token.len() > MAX_LEN {
        return Err(Fault::TooLong(token.len()));
    }
    if token.trim() != token {
        return Err(Fault::Padded);
    }
    let parts: Vec<&str> = token.split('.').collect();
    let &[header, payload, signature] = parts.as_slice() else {
        return Err(Fault::NotAJwt(parts.len()));
    };
    // The header says how to check the signature, which is not done here; but what has none is no JWT.
    claims::object(header, Part::Header)?;
    let payload = claims::object(payload, Part::Payload)?;
    if signature == REMOVED_SIGNATURE {
        return Err(Fault::SignatureRemoved);
    }
    claims::check_base64url(signature, Part::Signature)?;
    Claims::from_payload(&payload)
}
