//! The claims of a JWT that matter here, read from the payload.

use super::fault::{Fault, Part};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Number, Value};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The end of the year 9999, the last that RFC 3339 can write: a later `exp` is not in seconds. Below it, every sum of
/// times that is formed here has its place in `SystemTime`.
const MAX_SECONDS: u64 = 253_402_300_799;

#[derive(Clone)]
pub(super) struct Claims {
    pub(super) expires_at: SystemTime,
    pub(super) issued_at: Option<SystemTime>,
    pub(super) audience: Vec<String>,
    pub(super) issuer: Option<String>,
    pub(super) email: Option<String>,
    pub(super) subject: Option<String>,
}

impl Claims {
    pub(super) fn from_payload(payload: &Map<String, Value>) -> Result<Self, Fault> {
        let expires_at = match payload.get("exp") {
            None | Some(Value::Null) => return Err(Fault::NoExpiry),
            Some(Value::Number(exp)) => time(exp).ok_or(Fault::ExpiryOutOfRange)?,
            Some(_) => return Err(Fault::ExpiryNotANumber),
        };
        Ok(Self {
            expires_at,
            issued_at: payload.get("iat").and_then(Value::as_number).and_then(time),
            audience: strings(payload, "aud")?,
            issuer: string(payload, "iss")?,
            email: string(payload, "email")?,
            subject: string(payload, "sub")?,
        })
    }
}

/// A `NumericDate` (RFC 7519, section 2): seconds since 1970, perhaps with a fraction, which is dropped.
fn time(date: &Number) -> Option<SystemTime> {
    let seconds = match (date.as_u64(), date.as_f64()) {
        (Some(seconds), _) => Duration::from_secs(seconds),
        (None, Some(seconds)) => Duration::try_from_secs_f64(seconds.trunc()).ok()?,
        (None, None) => return None,
    };
    if seconds.as_secs() > MAX_SECONDS {
        return None;
    }
    UNIX_EPOCH.checked_add(seconds)
}

fn string(payload: &Map<String, Value>, claim: &'static str) -> Result<Option<String>, Fault> {
    match payload.get(claim) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(printable(text))),
        Some(_) => Err(Fault::NotAString(claim)),
    }
}

/// Claims end up in messages and in terminals: without what would steer those.
fn printable(text: &str) -> String {
    text.replace(char::is_control, "\u{fffd}")
}

/// One string, or a list of them.
fn strings(payload: &Map<String, Value>, claim: &'static str) -> Result<Vec<String>, Fault> {
    match payload.get(claim) {
        Some(Value::Array(list)) => list
            .iter()
            .map(|item| item.as_str().map(printable).ok_or(Fault::NotAString(claim)))
            .collect(),
        _ => Ok(string(payload, claim)?.into_iter().collect()),
    }
}

/// Reads a part of a JWT that is a JSON object.
///
/// The errors of the decoders are dropped on purpose: they quote what they read.
pub(super) fn object(text: &str, part: Part) -> Result<Map<String, Value>, Fault> {
    check_base64url(text, part)?;
    let json = URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|_| Fault::NotBase64(part))?;
    serde_json::from_slice(&json).map_err(|_| Fault::NotAnObject(part))
}

/// Checks the alphabet and the length, which also makes the text safe in a header.
pub(super) fn check_base64url(text: &str, part: Part) -> Result<(), Fault> {
    let alphabet = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    if text.is_empty() {
        Err(Fault::EmptyPart(part))
    } else if text.len() % 4 == 1 || !text.bytes().all(alphabet) {
        Err(Fault::NotBase64(part))
    } else {
        Ok(())
    }
}
