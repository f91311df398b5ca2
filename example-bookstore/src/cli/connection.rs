//! The options that say which bookstore to call, and how.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::Args;

use crate::{
    commands::{Connection, Target},
    failure::Failure,
};

const HOST_VARIABLE: &str = "BOOKSTORE_HOST";

/// Which bookstore to call, and how.
#[derive(Args, Debug)]
#[command(next_help_heading = "Connection")]
pub(super) struct ConnectionArgs {
    /// The bookstore to call, for example bookstore-7x2kq-uc.a.run.app
    #[arg(long, global = true, env = HOST_VARIABLE, value_name = "HOST")]
    host: Option<String>,
    // An attribute: rustdoc would make a link of this URL.
    #[arg(
        long,
        global = true,
        value_name = "URL",
        help = "The audience of the ID tokens, where it is not https://HOST: a custom domain"
    )]
    audience: Option<String>,
    /// Call without TLS and without a token: `serve` on this machine. Loopback addresses only
    #[arg(long, global = true, conflicts_with_all = ["audience", "ca"])]
    plaintext: bool,
    /// Trust the certificate authorities in this PEM file too
    #[arg(long, global = true, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Connect to this address, but call it by HOST's name: a tunnel or a private endpoint
    #[arg(long, global = true, value_name = "IP:PORT")]
    connect_to: Option<SocketAddr>,
    /// Give a call up after so many seconds. 30 by default, but `books watch` goes on until it is stopped
    #[arg(long, global = true, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..))]
    timeout: Option<u32>,
}

impl ConnectionArgs {
    /// Whether the command line says anything of a connection; the environment does not count.
    pub(super) fn is_given(&self) -> bool {
        self.host != std::env::var(HOST_VARIABLE).ok()
            || self.audience.is_some()
            || self.plaintext
            || self.ca.is_some()
            || self.connect_to.is_some()
            || self.timeout.is_some()
    }

    pub(super) fn connection(self) -> Result<Connection, Failure> {
        let host = self.host.ok_or_else(|| {
            Failure::Usage("which bookstore? Say --host HOST or set BOOKSTORE_HOST; for `serve` on this machine \
                --host 127.0.0.1:8080 --plaintext".to_owned())
        })?;
        Connection::new(&Target {
            host: &host,
            audience: self.audience.as_deref(),
            plaintext: self.plaintext,
            ca: self.ca.as_deref(),
            connect_to: self.connect_to,
            timeout: self
                .timeout
                .map(|seconds| Duration::from_secs(seconds.into())),
        })
    }
}
