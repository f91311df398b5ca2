//! What a [service config] says of methods: timeouts, retries, limits.
//!
//! [service config]: https://github.com/grpc/grpc/blob/master/doc/service_config.md

mod parse;

use crate::channel::MessageLimit;
use crate::error::Error;
use crate::retry::{RetryPolicy, Throttle};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// A service config, ready to be asked.
#[derive(Debug, Default)]
pub(crate) struct ServiceConfig {
    /// By path: `/package.Service/Method`, `/package.Service/` for all of a service, and nothing for everything else.
    methods: HashMap<String, Arc<MethodConfig>>,
    pub(crate) throttle: Option<Throttle>,
}

/// What there is for a method.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct MethodConfig {
    /// The longest that a call may take, whatever it asks for itself.
    pub(crate) timeout: Option<Duration>,
    /// Whether calls wait for a connection rather than fail while there is none.
    pub(crate) wait_for_ready: bool,
    pub(crate) request_limit: Option<MessageLimit>,
    pub(crate) response_limit: Option<MessageLimit>,
    pub(crate) retry: Option<RetryPolicy>,
}

impl ServiceConfig {
    /// Reads a service config.
    ///
    /// # Errors
    /// `InvalidConfiguration`, with all faults and their places.
    pub(crate) fn parse(json: &str) -> Result<Self, Error> {
        parse::service_config(json)
    }

    /// The most specific entry for a call's path.
    pub(crate) fn method(&self, path: &str) -> Option<&MethodConfig> {
        let service = path.rfind('/').map_or("", |slash| &path[..=slash]);
        [path, service, ""]
            .into_iter()
            .find_map(|name| self.methods.get(name))
            .map(Arc::as_ref)
    }
}
