//! What the connections of one front share.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::ServerConfig;

use super::super::ca::Tls;
use super::super::denial::Denial;
use super::super::events::EventLog;
use super::super::fault::{FrontFault, Plan};
use super::super::lock::lock;
use super::super::token::TokenInfo;
use super::app::App;
use super::gate::Gate;

pub(super) struct State {
    pub(super) app: App,
    pub(super) gate: Gate,
    pub(super) events: Arc<EventLog>,
    pub(super) faults: Plan<FrontFault>,
    pub(super) counts: Counts,
    pub(super) max_concurrent_streams: u32,
    pub(super) http1_only: AtomicBool,
    pub(super) handshake_delay: Mutex<Duration>,
    pub(super) tls: Tls,
    /// Each token that was let in, once, in the order of their first calls.
    pub(super) tokens: Mutex<Vec<TokenInfo>>,
}

#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) connections: AtomicU64,
    pub(super) handshakes_failed: AtomicU64,
    pub(super) admitted: AtomicU64,
    pub(super) denied: Mutex<BTreeMap<Denial, u64>>,
    pub(super) faulted: AtomicU64,
    pub(super) in_flight: Arc<AtomicUsize>,
}

impl State {
    /// How the next connection's handshake goes: with which settings, and after which delay.
    pub(super) fn handshake(&self) -> (Arc<ServerConfig>, Duration) {
        let config = if self.http1_only.load(Ordering::SeqCst) {
            &self.tls.http1_only
        } else {
            &self.tls.http2
        };
        (config.clone(), *lock(&self.handshake_delay))
    }

    /// Remembers a token that was let in.
    pub(super) fn saw(&self, token: &TokenInfo) {
        let mut tokens = lock(&self.tokens);
        let known = tokens
            .iter()
            .rev()
            .any(|seen| seen.fingerprint == token.fingerprint);
        if !known {
            tokens.push(token.clone());
        }
    }
}
