//! Credentials: a source of ID tokens, and one cache for each audience asked of it.

use crate::cache::TokenCache;
use crate::clock::SystemClock;
use crate::source::application_default::ApplicationDefault;
use crate::source::{DynTokenSource, TokenSource};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

/// Caches above this number that no channel uses are let go.
const IDLE_CACHES: usize = 64;

/// Who calls: where a channel gets its ID tokens from.
///
/// Clones are the same credentials. All channels with the same credentials and audience share one token, so a
/// channel made for each request costs no token request after the first.
#[derive(Clone)]
pub struct Credentials(Arc<Inner>);

struct Inner {
    name: &'static str,
    /// `None` sends no token.
    source: Option<Arc<dyn DynTokenSource>>,
    caches: Mutex<HashMap<String, Arc<TokenCache>>>,
}

static APPLICATION_DEFAULT: LazyLock<Credentials> =
    LazyLock::new(|| Credentials::new("application default", ApplicationDefault::Found));

static METADATA_SERVER: LazyLock<Credentials> = LazyLock::new(|| {
    Credentials::new(
        "metadata server",
        ApplicationDefault::MetadataServer { endpoint: None },
    )
});

impl Credentials {
    fn new(name: &'static str, source: impl TokenSource) -> Self {
        Self(Arc::new(Inner {
            name,
            source: Some(Arc::new(source)),
            caches: Mutex::default(),
        }))
    }

    /// [Application Default Credentials], the default: the file that `GOOGLE_APPLICATION_CREDENTIALS` names, gcloud's
    /// well-known file, or else the metadata server of Cloud Run, GKE and Compute Engine.
    ///
    /// They are looked for when a token is needed, so files that are replaced while the program runs take effect.
    ///
    /// [Application Default Credentials]: https://cloud.google.com/docs/authentication/application-default-credentials
    #[must_use]
    pub fn application_default() -> Self {
        APPLICATION_DEFAULT.clone()
    }

    /// The metadata server of Cloud Run, GKE and Compute Engine, whatever credentials files there are.
    ///
    /// `GCE_METADATA_HOST` (`name:port`) says where it is; by default `metadata.google.internal`.
    #[must_use]
    pub fn metadata_server() -> Self {
        METADATA_SERVER.clone()
    }

    /// The metadata server at a URL, for the fake one.
    #[cfg(feature = "testing")]
    pub(crate) fn metadata_server_at(endpoint: &str) -> Self {
        Self::new(
            "metadata server",
            ApplicationDefault::MetadataServer {
                endpoint: Some(endpoint.to_owned()),
            },
        )
    }

    /// Tokens from a source of your own.
    #[must_use]
    pub fn from_source(source: impl TokenSource) -> Self {
        Self::new("own source", source)
    }

    /// No token at all: for services that let everyone in (`--allow-unauthenticated`).
    #[must_use]
    pub fn none() -> Self {
        Self(Arc::new(Inner {
            name: "none",
            source: None,
            caches: Mutex::default(),
        }))
    }

    /// The cache of the tokens for an audience; `None` where no token is to be sent.
    pub(crate) fn cache(&self, audience: &str) -> Option<Arc<TokenCache>> {
        let source = self.0.source.as_ref()?;
        // A poisoned lock only means that a panic happened elsewhere; the map is whole.
        let mut caches = self.0.caches.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cache) = caches.get(audience) {
            return Some(cache.clone());
        }
        if caches.len() >= IDLE_CACHES {
            caches.retain(|_, cache| Arc::strong_count(cache) > 1);
        }
        let cache = Arc::new(TokenCache::new(source.clone(), audience, SystemClock));
        caches.insert(audience.to_owned(), cache.clone());
        Some(cache)
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credentials({})", self.0.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_of_the_same_audience_share_a_cache() {
        let credentials = Credentials::metadata_server();
        let one = credentials.cache("https://a.example").unwrap();
        let other = credentials.clone().cache("https://a.example").unwrap();
        assert!(Arc::ptr_eq(&one, &other));
        assert!(!Arc::ptr_eq(
            &one,
            &credentials.cache("https://b.example").unwrap()
        ));
    }

    #[test]
    fn unused_caches_are_let_go_and_used_ones_kept() {
        let credentials = Credentials::from_source(ApplicationDefault::Found);
        let used = credentials.cache("https://used.example").unwrap();
        for n in 0..1000 {
            credentials.cache(&format!("https://{n}.example")).unwrap();
        }
        assert!(credentials.0.caches.lock().unwrap().len() <= IDLE_CACHES);
        assert!(Arc::ptr_eq(
            &used,
            &credentials.cache("https://used.example").unwrap()
        ));
    }

    #[test]
    fn none_sends_no_token() {
        assert!(Credentials::none().cache("https://a.example").is_none());
    }
}
