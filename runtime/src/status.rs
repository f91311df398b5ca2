//! Answers that are not gRPC, and connections that break: the status a call ends with, and what it means.
//!
//! HTTP statuses map as [http-grpc-status-mapping] says, HTTP/2 error codes as [PROTOCOL-HTTP2] says.
//!
//! [http-grpc-status-mapping]: https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md
//! [PROTOCOL-HTTP2]: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md

use crate::error::{Error, ErrorKind, causes};
use crate::host::Host;
use crate::token::IdToken;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use std::error::Error as StdError;
use std::time::Duration;
use tonic::{Code, Status};

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
    let is_grpc = content_type
        .as_deref()
        .is_some_and(|it| it.starts_with("application/grpc"));
    if headers.contains_key("grpc-status") || (status == StatusCode::OK && is_grpc) {
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
    "the audience is not one the service accepts, or the token has expired by its clock; the audience must be the \
     service's URL (`gcloud run services describe SERVICE --format='value(status.url)'`) or one of its custom \
     audiences: set it with `Channel::builder(host).audience(..)`; is this machine's clock right?"
        .to_owned()
}

/// The caller as IAM writes it.
fn member(identity: Option<&str>) -> String {
    match identity {
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

/// Whether the server promised not to have looked at the call.
pub(crate) fn is_refused_stream(error: &(dyn StdError + 'static)) -> bool {
    find::<h2::Error>(error).is_some_and(|error| {
        error.is_remote() && error.reason() == Some(h2::Reason::REFUSED_STREAM)
    })
}

/// The status of a call whose connection or stream broke.
pub(crate) fn broken(error: Box<dyn StdError + Send + Sync>, caller: &Caller<'_>) -> Status {
    // The request's own stream failed, in the encoder: that is what the caller wants to know.
    if let Some(status) = find::<Status>(&*error) {
        return status.clone();
    }
    let reason = find::<h2::Error>(&*error).and_then(h2::Error::reason);
    let code = match reason {
        Some(h2::Reason::CANCEL) => Code::Cancelled,
        Some(h2::Reason::ENHANCE_YOUR_CALM) => Code::ResourceExhausted,
        Some(h2::Reason::INADEQUATE_SECURITY) => Code::PermissionDenied,
        Some(h2::Reason::REFUSED_STREAM) | None => Code::Unavailable,
        Some(_) => Code::Internal,
    };
    let cause = causes(&*error)
        .last()
        .map(ToString::to_string)
        .unwrap_or_default();
    let message = match reason {
        Some(reason) => format!("{} ended the call with HTTP/2 {reason:?}", caller.host),
        None => format!(
            "the connection to {} broke: {cause}; the call may or may not have been carried out",
            caller.host
        ),
    };
    caller
        .error(ErrorKind::Transport, code, message)
        .with_source(error)
        .into()
}

fn find<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    causes(error).find_map(|error| error.downcast_ref())
}
