//! Forward proxies: `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`, as curl, Go and google-cloud-auth's own requests have them.
//!
//! The proxy is asked with CONNECT for a tunnel to the host (RFC 9110, 9.3.6), whose name it resolves itself (gRFC A1).
//!
//! `NO_PROXY` is a list with commas: `*` for all hosts; a name for itself and all names below it, with `.` or `*.` before
//! it or without; an IP address; a network (`10.0.0.0/8`). A port after a name or an address restricts it to that port.

use super::race::Unreachable;
use crate::host::Host;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderValue, Uri};
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use std::fmt;
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// The longest answer that is read, in bytes.
const LONGEST_HEAD: usize = 8 * 1024;

/// A proxy on the way to a host.
pub(crate) struct Proxy {
    pub(crate) name: String,
    pub(crate) port: u16,
    /// `Proxy-Authorization`, from the user name and password in the proxy's URL.
    authorization: Option<HeaderValue>,
}

/// Why there is no way through a proxy.
#[derive(Debug)]
pub(crate) enum ProxyError {
    /// Its URL cannot be read. It may hold a password and is not shown.
    Unreadable,
    /// Its URL is of a kind that is not supported.
    Scheme(String),
    Unreachable(Unreachable),
    Io(io::Error),
    /// It answered otherwise than with success: its status line.
    Refused(String),
    /// What it answered is not HTTP.
    NotHttp,
}

impl Proxy {
    /// The proxy that the environment sets for a host, if it does. Hosts on this machine have none.
    pub(crate) fn of_environment(host: &Host) -> Result<Option<Self>, ProxyError> {
        let first = |names: [&str; 4]| {
            let mut values = names.iter().filter_map(|name| std::env::var(name).ok());
            values.find(|value| !value.is_empty()).unwrap_or_default()
        };
        Self::chosen(
            &first(["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]),
            &first(["NO_PROXY", "no_proxy", "", ""]),
            host,
        )
    }

    /// A proxy that is set and cannot be understood is an error: going past it is not what was asked for.
    fn chosen(url: &str, excepted: &str, host: &Host) -> Result<Option<Self>, ProxyError> {
        if url.is_empty() || host.is_loopback() {
            return Ok(None);
        }
        let Ok(uri) = format!("https://{}", host.authority()).parse::<Uri>() else {
            return Ok(None);
        };
        if is_excepted(excepted, host, &uri) {
            return Ok(None);
        }
        let matcher = Matcher::builder().https(url.to_owned()).build();
        let intercept = matcher.intercept(&uri).ok_or(ProxyError::Unreadable)?;
        // A `#` or `/` in a password ends the URL's authority: what is left would pass for a name and a port.
        let is_known = intercept.basic_auth().is_some() || intercept.raw_auth().is_some();
        if url.contains('@') && !is_known {
            return Err(ProxyError::Unreadable);
        }
        Self::of(&intercept).map(Some)
    }

    fn of(intercept: &Intercept) -> Result<Self, ProxyError> {
        let uri = intercept.uri();
        let scheme = uri.scheme_str().unwrap_or("http");
        if scheme != "http" {
            return Err(ProxyError::Scheme(scheme.to_owned()));
        }
        let name = uri.host().unwrap_or_default();
        if name.is_empty()
            || (uri.port_u16().is_none() && uri.authority().is_some_and(|it| it.as_str() != name))
        {
            return Err(ProxyError::Unreadable);
        }
        let raw = intercept.raw_auth().and_then(|(user, password)| {
            let credentials = STANDARD.encode(format!("{user}:{password}"));
            HeaderValue::try_from(format!("Basic {credentials}")).ok()
        });
        Ok(Self {
            name: name.trim_matches(['[', ']']).to_owned(),
            port: uri.port_u16().unwrap_or(80),
            authorization: intercept.basic_auth().cloned().or(raw),
        })
    }

    /// Asks for a tunnel to a host. What is sent and received afterwards is the host's.
    pub(crate) async fn tunnel<T>(&self, io: &mut T, host: &Host) -> Result<(), ProxyError>
    where
        T: AsyncRead + AsyncWrite + Unpin,
    {
        let target = format!("{}:{}", bracketed(host.name()), host.port());
        let mut request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n").into_bytes();
        if let Some(authorization) = &self.authorization {
            request.extend_from_slice(b"Proxy-Authorization: ");
            request.extend_from_slice(authorization.as_bytes());
            request.extend_from_slice(b"\r\n");
        }
        request.extend_from_slice(b"\r\n");
        io.write_all(&request).await.map_err(ProxyError::Io)?;
        io.flush().await.map_err(ProxyError::Io)?;
        accepted(&head(io).await?)
    }
}

/// Where it is. Who asks is not told.
impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", bracketed(&self.name), self.port)
    }
}

