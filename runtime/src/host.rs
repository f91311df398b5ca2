//! The host of a Cloud Run service: what a user writes, and the audience of the ID tokens that the service lets in.

mod fault;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

use fault::Fault;
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

pub use fault::HostError;

const HTTPS_PORT: u16 = 443;
/// The longest host name that DNS can carry, and the longest label in it (RFC 1035, section 2.3.4).
const MAX_NAME: usize = 253;
const MAX_LABEL: usize = 63;

/// The host of a service: a name (or an IP address) and a port.
///
/// | written | name | port | audience |
/// |---|---|---|---|
/// | `bookstore-7x2kq-uc.a.run.app` | `bookstore-7x2kq-uc.a.run.app` | 443 | `https://bookstore-7x2kq-uc.a.run.app` |
/// | `https://Books.example.com/` | `books.example.com` | 443 | `https://books.example.com` |
/// | `canary---bookstore-7x2kq-uc.a.run.app` | as written | 443 | `https://bookstore-7x2kq-uc.a.run.app` |
/// | `localhost:8080` | `localhost` | 8080 | `https://localhost` |
/// | `[::1]:8080` | `::1` | 8080 | `https://[::1]` |
///
/// Upper case becomes lower case, and one dot at the end of the name (the DNS root) is dropped. Everything that is not a
/// host is refused: paths, queries, user information, schemes other than `https`. So are names with an underscore, which
/// is not allowed in the name of a host (RFC 952, RFC 1123), and international names that are not in their ASCII form.
///
/// ```
/// use tonic_cloud_run::Host;
///
/// let host: Host = "https://canary---bookstore-7x2kq-uc.a.run.app/".parse()?;
/// assert_eq!(host.name(), "canary---bookstore-7x2kq-uc.a.run.app");
/// assert_eq!(host.audience(), "https://bookstore-7x2kq-uc.a.run.app");
/// # Ok::<(), tonic_cloud_run::HostError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Host {
    /// Lower case, without brackets and without a dot at the end.
    name: String,
    port: u16,
    /// What `Display` prints and HTTP/2 sends; kept so that no call has to build it.
    authority: String,
}

impl Host {
    /// Reads `name`, `name:port`, `https://name` or `https://name:port`, the last two with or without a `/` at the end.
    ///
    /// # Errors
    ///
    /// [`HostError`], whose text names what is wrong with `text` and what to write instead.
    pub fn parse(text: &str) -> Result<Self, HostError> {
        parse(text).map_err(|fault| HostError::new(text, fault))
    }

    /// The name in lower case, or the IP address (an IPv6 address without brackets).
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The port to connect to; 443 unless another was written.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The audience that Cloud Run expects in an ID token for this host: `https://NAME`, without the port.
    ///
    /// On a name that Google generated (it ends in `.run.app`) a traffic tag, `TAG---` before the service's name, is no
    /// part of the audience. A custom domain needs a custom audience, which only the service's owner knows.
    #[must_use]
    pub fn audience(&self) -> String {
        let untagged = match self.name.split_once('.') {
            // Were there several separators, the last one would be meant: what follows is the service's own name.
            Some((label, _)) if self.name.ends_with(".run.app") => label
                .rfind("---")
                .map_or(self.name.as_str(), |at| &self.name[at + 3..]),
            _ => &self.name,
        };
        format!("https://{}", bracketed(untagged))
    }

    /// HTTP/2's `:authority`: the name, and the port when it is not 443.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Whether the host is this machine: `localhost`, a name under `.localhost`, `127.0.0.0/8` or `::1`.
    ///
    /// Names are judged as they are written (RFC 6761, section 6.3), not looked up.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        self.name == "localhost"
            || self.name.ends_with(".localhost")
            || self
                .name
                .parse::<Ipv4Addr>()
                .is_ok_and(|ip| ip.is_loopback())
            || self
                .name
                .parse::<Ipv6Addr>()
                .is_ok_and(|ip| ip.is_loopback())
    }
}

impl FromStr for Host {
    type Err = HostError;

    fn from_str(text: &str) -> Result<Self, HostError> {
        Self::parse(text)
    }
}

/// The name, and the port when it is not 443; [`Host::parse`] reads it back as the same host.
impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.authority)
    }
}

/// The same text as `Display`: a `Host` can stand wherever a host's text is asked for.
impl AsRef<str> for Host {
    fn as_ref(&self) -> &str {
        &self.authority
    }
}

