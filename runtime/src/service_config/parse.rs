//! A service config from its JSON, strictly: a policy that is silently not applied is worse than none.

use super::{MethodConfig, ServiceConfig};
use crate::channel::MessageLimit;
use crate::error::Error;
use crate::retry::{Codes, RetryPolicy, Throttle};
use serde_json::{Map, Value};
use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;
use tonic::Code;

/// More attempts than this are taken for this (A6).
const MOST_ATTEMPTS: u32 = 5;

const CODES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

type Object = Map<String, Value>;

/// The faults found so far, each with its place.
#[derive(Default)]
struct Faults(Vec<String>);

impl Faults {
    fn add(&mut self, at: &str, what: impl Display) {
        self.0.push(format!("{at}: {what}"));
    }

    /// Notes a fault in what is there and is not as it should be.
    fn or<T>(&mut self, at: &str, value: Result<T, String>) -> Option<T> {
        value.map_err(|what| self.add(at, what)).ok()
    }
}

pub(super) fn service_config(json: &str) -> Result<ServiceConfig, Error> {
    let mut faults = Faults::default();
    let mut config = ServiceConfig::default();
    match serde_json::from_str(json) {
        Ok(Value::Object(all)) => {
            for (at, method) in objects(&all, "methodConfig", &mut faults) {
                method_config(&at, method, &mut config, &mut faults);
            }
            config.throttle = all
                .get("retryThrottling")
                .and_then(|value| throttle(value, &mut faults));
        }
        Ok(_) => faults.add("the text", "it is not a JSON object"),
        Err(error) => faults.add("the text", format!("it is not JSON: {error}")),
    }
    if faults.0.is_empty() {
        return Ok(config);
    }
    Err(Error::configuration(format!(
        "the service config cannot be used: {}",
        faults.0.join("; ")
    )))
}

/// The objects of a list that may be missing, with their places.
fn objects<'a>(of: &'a Object, name: &str, faults: &mut Faults) -> Vec<(String, &'a Object)> {
    match of.get(name) {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(list)) => list
            .iter()
            .enumerate()
            .filter_map(|(index, value)| {
                let at = format!("{name}[{index}]");
                let object = value.as_object();
                if object.is_none() {
                    faults.add(&at, "it is not an object");
                }
                Some((at, object?))
            })
            .collect(),
        Some(_) => {
            faults.add(name, "it is not a list");
            Vec::new()
        }
    }
}

fn method_config(at: &str, of: &Object, config: &mut ServiceConfig, faults: &mut Faults) {
    let wait_for_ready = optional(of, "waitForReady", at, faults, boolean).unwrap_or_default();
    let timeout = optional(of, "timeout", at, faults, duration);
    let request_limit = optional(of, "maxRequestMessageBytes", at, faults, limit);
    let response_limit = optional(of, "maxResponseMessageBytes", at, faults, limit);
    if of.contains_key("hedgingPolicy") {
        faults.add(
            &format!("{at}.hedgingPolicy"),
            "hedging is not supported; use a retryPolicy",
        );
    }
    let retry = of
        .get("retryPolicy")
        .and_then(|value| retry_policy(&format!("{at}.retryPolicy"), value, faults));
    let method = Arc::new(MethodConfig {
        timeout,
        wait_for_ready,
        request_limit,
        response_limit,
        retry,
    });
    for (place, name) in objects(of, "name", faults) {
        let at = format!("{at}.{place}");
        if let Some(path) = faults.or(&at, path(name))
            && config
                .methods
                .insert(path.clone(), method.clone())
                .is_some()
        {
            faults.add(&at, format!("{path:?} has an entry already"));
        }
    }
}

fn optional<T>(
    of: &Object,
    name: &str,
    at: &str,
    faults: &mut Faults,
    read: fn(&Value) -> Result<T, String>,
) -> Option<T> {
    let value = of.get(name).filter(|value| !value.is_null())?;
    faults.or(&format!("{at}.{name}"), read(value))
}

fn required<T>(
    of: &Object,
    name: &str,
    at: &str,
    faults: &mut Faults,
    read: fn(&Value) -> Result<T, String>,
) -> Option<T> {
    if of.get(name).is_none_or(Value::is_null) {
        faults.add(&format!("{at}.{name}"), "it is missing");
    }
    optional(of, name, at, faults, read)
}

/// `{"service": …, "method": …}` as the beginning of a path, or all of it.
fn path(name: &Object) -> Result<String, String> {
    let text = |field: &str| match name.get(field) {
        None | Some(Value::Null) => Ok(""),
        Some(Value::String(text)) => Ok(text.as_str()),
        Some(_) => Err(format!("the {field} is not a text")),
    };
    match (text("service")?, text("method")?) {
        ("", "") => Ok(String::new()),
        ("", _) => Err("it has a method and no service".to_owned()),
        (service, method) => Ok(format!("/{service}/{method}")),
    }
}

