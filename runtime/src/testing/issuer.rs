//! Google's part: mints ID tokens and tells good ones from bad.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Value, json};

use super::denial::Denial;
use super::error::Error;
use super::keys::{SigningKey, fingerprint, subject_of};
use super::token::{Expiry, TokenInfo, TokenSpec};

/// Where the fake reads the time.
pub(super) type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// Mints and verifies with one key and one clock.
pub(super) struct Issuer {
    key: &'static SigningKey,
    clock: Clock,
    minted: AtomicU64,
}

impl Issuer {
    pub(super) fn new(clock: Clock) -> Result<Self, Error> {
        Ok(Self {
            key: SigningKey::shared()?,
            clock,
            minted: AtomicU64::new(0),
        })
    }

    pub(super) fn now(&self) -> SystemTime {
        (self.clock)()
    }

    pub(super) fn key_set(&self) -> String {
        self.key.key_set()
    }

    /// A token as `spec` says, for `identity` if it names none; and what can be shown of it.
    pub(super) fn mint(&self, spec: TokenSpec, identity: &str) -> (String, TokenInfo) {
        let email = spec.email.as_deref().unwrap_or(identity);
        let subject = subject_of(email);
        let now = self.now();
        let expires_at = match spec.expiry {
            Expiry::After(lifetime) => now
                .checked_add(lifetime)
                .map_or(Some(u64::from(u32::MAX)), |end| Some(unix_seconds(end))),
            Expiry::At(time) => Some(unix_seconds(time)),
            Expiry::Absent => None,
        };
        let mut claims = json!({
            "iss": spec.issuer,
            "aud": spec.audience,
            "azp": subject,
            "sub": subject,
            "iat": unix_seconds(now),
            // Google's tokens have none. Here it keeps two tokens of the same second apart: a test must
            // be able to see that a client fetched a new one.
            "jti": self.minted.fetch_add(1, Ordering::Relaxed).to_string(),
        });
        if let Some(expires_at) = expires_at {
            claims["exp"] = json!(expires_at);
        }
        if spec.names_email {
            claims["email"] = json!(email);
            claims["email_verified"] = json!(true);
        }
        let token = self.sign(&claims, spec.forged);
        let info = TokenInfo {
            fingerprint: fingerprint(&token),
            audience: spec.audience,
            subject,
            email: spec.names_email.then(|| email.to_owned()),
            expires_at: expires_at.map(system_time),
        };
        (token, info)
    }

    fn sign(&self, claims: &Value, forged: bool) -> String {
        let header = json!({ "alg": "RS256", "kid": self.key.id(), "typ": "JWT" });
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&header), part(claims));
        let mut signature = self.key.sign(signed.as_bytes());
        if forged && let Some(first) = signature.first_mut() {
            *first ^= 1;
        }
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// Checks a token's form, signature, issuer and expiry. Its audience and its identity are for the
    /// caller to judge.
    ///
    /// There is no leeway: a token is expired from the very second of its `exp`.
    pub(super) fn verify(&self, token: &str) -> Result<TokenInfo, (Denial, String)> {
        let parts = Parts::parse(token).map_err(|detail| (Denial::MalformedToken, detail))?;
        if parts.header.alg != "RS256" {
            return deny(
                Denial::BadSignature,
                format!("the algorithm is {}, not RS256", parts.header.alg),
            );
        }
        if parts.header.kid.as_deref() != Some(self.key.id()) {
            return deny(Denial::BadSignature, "the issuer has no key of that id");
        }
        if !self.key.verify(parts.signed.as_bytes(), &parts.signature) {
            return deny(Denial::BadSignature, "the signature does not verify");
        }
        let claims = parts.claims;
        if !matches!(
            claims.iss.as_str(),
            "https://accounts.google.com" | "accounts.google.com"
        ) {
            return deny(Denial::WrongIssuer, format!("the issuer is {}", claims.iss));
        }
        let Some(expiry) = claims.exp else {
            return deny(Denial::MissingExpiry, "the token has no exp claim");
        };
        let now = unix_seconds(self.now());
        if now >= expiry {
            return deny(
                Denial::Expired,
                format!("the token expired {} s ago", now - expiry),
            );
        }
        Ok(TokenInfo {
            fingerprint: fingerprint(token),
            audience: claims.aud,
            subject: claims.sub,
            email: claims.email,
            expires_at: Some(system_time(expiry)),
        })
    }
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issuer")
            .field("key", &self.key.id())
            .finish_non_exhaustive()
    }
}

fn deny<T>(denial: Denial, detail: impl Into<String>) -> Result<T, (Denial, String)> {
    Err((denial, detail.into()))
}

/// A JSON Web Token taken apart, nothing verified.
struct Parts<'a> {
    header: Header,
    claims: Claims,
    signed: &'a str,
    signature: Vec<u8>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: String,
    exp: Option<u64>,
    email: Option<String>,
}

impl<'a> Parts<'a> {
    fn parse(token: &'a str) -> Result<Self, String> {
        let wrong = || "the token is not three parts with dots between them".to_owned();
        let (signed, signature) = token.rsplit_once('.').ok_or_else(wrong)?;
        let (header, claims) = signed.split_once('.').ok_or_else(wrong)?;
        Ok(Self {
            header: decode(header, "header")?,
            claims: decode(claims, "claims")?,
            signed,
            signature: URL_SAFE_NO_PAD
                .decode(signature)
                .map_err(|_| "the token's signature is not base64url".to_owned())?,
        })
    }
}

fn decode<T: for<'de> Deserialize<'de>>(part: &str, what: &str) -> Result<T, String> {
    let bytes = URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_| format!("the token's {what} part is not base64url"))?;
    // serde_json's own text may quote the token; its position does not.
    serde_json::from_slice(&bytes).map_err(|error| {
        format!(
            "the token's {what} part is not that of an ID token (line {}, column {})",
            error.line(),
            error.column()
        )
    })
}

/// Whole seconds since 1970; 0 for times before.
fn unix_seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

fn system_time(unix_seconds: u64) -> SystemTime {
    // Far beyond what SystemTime can say: the end of time will do for showing.
    UNIX_EPOCH
        .checked_add(Duration::from_secs(unix_seconds))
        .unwrap_or(UNIX_EPOCH + Duration::from_secs(u64::from(u32::MAX)))
}
