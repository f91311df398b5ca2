//! Answers that are not gRPC, and connections that break: the status a call ends with, and what it means.
//!
//! HTTP statuses map as [http-grpc-status-mapping] says, HTTP/2 error codes as [PROTOCOL-HTTP2] says.
//!
//! [http-grpc-status-mapping]: https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md
//! [PROTOCOL-HTTP2]: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md

use crate::error::{Error, ErrorKind};
use crate::host::Host;
use crate::token::IdToken;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, StatusCode};
use std::time::Duration;
use tonic::{Code, Status};

const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");

/// Who called what: what an explanation names.
#[derive(Clone, Copy)]
pub(crate) struct Caller<'a> {
    pub(crate) host: &'a Host,
    pub(crate) audience: &'a str,
    /// The token that was sent.
    pub(crate) token: Option<&'a IdToken>,
}

impl Caller<'_> {
    fn identity(&self) -> Option<&str> {
        self.token.and_then(IdToken::identity)
    }

    fn error(&self, kind: ErrorKind, code: Code, message: String) -> Error {
        Error::new(kind, code, message)
            .with_host(self.host)
            .with_audience(self.audience)
            .with_identity(self.identity())
    }
}

/// The code of an HTTP status that comes without a `grpc-status`.
fn code(status: StatusCode) -> Code {
    match status.as_u16() {
        400 | 431 => Code::Internal,
        401 => Code::Unauthenticated,
        403 => Code::PermissionDenied,
        404 => Code::Unimplemented,
        429 | 502 | 503 | 504 => Code::Unavailable,
        _ => Code::Unknown,
    }
}

/// Why an answer did not come from the application; `None` where it did.
pub(crate) fn refusal(
    status: StatusCode,
    headers: &HeaderMap,
    caller: &Caller<'_>,
) -> Option<Error> {
    let content_type = headers
        .get(CONTENT_TYPE)
        .map(|value| String::from_utf8_lossy(value.as_bytes()));
    let is_grpc = content_type.as_deref().is_some_and(|it| {
        // With a codec or parameters behind it; but not grpc-web, which is framed otherwise.
        it.strip_prefix("application/grpc")
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['+', ';']))
    });
    if headers.contains_key(GRPC_STATUS) || (status == StatusCode::OK && is_grpc) {
        return None;
    }
    let who = match caller.identity() {
        Some(identity) => format!("as {identity}, ID token for audience {}", caller.audience),
        None if caller.token.is_some() => format!("ID token for audience {}", caller.audience),
        None => "without an ID token".to_owned(),
    };
    let message = format!(
        "{} answered HTTP {} instead of gRPC ({who}): {}",
        caller.host,
        status.as_u16(),
        explanation(status, content_type.as_deref(), caller),
    );
    Some(
        caller
            .error(ErrorKind::Refused, code(status), message)
            .with_http_status(status),
    )
}

/// The likely cause of a front end's answer, and the next step.
fn explanation(status: StatusCode, content_type: Option<&str>, caller: &Caller<'_>) -> String {
    match status.as_u16() {
        401 => wrong_token(caller),
        403 => match (caller.token, caller.identity()) {
            (None, _) => "the service lets in only callers with an ID token, and this channel sends none".to_owned(),
            (Some(_), identity) => format!(
                "the caller lacks roles/run.invoker on the service; grant it with `gcloud run services \
                 add-iam-policy-binding SERVICE --region=REGION --role=roles/run.invoker --member={}` (it takes a \
                 minute or two to apply)",
                member(identity)
            ),
        },
        404 => "no service answers at this host: it was deleted, its name or region is misspelt, or its ingress \
                setting lets in only internal traffic and this call came from outside"
            .to_owned(),
        429 => "the service is at its limit of instances, or the first one is still starting; try again, or raise \
                `--max-instances`"
            .to_owned(),
        500 => "no instance could take the call: look at the service's logs for a crash or a failed start".to_owned(),
        502 | 503 => "no instance could take the call: it failed to start, crashed, or speaks no HTTP/2 (deploy with \
                      `--use-http2`); look at the service's logs, or try again if it was starting"
            .to_owned(),
        504 => "the call took longer than the service's request timeout (5 minutes by default, an hour at most); \
                raise `--timeout`, or reconnect long streams"
            .to_owned(),
        301 | 302 | 303 | 307 | 308 => "a redirect, which gRPC does not follow: is this the service's own host, or a \
                                        sign-in page in front of it?"
            .to_owned(),
        200 => format!(
            "the content type is {}: something that is not a gRPC server answers at this host",
            content_type.unwrap_or("missing")
        ),
        _ => "something on the way to the application refused the call".to_owned(),
    }
}

