//! What connecting is waiting for, for the error when the time is up.

use super::race::TOLD;
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};

/// One thing after another that connecting waits for.
#[derive(Clone, Default)]
pub(crate) enum Step {
    #[default]
    Name,
    Tcp(Vec<SocketAddr>),
    /// The proxy of this name and port: to be resolved, to be reached, and to answer.
    Proxy(String),
    Tls,
    Settings,
}

/// The step that one attempt to connect has come to.
#[derive(Default)]
pub(crate) struct Steps(Mutex<Step>);

impl Steps {
    pub(crate) fn at(&self, step: Step) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = step;
    }

    pub(crate) fn last(&self) -> Step {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Step {
    /// What to look at.
    pub(crate) fn advice(&self) -> &'static str {
        match self {
            Self::Name => "check DNS from here",
            Self::Tcp(_) => {
                "a firewall or a VPC route may be dropping the packets; the limit is `connect_timeout`"
            }
            Self::Proxy(_) => {
                "check HTTPS_PROXY, or except the host with NO_PROXY; the limit is `connect_timeout`"
            }
            Self::Tls => {
                "what listens there accepts connections and does not answer; is it the right port? The limit is \
                 `connect_timeout`"
            }
            Self::Settings => {
                "what listens there speaks TLS and then says nothing; is it a gRPC server? The limit is \
                 `connect_timeout`"
            }
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name => f.write_str("its name to be resolved"),
            Self::Tcp(addresses) => {
                f.write_str("TCP to ")?;
                for (index, address) in addresses.iter().take(TOLD).enumerate() {
                    let comma = if index == 0 { "" } else { ", " };
                    write!(f, "{comma}{address}")?;
                }
                match addresses.len().saturating_sub(TOLD) {
                    0 => Ok(()),
                    more => write!(f, ", and {more} more"),
                }
            }
            Self::Proxy(at) => write!(f, "the proxy {at}"),
            Self::Tls => f.write_str("the TLS handshake"),
            Self::Settings => f.write_str("the server's HTTP/2 SETTINGS"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_where_tcp_goes_up_to_a_few() {
        let address: SocketAddr = "10.0.0.1:443".parse().unwrap();
        let text = |count| Step::Tcp(vec![address; count]).to_string();
        assert_eq!(text(1), "TCP to 10.0.0.1:443");
        assert_eq!(text(2), "TCP to 10.0.0.1:443, 10.0.0.1:443");
        assert!(text(6).ends_with(", 10.0.0.1:443, and 2 more"));
    }
}