fn boolean(value: &Value) -> Result<bool, String> {
    value
        .as_bool()
        .ok_or_else(|| "it is neither true nor false".to_owned())
}

/// A duration as protobuf's JSON has it: `"1.5s"`.
fn duration(value: &Value) -> Result<Duration, String> {
    let wrong = || format!("{value} is not a duration, which is written like \"1.5s\"");
    let text = value.as_str().and_then(|text| text.strip_suffix('s'));
    let text = text.ok_or_else(wrong)?;
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    if !is_number(seconds) || !is_number(fraction) || fraction.len() > 9 {
        return Err(wrong());
    }
    let nanos = format!("{fraction:0<9}").parse().map_err(|_| wrong())?;
    let duration = Duration::new(seconds.parse().map_err(|_| wrong())?, nanos);
    if duration.is_zero() {
        return Err("it must be longer than nothing".to_owned());
    }
    Ok(duration)
}

/// A size, which protobuf's JSON may have as a text.
fn limit(value: &Value) -> Result<MessageLimit, String> {
    let number = match value {
        Value::String(text) => text.parse().ok(),
        _ => value.as_u64(),
    };
    number
        .and_then(|number| usize::try_from(number).ok())
        .map(MessageLimit)
        .ok_or_else(|| format!("{value} is not a number of bytes"))
}

fn positive(value: &Value) -> Result<f64, String> {
    value
        .as_f64()
        .filter(|number| *number > 0.0 && number.is_finite())
        .ok_or_else(|| format!("{value} is not a number above 0"))
}

fn attempts(value: &Value) -> Result<u32, String> {
    match value.as_u64() {
        Some(attempts @ 2..) => Ok(u32::try_from(attempts)
            .unwrap_or(MOST_ATTEMPTS)
            .min(MOST_ATTEMPTS)),
        _ => Err(format!("{value} is not a whole number of 2 or more")),
    }
}

fn codes(value: &Value) -> Result<Codes, String> {
    let list = value.as_array().filter(|list| !list.is_empty());
    let list = list.ok_or("it is not a list of one status code or more")?;
    let mut codes = Codes::default();
    for value in list {
        let number = match value {
            Value::String(name) => CODES
                .iter()
                .position(|code| code.eq_ignore_ascii_case(name)),
            _ => value
                .as_u64()
                .and_then(|number| usize::try_from(number).ok()),
        };
        match number.filter(|number| *number < CODES.len()) {
            // There are 17 of them.
            Some(number) => codes.insert(Code::from_i32(i32::try_from(number).unwrap_or_default())),
            None => return Err(format!("{value} is not a gRPC status code")),
        }
    }
    Ok(codes)
}

fn retry_policy(at: &str, value: &Value, faults: &mut Faults) -> Option<RetryPolicy> {
    let of = faults.or(
        at,
        value.as_object().ok_or("it is not an object".to_owned()),
    )?;
    // All of them, so that all faults are found.
    let max_attempts = required(of, "maxAttempts", at, faults, attempts);
    let initial_backoff = required(of, "initialBackoff", at, faults, duration);
    let max_backoff = required(of, "maxBackoff", at, faults, duration);
    let multiplier = required(of, "backoffMultiplier", at, faults, positive);
    let codes = required(of, "retryableStatusCodes", at, faults, codes);
    Some(RetryPolicy {
        max_attempts: max_attempts?,
        initial_backoff: initial_backoff?,
        max_backoff: max_backoff?,
        multiplier: multiplier?,
        codes: codes?,
    })
}

fn throttle(value: &Value, faults: &mut Faults) -> Option<Throttle> {
    let at = "retryThrottling";
    let of = faults.or(
        at,
        value.as_object().ok_or("it is not an object".to_owned()),
    )?;
    let max = required(of, "maxTokens", at, faults, |value| {
        match thousandths(value)? {
            tokens if tokens <= 1_000_000 => Ok(tokens),
            _ => Err(format!("{value} is above 1000")),
        }
    });
    let ratio = required(of, "tokenRatio", at, faults, thousandths);
    Some(Throttle::new(max?, ratio?))
}