fn wrong_token(caller: &Caller<'_>) -> String {
    let Some(token) = caller.token else {
        return "it asks for credentials, and this channel sends none".to_owned();
    };
    if !token.has_audience(caller.audience) {
        return format!(
            "the ID token is for {}, not for the audience that was asked for; the credentials in use cannot choose \
             one",
            token.audience().join(", ")
        );
    }
    format!(
        "most likely the service does not accept the audience {}, which must be its URL (`gcloud run services \
         describe SERVICE --format='value(status.url)'`) or one of its custom audiences, and is set with \
         `Channel::builder(host).audience(..)`; if it is right, look at this machine's clock",
        caller.audience
    )
}

/// The caller as IAM writes it.
fn member(identity: Option<&str>) -> String {
    // It stands in a command line: an address that a shell would read otherwise is not repeated there.
    let plain = |email: &&str| {
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || b".@_+-".contains(&b);
        email.bytes().all(is_plain) && !email.starts_with('-')
    };
    match identity.filter(plain) {
        Some(email) if email.ends_with(".gserviceaccount.com") => format!("serviceAccount:{email}"),
        Some(email) if email.contains('@') => format!("user:{email}"),
        _ => "serviceAccount:CALLER_EMAIL".to_owned(),
    }
}

/// The error of a call that outlived its deadline.
pub(crate) fn deadline_exceeded(
    timeout: Duration,
    waiting_for: &str,
    caller: Option<&Caller<'_>>,
) -> Error {
    match caller {
        Some(caller) => caller.error(
            ErrorKind::Deadline,
            Code::DeadlineExceeded,
            format!(
                "the deadline of {timeout:?} passed for a call to {} while {waiting_for}",
                caller.host
            ),
        ),
        None => Error::new(
            ErrorKind::Deadline,
            Code::DeadlineExceeded,
            format!("the deadline of {timeout:?} passed while {waiting_for}"),
        ),
    }
}

/// The code of an answer of headers alone; `None` where more follows.
pub(crate) fn of_headers_alone<B: http_body::Body>(response: &http::Response<B>) -> Option<Code> {
    if !response.body().is_end_stream() {
        return None;
    }
    of(response.headers())
}

/// The code in trailers.
pub(crate) fn of(trailers: &HeaderMap) -> Option<Code> {
    let status = trailers.get(GRPC_STATUS)?;
    Some(Code::from_bytes(status.as_bytes()))
}

/// Whether the server promised not to have looked at the call: `REFUSED_STREAM`, or a GOAWAY whose last stream id is
/// below the call's (h2 reports a GOAWAY to those streams alone).
pub(crate) fn is_unprocessed(error: &h2::Error) -> bool {
    let refused = error.is_reset() && error.reason() == Some(h2::Reason::REFUSED_STREAM);
    error.is_remote() && (refused || error.is_go_away())
}

