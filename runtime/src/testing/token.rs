//! What a token shall say, and what a token said.

use std::time::{Duration, SystemTime};

/// An ID token to be minted by [`FakeCloudRun::mint`](super::FakeCloudRun::mint): good unless told otherwise.
///
/// ```
/// # use std::time::Duration;
/// use tonic_cloud_run::testing::TokenSpec;
///
/// let spec = TokenSpec::new("https://bookstore-7x2kq-uc.a.run.app")
///     .email("stranger@project.iam.gserviceaccount.com")
///     .lifetime(Duration::from_secs(90));
/// # let _ = spec;
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct TokenSpec {
    pub(super) audience: String,
    pub(super) email: Option<String>,
    pub(super) names_email: bool,
    pub(super) issuer: String,
    pub(super) expiry: Expiry,
    pub(super) forged: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Expiry {
    After(Duration),
    At(SystemTime),
    Absent,
}

impl TokenSpec {
    /// A token for `audience` that is good for one hour and names the fake's own identity.
    pub fn new(audience: impl Into<String>) -> Self {
        Self {
            audience: audience.into(),
            email: None,
            names_email: true,
            issuer: "https://accounts.google.com".to_owned(),
            expiry: Expiry::After(Duration::from_hours(1)),
            forged: false,
        }
    }

    /// The identity it stands for: the `email` claim, and the `sub` that belongs to it.
    pub fn email(mut self, email: impl Into<String>) -> Self {
        self.email = Some(email.into());
        self
    }

    /// Leaves `email` and `email_verified` out, as the metadata server does without `format=full`.
    pub fn without_email(mut self) -> Self {
        self.names_email = false;
        self
    }

    /// The `iss` claim. Default: `https://accounts.google.com`.
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = issuer.into();
        self
    }

    /// How long it is good from now on; `exp` counts whole seconds. Default: one hour.
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        self.expiry = Expiry::After(lifetime);
        self
    }

    /// When it ends; may lie in the past. `exp` counts whole seconds.
    pub fn expires_at(mut self, time: SystemTime) -> Self {
        self.expiry = Expiry::At(time);
        self
    }

    /// Leaves `exp` out.
    pub fn without_expiry(mut self) -> Self {
        self.expiry = Expiry::Absent;
        self
    }

    /// Gives it a signature that does not verify.
    pub fn forged(mut self) -> Self {
        self.forged = true;
        self
    }
}

/// What can be shown of an ID token: its claims and a fingerprint, never the token.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenInfo {
    /// 16 hexadecimal digits of the token's SHA-256: tells one token from another.
    pub fingerprint: String,
    /// The `aud` claim.
    pub audience: String,
    /// The `sub` claim: the account's id.
    pub subject: String,
    /// The `email` claim, where the token has one.
    pub email: Option<String>,
    /// The `exp` claim, where the token has one.
    pub expires_at: Option<SystemTime>,
}

impl TokenInfo {
    /// Whom the token stands for: its email, or else its subject.
    #[must_use]
    pub fn identity(&self) -> &str {
        self.email.as_deref().unwrap_or(&self.subject)
    }
}
