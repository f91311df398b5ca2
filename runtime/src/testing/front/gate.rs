//! Who comes in: Cloud Run's checks of a request's host, ID token and identity.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use http::request::Parts;

use super::super::denial::Denial;
use super::super::issuer::Issuer;
use super::super::keys::subject_of;
use super::super::lock::lock;
use super::super::token::TokenInfo;

/// Takes precedence over `authorization`, which then belongs to the application.
const SERVERLESS: HeaderName = HeaderName::from_static("x-serverless-authorization");

/// What a service lets in.
#[derive(Debug)]
pub(in super::super) struct Gate {
    pub(in super::super) issuer: Arc<Issuer>,
    /// The names under which requests reach the service, in lower case.
    pub(in super::super) hosts: Vec<String>,
    pub(in super::super) audiences: Vec<String>,
    /// Whether `allUsers` has `roles/run.invoker`.
    pub(in super::super) everyone: bool,
    /// The subjects that have `roles/run.invoker`.
    pub(in super::super) invokers: Mutex<BTreeSet<String>>,
}

/// Why not, for the answer and for the log.
#[derive(Debug)]
pub(super) struct Denied {
    pub(super) reason: Denial,
    pub(super) detail: String,
}

impl Denied {
    fn new(reason: Denial, detail: impl Into<String>) -> Self {
        Self {
            reason,
            detail: detail.into(),
        }
    }
}

impl Gate {
    pub(in super::super) fn allow(&self, email: &str) {
        lock(&self.invokers).insert(subject_of(email));
    }

    pub(in super::super) fn forbid(&self, email: &str) {
        lock(&self.invokers).remove(&subject_of(email));
    }

    /// Checks a request and takes the signature off its token. `None` where everyone may come in.
    pub(super) fn check(&self, request: &mut Parts) -> Result<Option<TokenInfo>, Denied> {
        self.check_host(request)?;
        if self.everyone {
            return Ok(None);
        }
        let header = [SERVERLESS, AUTHORIZATION]
            .into_iter()
            .find(|name| request.headers.contains_key(name));
        let Some((name, value)) = header.and_then(|name| {
            request
                .headers
                .get(&name)
                .cloned()
                .map(|value| (name, value))
        }) else {
            return Err(Denied::new(
                Denial::MissingToken,
                "neither x-serverless-authorization nor authorization is there",
            ));
        };
        let token = bearer(&value).ok_or_else(|| {
            Denied::new(
                Denial::NotBearer,
                format!("the {name} header does not start with \"Bearer \""),
            )
        })?;
        let info = self.check_token(token)?;
        request.headers.insert(name, without_signature(token));
        Ok(Some(info))
    }

    fn check_host(&self, request: &Parts) -> Result<(), Denied> {
        let authority = request
            .uri
            .authority()
            .map(http::uri::Authority::as_str)
            .or_else(|| request.headers.get(http::header::HOST)?.to_str().ok())
            .unwrap_or_default();
        let host = authority
            .rsplit_once(':')
            .map_or(authority, |(host, _port)| host)
            .to_ascii_lowercase();
        // A traffic tag comes before the service's own name.
        let service = host.split_once("---").map_or(&*host, |(_tag, rest)| rest);
        let ours = |name: &str| self.hosts.iter().any(|ours| ours == name);
        if ours(&host) || ours(service) {
            return Ok(());
        }
        Err(Denied::new(
            Denial::UnknownHost,
            format!(
                "the request is for host \"{host}\"; the service's are {}",
                self.hosts.join(", ")
            ),
        ))
    }

    fn check_token(&self, token: &str) -> Result<TokenInfo, Denied> {
        let info = self
            .issuer
            .verify(token)
            .map_err(|(reason, detail)| Denied { reason, detail })?;
        if !self.audiences.contains(&info.audience) {
            return Err(Denied::new(
                Denial::WrongAudience,
                format!(
                    "the token is for {}; the service accepts {}",
                    info.audience,
                    self.audiences.join(", ")
                ),
            ));
        }
        if !lock(&self.invokers).contains(&info.subject) {
            return Err(Denied::new(
                Denial::NotInvoker,
                format!("the caller is {}", info.identity()),
            ));
        }
        Ok(info)
    }
}

fn bearer(value: &HeaderValue) -> Option<&str> {
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The header as it reaches the container: the claims can be read and the token is of no further use.
fn without_signature(token: &str) -> HeaderValue {
    let signed = token.rsplit_once('.').map_or(token, |(signed, _)| signed);
    // The token came out of a header, so it fits into one.
    let mut value = HeaderValue::try_from(format!("Bearer {signed}.SIGNATURE_REMOVED_BY_GOOGLE"))
        .unwrap_or(HeaderValue::from_static("Bearer"));
    value.set_sensitive(true);
    value
}
