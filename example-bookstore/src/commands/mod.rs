//! The commands that call a bookstore.

pub(crate) mod books;
mod import;
pub(crate) mod shelves;

use std::{io::Write, net::SocketAddr, path::Path, time::Duration};

use tonic::Request;
use tonic_cloud_run::Channel;

use crate::{bookstore::bookstore_client::BookstoreClient, failure::Failure};

/// How long a call may take, unless the command line says otherwise.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

/// How to reach a bookstore, as the command line says it.
#[derive(Debug, Default)]
pub(crate) struct Target<'a> {
    pub(crate) host: &'a str,
    pub(crate) audience: Option<&'a str>,
    pub(crate) plaintext: bool,
    pub(crate) ca: Option<&'a Path>,
    pub(crate) connect_to: Option<SocketAddr>,
    pub(crate) timeout: Option<Duration>,
}

/// A client and the time that its calls may take.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) client: BookstoreClient,
    timeout: Option<Duration>,
}

impl Connection {
    pub(crate) fn new(target: &Target<'_>) -> Result<Connection, Failure> {
        // With nothing but a host this is BookstoreClient::new(host).
        let mut channel = Channel::builder(target.host);
        if let Some(audience) = target.audience {
            channel = channel.audience(audience);
        }
        if target.plaintext {
            channel = channel.danger_plaintext_loopback();
        }
        if let Some(path) = target.ca {
            let pem = std::fs::read(path).map_err(|error| {
                Failure::Usage(format!(
                    "the certificates in {} cannot be read: {error}",
                    path.display()
                ))
            })?;
            channel = channel.root_certificates_pem(pem);
        }
        if let Some(address) = target.connect_to {
            channel = channel.connect_to(address);
        }
        Ok(Connection {
            client: BookstoreClient::from_channel(channel.build()?),
            timeout: target.timeout,
        })
    }

    /// A request that is answered soon.
    pub(crate) fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.set_timeout(self.timeout.unwrap_or(DEFAULT_TIMEOUT));
        request
    }

    /// A request whose answers have no end of their own.
    pub(crate) fn endless<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        if let Some(timeout) = self.timeout {
            request.set_timeout(timeout);
        }
        request
    }
}

/// Tells where the next page starts, if there is one.
fn write_next_page(out: &mut impl Write, token: &str) -> Result<(), Failure> {
    if !token.is_empty() {
        writeln!(out, "\nThere is more: --all, or --page-token {token}")?;
    }
    Ok(())
}
