//! How far a call has come, to be told when its deadline passes.

use crate::telemetry::Measure;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

#[derive(Default)]
pub(crate) struct Progress {
    reached: AtomicU8,
    pub(crate) measure: Measure,
}

const TOKEN: u8 = 1;
const CONNECTED: u8 = 2;
const SENT: u8 = 4;

impl Progress {
    pub(crate) fn measured(measure: Measure) -> Self {
        Self {
            measure,
            ..Self::default()
        }
    }

    pub(crate) fn has_token(&self) {
        self.reached.fetch_or(TOKEN, Relaxed);
    }

    pub(crate) fn is_connected(&self) {
        self.reached.fetch_or(CONNECTED, Relaxed);
    }

    pub(crate) fn is_sent(&self) {
        self.reached.fetch_or(SENT, Relaxed);
    }

    /// What the call was waiting for, and what to look at.
    pub(crate) fn waiting_for(&self) -> &'static str {
        match self.reached.load(Relaxed) {
            reached if reached & SENT != 0 => {
                "waiting for the server's answer; is the service slow, or starting its first instance?"
            }
            reached if reached & CONNECTED != 0 => {
                "waiting for an ID token; is the metadata server or the token endpoint reachable from here?"
            }
            reached if reached & TOKEN != 0 => {
                "waiting for a connection; do a firewall or a VPC route drop the packets?"
            }
            _ => "waiting for an ID token and for a connection; is there a network here?",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_what_is_missing() {
        let progress = Progress::default();
        assert!(
            progress
                .waiting_for()
                .starts_with("waiting for an ID token and for a connection")
        );
        progress.is_connected();
        assert!(
            progress
                .waiting_for()
                .starts_with("waiting for an ID token;")
        );
        progress.has_token();
        progress.is_sent();
        assert!(
            progress
                .waiting_for()
                .starts_with("waiting for the server's answer")
        );
        let progress = Progress::default();
        progress.has_token();
        assert!(
            progress
                .waiting_for()
                .starts_with("waiting for a connection")
        );
    }
}