/// The status of a call whose connection or stream broke.
pub(crate) fn broken(error: h2::Error, caller: &Caller<'_>) -> Status {
    let code = match error.reason() {
        None => Code::Unavailable,
        Some(_) if is_unprocessed(&error) => Code::Unavailable,
        Some(h2::Reason::CANCEL) if error.is_remote() => Code::Cancelled,
        Some(h2::Reason::ENHANCE_YOUR_CALM) => Code::ResourceExhausted,
        Some(h2::Reason::INADEQUATE_SECURITY) => Code::PermissionDenied,
        Some(_) => Code::Internal,
    };
    let message = match error.reason() {
        Some(reason) if is_unprocessed(&error) => {
            format!(
                "{} takes no more calls (HTTP/2 {reason:?}); the call was not carried out",
                caller.host
            )
        }
        Some(reason) if error.is_remote() => {
            format!("{} ended the call with HTTP/2 {reason:?}", caller.host)
        }
        Some(reason) if error.is_library() => format!(
            "what {} sent is not sound HTTP/2 ({reason:?}); is it, or a proxy in front of it, really a gRPC server?",
            caller.host
        ),
        Some(_) => format!(
            "the call to {} was broken off here: its stream of requests did not come to an end",
            caller.host
        ),
        None => format!(
            "the connection to {} broke: {error}; the call may or may not have been carried out",
            caller.host
        ),
    };
    caller
        .error(ErrorKind::Transport, code, message)
        .with_source(error)
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::tests::token_with;
    use http::HeaderValue;

    fn refused(
        status: u16,
        content_type: Option<&'static str>,
        token: Option<&IdToken>,
    ) -> Option<Error> {
        let mut headers = HeaderMap::new();
        if let Some(content_type) = content_type {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        }
        let host = Host::parse("a.run.app").unwrap();
        let caller = Caller {
            host: &host,
            audience: "https://a.run.app",
            token,
        };
        refusal(StatusCode::from_u16(status).unwrap(), &headers, &caller)
    }

    #[test]
    fn grpc_answers_pass() {
        for content_type in [
            "application/grpc",
            "application/grpc+proto",
            "application/grpc;charset=utf-8",
        ] {
            assert!(
                refused(200, Some(content_type), None).is_none(),
                "{content_type}"
            );
        }
        let mut headers = HeaderMap::new();
        headers.insert("grpc-status", HeaderValue::from_static("7"));
        let host = Host::parse("a.run.app").unwrap();
        let caller = Caller {
            host: &host,
            audience: "https://a.run.app",
            token: None,
        };
        // A gate that speaks gRPC (Envoy) says itself what it means.
        assert!(refusal(StatusCode::FORBIDDEN, &headers, &caller).is_none());
    }

    #[test]
    fn every_http_status_maps_as_the_specification_says() {
        for status in 100..=999 {
            let Ok(parsed) = StatusCode::from_u16(status) else {
                continue;
            };
            let want = match status {
                400 | 431 => Code::Internal,
                401 => Code::Unauthenticated,
                403 => Code::PermissionDenied,
                404 => Code::Unimplemented,
                429 | 502 | 503 | 504 => Code::Unavailable,
                _ => Code::Unknown,
            };
            let error = refused(parsed.as_u16(), Some("text/html"), None).unwrap();
            assert_eq!(error.code(), want, "{status}");
            assert_eq!(error.http_status(), Some(status));
        }
        assert_eq!(refused(200, None, None).unwrap().code(), Code::Unknown);
    }

    #[test]
    fn a_refusal_names_host_audience_and_caller_and_never_the_token() {
        let token = token_with(
            r#"{"exp":1795003600,"aud":"https://a.run.app","email":"me@p.iam.gserviceaccount.com"}"#,
        );
        let error = refused(403, Some("text/html"), Some(&token)).unwrap();
        assert_eq!(
            error.to_string(),
            "a.run.app answered HTTP 403 instead of gRPC (as me@p.iam.gserviceaccount.com, ID token for audience \
             https://a.run.app): the caller lacks roles/run.invoker on the service; grant it with `gcloud run \
             services add-iam-policy-binding SERVICE --region=REGION --role=roles/run.invoker \
             --member=serviceAccount:me@p.iam.gserviceaccount.com` (it takes a minute or two to apply)"
        );
        let shown = format!("{error:?} {error}");
        assert!(
            token.secret().split('.').all(|part| !shown.contains(part)),
            "{shown}"
        );
    }

    #[test]
    fn a_token_for_another_audience_is_named() {
        let token =
            token_with(r#"{"exp":1795003600,"aud":["x","https://b"],"email":"me@example.com"}"#);
        let error = refused(401, Some("text/html"), Some(&token))
            .unwrap()
            .to_string();
        assert!(
            error.contains("the ID token is for x, https://b, not for the audience"),
            "{error}"
        );
    }

    #[test]
    fn members_are_written_as_iam_writes_them() {
        assert_eq!(
            member(Some("a@p.iam.gserviceaccount.com")),
            "serviceAccount:a@p.iam.gserviceaccount.com"
        );
        assert_eq!(member(Some("me@example.com")), "user:me@example.com");
        assert_eq!(member(Some("1234567890")), "serviceAccount:CALLER_EMAIL");
        assert_eq!(member(None), "serviceAccount:CALLER_EMAIL");
        for unsafe_in_a_shell in ["a@b; reboot", "$(a)@b", "a\u{fffd}@b", "-a@b"] {
            assert_eq!(
                member(Some(unsafe_in_a_shell)),
                "serviceAccount:CALLER_EMAIL"
            );
        }
    }
}
