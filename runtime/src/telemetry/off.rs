//! What takes the place of metrics without the feature `opentelemetry`: nothing at all.

use crate::host::Host;
use http::HeaderMap;
use std::time::Duration;
use tonic::Code;

#[derive(Default)]
pub(crate) struct Measure;

#[allow(clippy::unused_self, reason = "the same interface as with the feature")]
impl Measure {
    pub(crate) fn begin(_: &Host, _: &str, _: bool) -> Self {
        Self
    }

    pub(crate) fn hand_over(&self) -> Self {
        Self
    }

    pub(crate) fn attempt(&self) {}

    pub(crate) fn sent(&self, _: usize) {}

    pub(crate) fn received(&self, _: usize) {}

    pub(crate) fn resent(&self) {}

    pub(crate) fn retried(&self, _: Code, _: Duration) {}

    pub(crate) fn ended(&self, _: Code) {}
}

pub(super) fn connection_opened(_: &Host) {}

pub(super) fn connection_failed(_: &Host) {}

pub(super) fn connection_closed(_: &Host, _: &'static str) {}

pub(crate) fn pass_on_context(_: &mut HeaderMap) {}
