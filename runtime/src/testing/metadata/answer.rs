//! One request to the metadata server and its answer.

use std::future::pending;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue, SERVER};
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;

use super::super::events::Event;
use super::super::fault::MetadataFault;
use super::super::token::{TokenInfo, TokenSpec};
use super::query::parameter;
use super::state::State;

const FLAVOR: HeaderName = HeaderName::from_static("metadata-flavor");
const ACCOUNTS: &str = "/computeMetadata/v1/instance/service-accounts/";

/// The server was told to close the connection without an answer.
#[derive(Debug)]
pub(super) struct Disconnected;

impl std::fmt::Display for Disconnected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the metadata server closes the connection, as it was told to")
    }
}

impl std::error::Error for Disconnected {}

/// What an endpoint answers with.
struct Answer {
    status: u16,
    kind: &'static str,
    text: String,
}

impl Answer {
    fn ok(text: impl Into<String>) -> Self {
        Self {
            status: 200,
            kind: "application/text",
            text: text.into(),
        }
    }

    fn failed(status: u16, text: impl Into<String>) -> Self {
        Self {
            status,
            kind: "text/html; charset=UTF-8",
            text: text.into(),
        }
    }
}

pub(super) async fn answer<B>(
    state: &State,
    request: &Request<B>,
) -> Result<Response<Full<Bytes>>, Disconnected> {
    let answer = respond(state, request).await?;
    let mut response = Response::new(Full::new(Bytes::from(answer.text)));
    *response.status_mut() = StatusCode::from_u16(answer.status)
        .ok()
        .filter(|status| (200..600).contains(&status.as_u16()))
        .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(answer.kind));
    headers.insert(FLAVOR, HeaderValue::from_static("Google"));
    headers.insert(SERVER, HeaderValue::from_static("Metadata Server for VM"));
    Ok(response)
}

async fn respond<B>(state: &State, request: &Request<B>) -> Result<Answer, Disconnected> {
    let path = request.uri().path();
    // Programs ask this to find out whether they run on Google Cloud; it needs no header.
    if path == "/" {
        return Ok(Answer::ok("computeMetadata/\n"));
    }
    if request.method() != Method::GET {
        return Ok(Answer::failed(405, "only GET is served here\n"));
    }
    if request.headers().contains_key("x-forwarded-for") {
        return Ok(Answer::failed(
            403,
            "requests through a proxy are not served\n",
        ));
    }
    if request
        .headers()
        .get(FLAVOR)
        .is_none_or(|flavor| flavor != "Google")
    {
        return Ok(Answer::failed(
            403,
            "the header Metadata-Flavor: Google is missing\n",
        ));
    }
    match path {
        "/computeMetadata/v1/universe/universe-domain" => return Ok(Answer::ok("googleapis.com")),
        "/computeMetadata/v1/project/project-id" => return Ok(Answer::ok(state.project())),
        _ => {}
    }
    let account = path
        .strip_prefix(ACCOUNTS)
        .and_then(|rest| rest.split_once('/'))
        .filter(|(account, _)| *account == "default" || *account == state.identity);
    match account {
        Some((_, "email")) => Ok(Answer::ok(state.identity.as_str())),
        Some((_, "")) if request.uri().query() == Some("recursive=true") => Ok(about(state)),
        Some((_, "identity")) => token(state, request.uri().query().unwrap_or_default()).await,
        _ => Ok(Answer::failed(404, format!("{path} is not found\n"))),
    }
}

async fn token(state: &State, query: &str) -> Result<Answer, Disconnected> {
    state.requests.fetch_add(1, Ordering::SeqCst);
    // Taken before the delay: the request meets the fault that was set when it came.
    let fault = state.faults.take();
    let delay = state.delay();
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    let audience = parameter(query, "audience").unwrap_or_default();
    let full = parameter(query, "format").is_some_and(|format| format == "full");
    if let Some(fault) = fault {
        state.events.emit(&Event::TokenRequestFaulted {
            fault: fault.clone(),
        });
        return faulted(state, fault, audience, full).await;
    }
    if audience.is_empty() {
        return Ok(Answer::failed(400, "the audience parameter is missing\n"));
    }
    let handed_out = state.hand_out(&audience, full);
    let event = if handed_out.repeated {
        Event::TokenRepeated {
            token: handed_out.info,
        }
    } else {
        Event::TokenMinted {
            token: handed_out.info,
        }
    };
    state.events.emit(&event);
    Ok(jwt(handed_out.token))
}

async fn faulted(
    state: &State,
    fault: MetadataFault,
    audience: String,
    full: bool,
) -> Result<Answer, Disconnected> {
    let spec = TokenSpec::new(audience).lifetime(state.lifetime());
    let mint = |spec| {
        let (token, _info): (_, TokenInfo) = state.mint(spec, full);
        Ok(jwt(token))
    };
    match fault {
        MetadataFault::Status(status) => Ok(Answer::failed(
            status,
            format!("the metadata server answers {status}, as it was told to\n"),
        )),
        MetadataFault::Hang => pending().await,
        MetadataFault::Disconnect => Err(Disconnected),
        MetadataFault::Garbage => Ok(jwt("this is not a token".to_owned())),
        MetadataFault::Body(text) => Ok(jwt(text)),
        MetadataFault::NoExpiry => mint(spec.without_expiry()),
        MetadataFault::Expired => mint(spec.expires_at(state.ago(Duration::from_mins(1)))),
        MetadataFault::WrongAudience => mint(TokenSpec {
            audience: "https://wrong-audience.example.com".to_owned(),
            ..spec
        }),
        MetadataFault::WrongSignature => mint(spec.forged()),
    }
}

/// Google's metadata server, too, sends a token as HTML.
/// All of an account at once, as google-auth for Python asks for it.
fn about(state: &State) -> Answer {
    let account = serde_json::json!({
        "aliases": ["default"],
        "email": state.identity,
        "scopes": ["https://www.googleapis.com/auth/cloud-platform"],
    });
    Answer {
        status: 200,
        kind: "application/json",
        text: account.to_string(),
    }
}

fn jwt(token: String) -> Answer {
    Answer {
        status: 200,
        kind: "text/html",
        text: token,
    }
}