/// A number above 0 of which three decimal places count.
fn thousandths(value: &Value) -> Result<u32, String> {
    let number = (positive(value)? * 1000.0).round();
    if number < 1.0 {
        return Err(format!("{value} is less than a thousandth"));
    }
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is whole and within bounds"
    )]
    Ok(number.min(f64::from(u32::MAX)) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FULL: &str = r#"{
        "methodConfig": [
            {
                "name": [{"service": "a.B", "method": "Get"}, {"service": "a.C"}],
                "timeout": "1.5s",
                "waitForReady": true,
                "maxRequestMessageBytes": 1000,
                "maxResponseMessageBytes": "2000",
                "retryPolicy": {
                    "maxAttempts": 9,
                    "initialBackoff": "0.1s",
                    "maxBackoff": "1s",
                    "backoffMultiplier": 2,
                    "retryableStatusCodes": ["UNAVAILABLE", "aborted", 8]
                }
            },
            {"name": [{}], "timeout": "60s"}
        ],
        "retryThrottling": {"maxTokens": 10, "tokenRatio": 0.1},
        "loadBalancingConfig": [{"round_robin": {}}]
    }"#;

    fn faults(json: &str) -> String {
        service_config(json).unwrap_err().to_string()
    }

    #[test]
    fn the_most_specific_entry_counts() {
        let config = service_config(FULL).unwrap();
        let get = config.method("/a.B/Get").unwrap();
        assert_eq!(get.timeout, Some(Duration::from_millis(1500)));
        assert!(get.wait_for_ready);
        assert_eq!(get.request_limit, Some(MessageLimit(1000)));
        assert_eq!(get.response_limit, Some(MessageLimit(2000)));
        assert_eq!(config.method("/a.C/Anything"), Some(get));
        for other in ["/a.B/Put", "/a/Get", "/a.B.C/Get", "", "/"] {
            let other = config.method(other).unwrap();
            assert_eq!(other.timeout, Some(Duration::from_secs(60)));
            assert_eq!(other.retry, None);
        }
        assert_eq!(service_config("{}").unwrap().method("/a.B/Get"), None);
    }

    #[test]
    fn a_policy_is_read_as_a6_says() {
        let config = service_config(FULL).unwrap();
        let policy = config.method("/a.B/Get").unwrap().retry.clone().unwrap();
        assert_eq!(policy.max_attempts, 5);
        assert_eq!(policy.initial_backoff, Duration::from_millis(100));
        assert_eq!(policy.max_backoff, Duration::from_secs(1));
        for (code, retried) in [
            (Code::Unavailable, true),
            (Code::Aborted, true),
            (Code::ResourceExhausted, true),
            (Code::Internal, false),
        ] {
            assert_eq!(policy.codes.contains(code), retried, "{code:?}");
        }
        assert!(config.throttle.is_some());
    }

    #[test]
    fn all_faults_are_told_with_their_places() {
        let error = faults(
            r#"{
                "methodConfig": [
                    {"name": [{"service": "a.B"}, {"service": "a.B"}, {"method": "Get"}], "timeout": "soon"},
                    {"name": [{"service": 7}], "waitForReady": "yes", "maxRequestMessageBytes": -1,
                     "retryPolicy": {"maxAttempts": 1, "initialBackoff": "0s", "backoffMultiplier": 0,
                                     "retryableStatusCodes": ["UNAVAILABLE", "NOT_A_CODE"]}},
                    {"hedgingPolicy": {}}, 5
                ],
                "retryThrottling": {"maxTokens": 1001}
            }"#,
        );
        for want in [
            "methodConfig[0].name[1]: \"/a.B/\" has an entry already",
            "methodConfig[0].name[2]: it has a method and no service",
            "methodConfig[0].timeout: \"soon\" is not a duration",
            "methodConfig[1].name[0]: the service is not a text",
            "methodConfig[1].waitForReady: it is neither true nor false",
            "methodConfig[1].maxRequestMessageBytes: -1 is not a number of bytes",
            "methodConfig[1].retryPolicy.maxAttempts: 1 is not a whole number of 2 or more",
            "methodConfig[1].retryPolicy.initialBackoff: it must be longer than nothing",
            "methodConfig[1].retryPolicy.maxBackoff: it is missing",
            "methodConfig[1].retryPolicy.backoffMultiplier: 0 is not a number above 0",
            "methodConfig[1].retryPolicy.retryableStatusCodes: \"NOT_A_CODE\" is not a gRPC status code",
            "methodConfig[2].hedgingPolicy: hedging is not supported",
            "methodConfig[3]: it is not an object",
            "retryThrottling.maxTokens: 1001 is above 1000",
            "retryThrottling.tokenRatio: it is missing",
        ] {
            assert!(error.contains(want), "{want}\n{error}");
        }
    }

    #[test]
    fn what_is_no_service_config_is_refused() {
        assert!(faults("").contains("it is not JSON"));
        assert!(faults("[]").contains("it is not a JSON object"));
        assert!(faults(r#"{"methodConfig": {}}"#).contains("methodConfig: it is not a list"));
    }

    #[test]
    fn durations_are_those_of_protobuf() {
        let read = |text: &str| duration(&Value::from(text)).ok();
        assert_eq!(read("1s"), Some(Duration::from_secs(1)));
        assert_eq!(read("0.000000001s"), Some(Duration::from_nanos(1)));
        for wrong in [
            "",
            "s",
            "1",
            "1m",
            ".5s",
            "1.s",
            "-1s",
            "1e3s",
            "0.0000000001s",
            "0s",
        ] {
            assert_eq!(read(wrong), None, "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,60}") {
            let _ = service_config(&text);
            let _ = duration(&Value::from(text));
        }
    }
}
