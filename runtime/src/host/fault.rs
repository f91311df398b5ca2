//! What can be wrong with a host's text, and what to write instead.

use super::{Host, MAX_LABEL, MAX_NAME, parse, split_scheme};
use std::fmt;

const EXAMPLE: &str = "bookstore-7x2kq-uc.a.run.app";
/// How much of a wrong text an error shows, in characters.
const SHOWN: usize = 100;

/// Why a text is not a [`Host`].
///
/// Its text names the fault and what to write instead. It shows the text that was given, without user information and
/// without the values of a query, where passwords might stand, and cut off after 100 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostError {
    shown: String,
    fault: Fault,
    /// A host that can be read out of the wrong text, probably the one that was meant.
    instead: Option<Host>,
}

impl HostError {
    pub(super) fn new(text: &str, fault: Fault) -> Self {
        Self {
            shown: shown(text),
            instead: instead(text, &fault),
            fault,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    Empty,
    Padded,
    Blank(char),
    Plaintext,
    Scheme,
    NoName,
    UserInformation,
    Path,
    Query,
    Fragment,
    PortMissing,
    PortNotANumber,
    PortOutOfRange,
    Ipv4,
    Ipv6,
    Ipv6WithoutBrackets,
    NonAscii(char),
    Wildcard,
    Underscore,
    Character(char),
    LabelEmpty,
    LabelHyphen(Box<str>),
    LabelTooLong(usize),
    NameTooLong(usize),
}

impl std::error::Error for HostError {}

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.fault == Fault::Empty {
            return write!(
                f,
                "the host is empty: write the service's host name, such as {EXAMPLE:?}"
            );
        }
        write!(f, "the host {} {}", self.shown, self.fault)?;
        match (&self.instead, &self.fault) {
            (Some(host), Fault::Plaintext) if host.is_loopback() => write!(
                f,
                ": write {:?}, and for a server without TLS on this machine build the channel with \
                 danger_plaintext_loopback()",
                host.authority()
            ),
            (Some(host), _) => write!(f, ": write {:?}", host.authority()),
            // These say what to do themselves.
            (None, Fault::NonAscii(_) | Fault::Ipv6 | Fault::Ipv4 | Fault::PortOutOfRange) => {
                Ok(())
            }
            (None, _) => write!(
                f,
                ": write the service's host name alone, such as {EXAMPLE:?}"
            ),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("is empty"),
            Self::Padded => f.write_str("has white space around it"),
            Self::Blank(c) => write!(f, "contains {c:?}, and a host has no white space or control characters"),
            Self::Plaintext => f.write_str("starts with http://, but ID tokens travel over TLS only"),
            Self::Scheme => f.write_str("has a scheme other than https"),
            Self::NoName => f.write_str("has no name in it"),
            Self::UserInformation => f.write_str("has user information before an @, which Cloud Run does not use"),
            Self::Path => f.write_str("has a path, and gRPC sets the path of each call itself"),
            Self::Query => f.write_str("has a query, and gRPC calls have none"),
            Self::Fragment => f.write_str("has a fragment (#), which is not part of a host"),
            Self::PortMissing => f.write_str("has a colon but no port after it"),
            Self::PortNotANumber => f.write_str("has a port that is not a number"),
            Self::PortOutOfRange => f.write_str("has a port out of range: write one from 1 to 65535, or none for 443"),
            Self::Ipv4 => f.write_str(
                "ends in a number but is not an IPv4 address: write four numbers from 0 to 255 without leading zeros, \
                 such as \"127.0.0.1\", or the service's host name",
            ),
            Self::Ipv6 => f.write_str(
                "has brackets around something that is not an IPv6 address: write an address without a zone, such as \
                 \"[::1]\" or \"[::1]:8080\"",
            ),
            Self::Ipv6WithoutBrackets => f.write_str("is an IPv6 address without brackets"),
            Self::NonAscii(c) => write!(
                f,
                "contains {c:?}, which is not ASCII: write an international name in its ASCII form (punycode), such \
                 as \"xn--bcher-kva.example\" for \"b\u{fc}cher.example\""
            ),
            Self::Wildcard => f.write_str("contains a wildcard (*), and a call goes to one host"),
            Self::Underscore => f.write_str("contains an underscore, which host names cannot have"),
            Self::Character(c) => write!(f, "contains {c:?}, and host names have only a-z, 0-9, '-' and '.'"),
            Self::LabelEmpty => f.write_str("has nothing between two dots, or a dot at its start"),
            Self::LabelHyphen(label) => write!(f, "has the part '{}', which starts or ends with a hyphen", cut(label)),
            Self::LabelTooLong(len) => {
                write!(f, "has a part of {len} characters between dots, and DNS allows {MAX_LABEL}")
            }
            Self::NameTooLong(len) => write!(f, "has a name of {len} characters, and DNS allows {MAX_NAME}"),
        }
    }
}

/// The given text, quoted and escaped, without what might be a secret.
fn shown(text: &str) -> String {
    let (scheme, rest) = split_scheme(text);
    // A password may contain slashes and question marks: all before the last @ goes.
    let (user, rest) = rest.rfind('@').map_or(("", rest), |at| ("…", &rest[at..]));
    let (rest, tail) = rest
        .find(['?', '#'])
        .map_or((rest, ""), |at| (&rest[..=at], "…"));
    format!("{:?}", cut(&format!("{scheme}{user}{rest}{tail}")))
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The host that was probably meant, if what is left without the fault is one.
fn instead(text: &str, fault: &Fault) -> Option<Host> {
    let (_, rest) = split_scheme(text);
    // As in gRPC's own dns:///host.
    let rest = rest.trim_start_matches('/');
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let candidate = match fault {
        Fault::Padded => text.trim(),
        Fault::UserInformation => authority.rsplit('@').next().unwrap_or(authority),
        // Without a slash, what stands there might be the start of a password with a slash in it.
        Fault::Path | Fault::Query | Fault::Fragment if rest.contains('@') => return None,
        Fault::Plaintext | Fault::Scheme | Fault::Path | Fault::Query | Fault::Fragment => {
            authority
        }
        Fault::PortMissing => authority.trim_end_matches(':'),
        Fault::Ipv6WithoutBrackets => return parse(&format!("[{authority}]")).ok(),
        Fault::PortNotANumber => authority.split(':').next().unwrap_or(authority),
        _ => return None,
    };
    parse(candidate).ok()
}
