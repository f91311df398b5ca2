//! What the connections of one metadata server share, and the tokens that it has handed out.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::super::events::EventLog;
use super::super::fault::{MetadataFault, Plan};
use super::super::issuer::Issuer;
use super::super::lock::lock;
use super::super::token::{TokenInfo, TokenSpec};

pub(super) struct State {
    pub(super) issuer: Arc<Issuer>,
    pub(super) events: Arc<EventLog>,
    /// The email of the service account it stands for.
    pub(super) identity: String,
    pub(super) faults: Plan<MetadataFault>,
    pub(super) settings: Mutex<Settings>,
    pub(super) requests: AtomicU64,
    pub(super) minted: AtomicU64,
    /// The last good token for each audience and format.
    pub(super) handed_out: Mutex<HashMap<(String, bool), (String, TokenInfo)>>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    pub(super) lifetime: Duration,
    pub(super) delay: Duration,
    /// Hand out the same token until this long before its end.
    pub(super) repeat_until: Option<Duration>,
}

pub(super) struct HandedOut {
    pub(super) token: String,
    pub(super) info: TokenInfo,
    pub(super) repeated: bool,
}

impl State {
    pub(super) fn lifetime(&self) -> Duration {
        lock(&self.settings).lifetime
    }

    pub(super) fn delay(&self) -> Duration {
        lock(&self.settings).delay
    }

    /// The project's id as the service account's name tells it.
    pub(super) fn project(&self) -> &str {
        self.identity
            .split_once('@')
            .and_then(|(_, domain)| domain.split('.').next())
            .unwrap_or("project")
    }

    /// The time `before` now.
    pub(super) fn ago(&self, before: Duration) -> SystemTime {
        self.issuer.now().checked_sub(before).unwrap_or(UNIX_EPOCH)
    }

    pub(super) fn mint(&self, spec: TokenSpec, full: bool) -> (String, TokenInfo) {
        let spec = if full { spec } else { spec.without_email() };
        self.minted.fetch_add(1, Ordering::SeqCst);
        self.issuer.mint(spec, &self.identity)
    }

    /// A good token: the one of before if it is to be repeated, or else a new one.
    pub(super) fn hand_out(&self, audience: &str, full: bool) -> HandedOut {
        let Settings {
            lifetime,
            repeat_until,
            ..
        } = *lock(&self.settings);
        let key = (audience.to_owned(), full);
        let mut handed_out = lock(&self.handed_out);
        if let Some(margin) = repeat_until
            && let Some((token, info)) = handed_out.get(&key)
            && let Some(left) = info
                .expires_at
                .and_then(|end| end.duration_since(self.issuer.now()).ok())
            && left > margin
        {
            return HandedOut {
                token: token.clone(),
                info: info.clone(),
                repeated: true,
            };
        }
        let (token, info) = self.mint(TokenSpec::new(audience).lifetime(lifetime), full);
        handed_out.insert(key, (token.clone(), info.clone()));
        HandedOut {
            token,
            info,
            repeated: false,
        }
    }
}