/// Whether `NO_PROXY` names a host. hyper-util knows neither ports nor `*.`, and `*` only for names.
fn is_excepted(list: &str, host: &Host, uri: &Uri) -> bool {
    let port = host.port();
    let entries: Vec<_> = list
        .split(',')
        .map(str::trim)
        .filter_map(|entry| match entry.rsplit_once(':') {
            Some((name, number)) if !name.contains(':') || name.ends_with(']') => {
                (number.parse() == Ok(port)).then_some(name)
            }
            _ => Some(entry),
        })
        .map(|entry| {
            entry
                .strip_prefix('*')
                .filter(|rest| !rest.is_empty())
                .unwrap_or(entry)
        })
        .map(|entry| entry.trim_matches(['[', ']']))
        .collect();
    entries.contains(&"*")
        || Matcher::builder()
            .https("http://proxy")
            .no(entries.join(","))
            .build()
            .intercept(uri)
            .is_none()
}

fn bracketed(name: &str) -> String {
    if name.contains(':') {
        format!("[{name}]")
    } else {
        name.to_owned()
    }
}

/// Reads an answer's head, and not a byte more: what follows is the host's.
async fn head(io: &mut (impl AsyncRead + Unpin)) -> Result<Vec<u8>, ProxyError> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        // A first line that is not HTTP's will not get better.
        if head.len() == LONGEST_HEAD || (head.len() == 5 && head != b"HTTP/") {
            return Err(ProxyError::NotHttp);
        }
        head.push(io.read_u8().await.map_err(ProxyError::Io)?);
    }
    Ok(head)
}

/// Whether a head grants the tunnel: any 2xx does.
fn accepted(head: &[u8]) -> Result<(), ProxyError> {
    let line = head.split(|&byte| byte == b'\r').next().unwrap_or_default();
    let line = str::from_utf8(line).map_err(|_| ProxyError::NotHttp)?;
    let mut words = line.split(' ');
    let version = words.next().unwrap_or_default();
    let status = words.next().unwrap_or_default();
    let is_status = status.len() == 3 && status.bytes().all(|byte| byte.is_ascii_digit());
    if !version.starts_with("HTTP/1.") || !is_status {
        return Err(ProxyError::NotHttp);
    }
    if status.starts_with('2') {
        return Ok(());
    }
    let shown = line.chars().filter(|c| !c.is_control()).take(100);
    Err(ProxyError::Refused(shown.collect()))
}

impl ProxyError {
    /// What to do about it.
    pub(crate) fn advice(&self) -> &'static str {
        match self {
            Self::Unreadable | Self::Scheme(_) => {
                "set HTTPS_PROXY to http://HOST:PORT (special characters of a password as %XX), or except the host \
                 with NO_PROXY"
            }
            Self::Unreachable(_) | Self::Io(_) => {
                "check HTTPS_PROXY, or except the host with NO_PROXY"
            }
            Self::Refused(line) if line.contains(" 407") => {
                "it asks for a user name and password: write them into HTTPS_PROXY, as http://USER:PASSWORD@HOST:PORT"
            }
            Self::Refused(_) => {
                "ask its administrators to let this host through, or except it with NO_PROXY"
            }
            Self::NotHttp => "what listens there is no HTTP proxy: check HTTPS_PROXY",
        }
    }
}

impl fmt::Display for ProxyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable => f.write_str("HTTPS_PROXY (or ALL_PROXY) is no URL of a proxy"),
            Self::Unreachable(error) => write!(f, "it cannot be reached: {error}"),
            Self::Scheme(scheme) => write!(f, "proxies of the kind {scheme}:// are not supported"),
            Self::Io(error) => write!(f, "it broke off: {error}"),
            Self::Refused(line) => write!(f, "it refused the tunnel: {line}"),
            Self::NotHttp => f.write_str("it did not answer in HTTP"),
        }
    }
}

impl std::error::Error for ProxyError {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn proxy(url: &str) -> Result<Proxy, ProxyError> {
        let matcher = Matcher::builder().https(url.to_owned()).build();
        let uri = "https://a.run.app".parse().unwrap();
        Proxy::of(&matcher.intercept(&uri).unwrap())
    }

    #[test]
    fn the_url_says_where_and_who() {
        let plain = proxy("http://proxy.example:3128").unwrap();
        assert_eq!((plain.name.as_str(), plain.port), ("proxy.example", 3128));
        assert!(plain.authorization.is_none());
        // curl takes a name alone, too.
        assert_eq!(proxy("proxy.example:8080").unwrap().port, 8080);
        assert_eq!(proxy("http://[::1]:3128").unwrap().name, "::1");
        let known = proxy("http://me:s%40cret@proxy.example").unwrap();
        assert_eq!(known.port, 80);
        let sent = known.authorization.unwrap();
        assert_eq!(
            sent,
            format!("Basic {}", STANDARD.encode("me:s@cret")).as_str()
        );
        for scheme in ["https", "socks5"] {
            let Err(error) = proxy(&format!("{scheme}://proxy.example:1")) else {
                panic!("{scheme}");
            };
            assert!(error.to_string().contains(scheme), "{error}");
        }
    }