fn parse(text: &str) -> Result<Host, Fault> {
    if text.is_empty() {
        return Err(Fault::Empty);
    }
    if text.trim() != text {
        return Err(Fault::Padded);
    }
    if let Some(c) = text.chars().find(|c| c.is_whitespace() || c.is_control()) {
        return Err(Fault::Blank(c));
    }
    let (scheme, rest) = split_scheme(text);
    match scheme.to_ascii_lowercase().as_str() {
        "" | "https://" => {}
        "http://" => return Err(Fault::Plaintext),
        _ => return Err(Fault::Scheme),
    }
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    if authority.contains('@') {
        return Err(Fault::UserInformation);
    }
    match tail {
        "" => {}
        "/" if !scheme.is_empty() => {}
        _ if tail.contains('?') => return Err(Fault::Query),
        _ if tail.contains('#') => return Err(Fault::Fragment),
        _ => return Err(Fault::Path),
    }
    let (name, port) = split_port(authority)?;
    let name = match name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'))
    {
        Some(inner) => inner
            .parse::<Ipv6Addr>()
            .map_err(|_| Fault::Ipv6)?
            .to_string(),
        None => parse_name(name)?,
    };
    let port = port.map_or(Ok(HTTPS_PORT), parse_port)?;
    let authority = match port {
        HTTPS_PORT => bracketed(&name),
        port => format!("{}:{port}", bracketed(&name)),
    };
    Ok(Host {
        name,
        port,
        authority,
    })
}

/// Splits off the scheme (RFC 3986, section 3.1) and its `://`.
fn split_scheme(text: &str) -> (&str, &str) {
    match text.find("://") {
        Some(end)
            if text[..end]
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c)) =>
        {
            text.split_at(end + 3)
        }
        _ => ("", text),
    }
}

/// Splits `name:port`; the colons of an IPv6 address stand in brackets.
fn split_port(authority: &str) -> Result<(&str, Option<&str>), Fault> {
    if authority.is_empty() {
        return Err(Fault::NoName);
    }
    if authority.starts_with('[') {
        let end = authority.find(']').ok_or(Fault::Ipv6)? + 1;
        return match authority.split_at(end) {
            (name, "") => Ok((name, None)),
            (name, port) => port
                .strip_prefix(':')
                .map(|port| (name, Some(port)))
                .ok_or(Fault::Ipv6),
        };
    }
    if authority.parse::<Ipv6Addr>().is_ok() {
        return Err(Fault::Ipv6WithoutBrackets);
    }
    match authority.split_once(':') {
        None => Ok((authority, None)),
        Some(("", _)) => Err(Fault::NoName),
        Some((name, port)) => Ok((name, Some(port))),
    }
}

fn parse_port(port: &str) -> Result<u16, Fault> {
    if port.is_empty() {
        return Err(Fault::PortMissing);
    }
    // `u16::from_str` would let a plus sign through.
    if !port.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Fault::PortNotANumber);
    }
    match port.parse() {
        Ok(0) | Err(_) => Err(Fault::PortOutOfRange),
        Ok(port) => Ok(port),
    }
}

/// A DNS name or an IPv4 address, in lower case.
fn parse_name(name: &str) -> Result<String, Fault> {
    if let Some(c) = name.chars().find(|c| !c.is_ascii()) {
        return Err(Fault::NonAscii(c));
    }
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    for c in name.chars() {
        match c {
            'a'..='z' | '0'..='9' | '-' | '.' => {}
            '*' => return Err(Fault::Wildcard),
            '_' => return Err(Fault::Underscore),
            c => return Err(Fault::Character(c)),
        }
    }
    for label in name.split('.') {
        match label {
            "" => return Err(Fault::LabelEmpty),
            l if l.starts_with('-') || l.ends_with('-') => {
                return Err(Fault::LabelHyphen(l.into()));
            }
            l if l.len() > MAX_LABEL => return Err(Fault::LabelTooLong(l.len())),
            _ => {}
        }
    }
    if name.len() > MAX_NAME {
        return Err(Fault::NameTooLong(name.len()));
    }
    // No top-level domain is a number: resolvers and URL parsers would take the name for an IPv4 address.
    if name.rsplit('.').next().is_some_and(is_number) && name.parse::<Ipv4Addr>().is_err() {
        return Err(Fault::Ipv4);
    }
    Ok(name)
}

fn is_number(label: &str) -> bool {
    let (digits, hexadecimal) = label
        .strip_prefix("0x")
        .map_or((label, false), |digits| (digits, true));
    digits
        .bytes()
        .all(|b| b.is_ascii_digit() || (hexadecimal && b.is_ascii_hexdigit()))
}

/// A name as it stands in an URL: an IPv6 address, the only name with colons, in brackets.
fn bracketed(name: &str) -> String {
    if name.contains(':') {
        format!("[{name}]")
    } else {
        name.to_owned()
    }
}