    #[test]
    fn no_proxy_excepts_names_addresses_networks_and_ports() {
        for (list, host, excepted) in [
            ("", "a.run.app", false),
            ("*", "a.run.app", true),
            ("x, *", "10.1.2.3", true),
            ("run.app", "a.run.app", true),
            (".run.app", "a.run.app", true),
            ("*.run.app", "a.run.app", true),
            ("A.RUN.APP", "a.run.app", true),
            ("n.app", "a.run.app", false),
            ("a.run.app.example", "a.run.app", false),
            ("a.run.app:443", "a.run.app", true),
            ("a.run.app:8443", "a.run.app", false),
            ("a.run.app:8443", "a.run.app:8443", true),
            ("10.0.0.0/8", "10.1.2.3", true),
            ("10.0.0.0/8", "11.1.2.3", false),
            ("10.1.2.3", "10.1.2.3:99", true),
            ("10.1.2.3:98", "10.1.2.3:99", false),
            ("2001:db8::/32", "[2001:db8::1]", true),
            ("2001:db8::1", "[2001:db8::1]", true),
            ("[2001:db8::1]:443", "[2001:db8::1]", true),
            ("[2001:db8::1]:1", "[2001:db8::1]", false),
            (",, ,:,", "a.run.app", false),
        ] {
            let host = Host::parse(host).unwrap();
            let proxy = Proxy::chosen("http://proxy.example", list, &host).unwrap();
            assert_eq!(proxy.is_none(), excepted, "{list:?} {host}");
        }
    }

    #[test]
    fn a_proxy_that_cannot_be_read_is_not_gone_past_and_not_shown() {
        let host = Host::parse("a.run.app").unwrap();
        for url in [
            "http://me:hun ter2@proxy",
            "http://me:hunter2#@:x",
            "ftp://me:hunter2@proxy",
            "http://me:12/hunter2@proxy",
            "http://proxy:99999",
            "http://proxy:",
            "http://",
        ] {
            let Err(error) = Proxy::chosen(url, "", &host) else {
                panic!("{url}");
            };
            assert!(matches!(error, ProxyError::Unreadable), "{url}: {error}");
            assert!(!format!("{error} {error:?}").contains("hunter2"));
            assert!(Proxy::chosen(url, "run.app", &host).unwrap().is_none());
        }
        for here in ["localhost", "127.0.0.1", "[::1]", "x.localhost"] {
            let host = Host::parse(here).unwrap();
            assert!(
                Proxy::chosen("http://proxy", "", &host).unwrap().is_none(),
                "{here}"
            );
        }
    }

    async fn tunnel(answer: &[u8]) -> (Result<(), ProxyError>, String) {
        let (mut near, mut far) = tokio::io::duplex(64 * 1024);
        far.write_all(answer).await.unwrap();
        let host = Host::parse("a.run.app").unwrap();
        let proxy = proxy("http://me:secret@proxy.example").unwrap();
        let asked = proxy.tunnel(&mut near, &host);
        let shut = async {
            tokio::task::yield_now().await;
            let mut request = vec![0; 4096];
            let read = far.read(&mut request).await.unwrap();
            drop(far);
            String::from_utf8(request[..read].to_vec()).unwrap()
        };
        tokio::join!(asked, shut)
    }

    #[tokio::test]
    async fn asks_as_the_rfc_says() {
        let (outcome, request) = tunnel(b"HTTP/1.1 200 OK\r\nVia: x\r\n\r\n").await;
        outcome.unwrap();
        assert_eq!(
            request,
            format!(
                "CONNECT a.run.app:443 HTTP/1.1\r\nHost: a.run.app:443\r\nProxy-Authorization: Basic {}\r\n\r\n",
                STANDARD.encode("me:secret")
            )
        );
    }

    #[tokio::test]
    async fn anything_but_success_is_told_with_its_first_line_alone() {
        for (answer, says) in [
            (
                &b"HTTP/1.1 403 Forbidden\r\nX: secret\r\n\r\n"[..],
                "HTTP/1.1 403 Forbidden",
            ),
            (b"HTTP/1.0 407 Who?\r\n\r\n", "407 Who?"),
            (b"SSH-2.0-OpenSSH_9\r\n", "did not answer in HTTP"),
            (b"HTTP/2 200\r\n\r\n", "did not answer in HTTP"),
            (b"HTTP/1.1 2\r\n\r\n", "did not answer in HTTP"),
            (b"HTTP/1.1 200 OK\r\n", "broke off"),
            (b"", "broke off"),
        ] {
            let error = tunnel(answer).await.0.unwrap_err().to_string();
            assert!(error.contains(says), "{says}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
        let endless = [b"HTTP/1.1 200 OK\r\n".to_vec(), vec![b'x'; 20_000]].concat();
        assert!(matches!(tunnel(&endless).await.0, Err(ProxyError::NotHttp)));
    }

    proptest! {
        #[test]
        fn any_variables_are_read_or_refused(url in "\\PC{0,60}", list in "[a-z0-9.:*,/\\[\\] ]{0,40}") {
            let host = Host::parse("a.run.app").unwrap();
            let _ = Proxy::chosen(&url, &list, &host);
            let _ = Proxy::chosen(&format!("http://{url}"), "", &host);
        }

        #[test]
        fn any_head_is_taken_or_refused(head in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = accepted(&head);
        }
    }
}
