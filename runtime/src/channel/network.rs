//! A call over the network: its token, its connection, and the attempts it may take.

use super::builder::TokenHeader;
use super::connection::{Failure, Lease};
use super::connections::Connections;
use super::framing::{MessageLimit, PREFIX};
use super::incoming::Incoming;
use super::progress::Progress;
use super::replay::{AttemptBody, Recording};
use crate::cache::{Held, TokenCache};
use crate::deadline::Deadline;
use crate::error::Error;
use crate::host::Host;
use crate::retry::{self, Attempts, RetryPolicy};
use crate::service_config::{MethodConfig, ServiceConfig};
use crate::status::{self, Caller};
use crate::telemetry;
use http::header::{AUTHORIZATION, CONTENT_TYPE, TE, USER_AGENT};
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Uri};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};
use tonic::{Code, Status};

const X_SERVERLESS_AUTHORIZATION: HeaderName =
    HeaderName::from_static("x-serverless-authorization");

const GRPC_ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");

const GRPC_ACCEPT_ENCODING: HeaderName = HeaderName::from_static("grpc-accept-encoding");

const GRPC: HeaderValue = HeaderValue::from_static("application/grpc");

const TRAILERS: HeaderValue = HeaderValue::from_static("trailers");

const AGENT: HeaderValue =
    HeaderValue::from_static(concat!("tonic-cloud-run/", env!("CARGO_PKG_VERSION")));

/// The headers that an attempt adds to the client's.
const ADDED: usize = 5;

/// How often a call is sent again that the application never saw: nothing of it was written, or the server promised
/// so, with `REFUSED_STREAM` or a GOAWAY that names an earlier stream (RFC 9113, 8.7). A6 does that once for the
/// latter; but a proxy that ends its connections after a few requests turns most of a crowd of calls away each time,
/// and every one of them may safely come again.
const RESENDS: u32 = 30;

/// How many of those follow at once. Before each of the others there is a pause, which doubles up to the longest.
const AT_ONCE: u32 = 3;
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_millis(200);

/// A channel's network side.
pub(crate) struct Network {
    pub(crate) host: Host,
    pub(crate) authority: Authority,
    pub(crate) scheme: Scheme,
    pub(crate) audience: String,
    /// `None` sends no token.
    pub(crate) tokens: Option<Arc<TokenCache>>,
    pub(crate) token_header: TokenHeader,
    pub(crate) connections: Arc<Connections>,
    /// The deadline of calls that set none.
    pub(crate) default_deadline: Option<Duration>,
    pub(crate) service_config: Option<Box<ServiceConfig>>,
}

/// A call as its client hands it over.
pub(crate) struct Outgoing {
    pub(crate) path: PathAndQuery,
    /// Metadata, and what the client has to say about its codec.
    pub(crate) headers: HeaderMap,
    pub(crate) body: Recording,
}

/// One call, over all its attempts.
struct Call<'a> {
    uri: Uri,
    headers: HeaderMap,
    /// Where the token goes.
    token: TokenHeader,
    body: Recording,
    deadline: Option<Deadline>,
    /// Whether it waits for a connection rather than fail while there is none.
    patient: bool,
    progress: &'a Progress,
}

/// An answer, and the token it was given to.
type Answer = (Response<Incoming>, Option<Arc<Held>>);

impl Network {
    /// Makes a call, until the head of its answer; its body may still be on its way then. Where the front end refuses
    /// its token, it is made once more with a new one.
    pub(crate) async fn call(
        &self,
        outgoing: Outgoing,
        deadline: Option<Deadline>,
        progress: &Progress,
    ) -> Result<(Response<Incoming>, Recording), Status> {
        let Outgoing {
            path,
            mut headers,
            body,
        } = outgoing;
        telemetry::pass_on_context(&mut headers);
        if self.tokens.is_some() {
            // Only the channel says who calls.
            headers.remove(X_SERVERLESS_AUTHORIZATION);
        }
        let config = self.method_config(path.path());
        if let (Some(limit), Recording::Message(message)) =
            (config.and_then(|config| config.request_limit), &body)
        {
            limit.check(message.len() - PREFIX)?;
        }
        let policy = config.and_then(|config| config.retry.as_ref());
        let call = Call {
            uri: self.uri(path)?,
            token: self.token_header(&headers),
            headers,
            body,
            deadline,
            patient: config.is_some_and(|config| config.wait_for_ready),
            progress,
        };
        let response = match policy {
            None => self.attempt(&call, 0).await,
            // In a box: most calls have no policy.
            Some(policy) => Box::pin(self.attempts(&call, policy)).await,
        };
        progress.measure.sent(call.body.given());
        let response = response?;
        if let Some(code) = status::of_headers_alone(&response) {
            progress.measure.ended(code);
        }
        call.body.stop();
        if let Some(tokens) = &self.tokens {
            tokens.accept();
        }
        match unknown_encoding(&call.headers, response.headers()) {
            Some(encoding) => Err(Status::internal(format!(
                "{} compressed its answer with {encoding}, which this client does not accept; see `accept_compressed`",
                self.host
            ))),
            None => Ok((response, call.body)),
        }
    }

    /// Makes attempts until one succeeds, or fails for good.
    async fn attempts(
        &self,
        call: &Call<'_>,
        policy: &RetryPolicy,
    ) -> Result<Response<Incoming>, Status> {
        let throttle = self
            .service_config
            .as_ref()
            .and_then(|config| config.throttle.as_ref());
        let mut attempts = Attempts::new(Some(policy), throttle);
        loop {
            let answer = self.attempt(call, attempts.previous()).await;
            let (code, trailers) = match &answer {
                Err(status) => (status.code(), None),
                Ok(response) => match status::of_headers_alone(response) {
                    None | Some(Code::Ok) => {
                        attempts.succeeded();
                        return answer;
                    }
                    Some(code) => (code, Some(response.headers())),
                },
            };
            let pause = attempts.failed(code, trailers);
            let Some(pause) = pause.filter(|_| call.body.can_replay()) else {
                return answer;
            };
            let next = Instant::now() + pause;
            if call.deadline.is_some_and(|deadline| deadline.at <= next) {
                // What there is to tell is more than that the time is up.
                return answer;
            }
            drop(answer);
            let attempt = attempts.previous() + 1;
            call.progress.measure.retried(code, pause);
            telemetry::call_retried(&self.host, call.uri.path(), attempt, code, pause);
            sleep_until(next).await;
        }
    }

    /// One attempt. Where the front end refuses its token, it is made once more with a new one.
    async fn attempt(&self, call: &Call<'_>, previous: u32) -> Result<Response<Incoming>, Status> {
        let (response, held) = self.send(call, previous).await?;
        let Some(refusal) = self.refusal(&response, held.as_deref()) else {
            return Ok(response);
        };
        if !self.renew(&response, held.as_ref(), call).await {
            return Err(refusal.into());
        }
        let (response, held) = self.send(call, previous).await?;
        match self.refusal(&response, held.as_deref()) {
            Some(refusal) => Err(refusal.into()),
            None => Ok(response),
        }
    }

    fn method_config(&self, path: &str) -> Option<&MethodConfig> {
        self.service_config.as_ref()?.method(path)
    }

    /// When a call must have ended.
    pub(crate) fn deadline(&self, path: &str, headers: &HeaderMap) -> Option<Deadline> {
        let bound = self.method_config(path).and_then(|config| config.timeout);
        Deadline::of(headers, self.default_deadline, bound)
    }

    /// The largest message that a call may send.
    pub(crate) fn request_limit(&self, path: &str) -> MessageLimit {
        self.method_config(path)
            .and_then(|config| config.request_limit)
            .unwrap_or_default()
    }

    /// The largest message that a call takes, where its client takes `limit`.
    pub(crate) fn response_limit(&self, path: &str, limit: MessageLimit) -> MessageLimit {
        self.method_config(path)
            .and_then(|config| config.response_limit)
            .map_or(limit, |of_config| of_config.min(limit))
    }

    /// The token and the connection that a call needs, where both are there.
    fn at_hand(&self) -> Option<(Option<Arc<Held>>, Lease)> {
        let held = match &self.tokens {
            Some(tokens) => Some(tokens.current()?),
            None => None,
        };
        Some((held, self.connections.at_hand()?))
    }

    /// The token and the connection that a call needs, fetched side by side.
    pub(crate) async fn ready(
        &self,
        patient: bool,
        progress: &Progress,
    ) -> Result<(Option<Arc<Held>>, Lease), Error> {
        let token = async {
            let Some(tokens) = &self.tokens else {
                return Ok(None);
            };
            let held = tokens
                .token()
                .await
                .map_err(|error| error.with_host(&self.host))?;
            progress.has_token();
            Ok(Some(held))
        };
        let connection = async {
            let lease = self.connections.lease(patient).await?;
            progress.is_connected();
            Ok(lease)
        };
        tokio::try_join!(token, connection)
    }

    /// Sends a call until the server has it: what never reached the application is sent again, on another connection.
    async fn send(&self, call: &Call<'_>, previous: u32) -> Result<Answer, Status> {
        let mut resends = 0;
        loop {
            let (held, lease) = match self.at_hand() {
                Some(ready) => ready,
                // In a box: what the first call of many waits for would make every call's future larger.
                None => Box::pin(self.ready(call.patient, call.progress)).await?,
            };
            if lease.is_rested() && !Box::pin(lease.answers()).await {
                self.connections.retire(lease.connection());
                continue;
            }
            let body = call
                .body
                .replay()
                .ok_or_else(|| Status::internal("the request cannot be sent twice"))?;
            call.progress.is_sent();
            call.progress.measure.attempt();
            let connection = lease.connection();
            let failure = match lease
                .send(call.request(held.as_deref(), previous, body))
                .await
            {
                Ok(response) => return Ok((response, held)),
                Err(failure) => failure,
            };
            let Failure { error, unsent } = failure;
            let unprocessed = unsent || status::is_unprocessed(&error);
            if unprocessed && resends < RESENDS && call.body.can_replay() {
                // A stream that was refused says nothing of the connection: it may merely be full.
                if !error.is_reset() {
                    self.connections.retire(connection);
                }
                if resends >= AT_ONCE {
                    let pause = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(resends - AT_ONCE));
                    tokio::time::sleep(pause.min(LONGEST_PAUSE).mul_f64(fastrand::f64())).await;
                }
                resends += 1;
                call.progress.measure.resent();
                telemetry::call_resent(&self.host, call.uri.path(), resends, &error);
                continue;
            }
            return Err(call
                .body
                .failure()
                .unwrap_or_else(|| status::broken(error, &self.caller(held.as_deref()))));
        }
    }

    /// Drops a token that the front end refused; says whether there is another one to try.
    async fn renew<B>(
        &self,
        response: &Response<B>,
        refused: Option<&Arc<Held>>,
        call: &Call<'_>,
    ) -> bool {
        let (Some(tokens), Some(refused)) = (&self.tokens, refused) else {
            return false;
        };
        response.status() == StatusCode::UNAUTHORIZED
            && call.body.can_replay()
            && tokens.reject(refused)
            // Why the token was refused says more than why there is no other: a failure here is not told.
            && tokens.token().await.is_ok_and(|held| held.header != refused.header)
    }

    fn refusal<B>(&self, response: &Response<B>, held: Option<&Held>) -> Option<Error> {
        status::refusal(response.status(), response.headers(), &self.caller(held))
    }

    pub(crate) fn caller<'a>(&'a self, held: Option<&'a Held>) -> Caller<'a> {
        Caller {
            host: &self.host,
            audience: &self.audience,
            token: held.map(|held| &held.token),
        }
    }

    fn uri(&self, path: PathAndQuery) -> Result<Uri, Status> {
        let mut parts = http::uri::Parts::default();
        parts.scheme = Some(self.scheme.clone());
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = Some(path);
        Uri::from_parts(parts)
            .map_err(|error| Status::internal(format!("the call has no usable path: {error}")))
    }

    /// The header for the token: an `authorization` of the call's own is the application's.
    fn token_header(&self, headers: &HeaderMap) -> TokenHeader {
        if headers.contains_key(AUTHORIZATION) {
            TokenHeader::XServerlessAuthorization
        } else {
            self.token_header
        }
    }

    /// What a call with a fresh token does to have it; for the benchmark.
    pub(crate) fn attach_current_token(&self, headers: &mut HeaderMap) -> bool {
        let Some(held) = self.tokens.as_ref().and_then(TokenCache::current) else {
            return false;
        };
        held.attach(self.token_header(headers), headers);
        true
    }
}

impl Call<'_> {
    /// The call as one attempt sends it.
    fn request(
        &self,
        held: Option<&Held>,
        previous: u32,
        body: AttemptBody,
    ) -> Request<AttemptBody> {
        let mut request = Request::new(body);
        *request.method_mut() = http::Method::POST;
        *request.version_mut() = http::Version::HTTP_2;
        *request.uri_mut() = self.uri.clone();
        let mut headers = self.headers.clone();
        headers.reserve(ADDED);
        headers.insert(TE, TRAILERS);
        headers.entry(CONTENT_TYPE).or_insert(GRPC);
        headers.entry(USER_AGENT).or_insert(AGENT);
        if let Some(held) = held {
            held.attach(self.token, &mut headers);
        }
        if let Some(deadline) = &self.deadline {
            deadline.write(&mut headers);
        }
        if previous > 0 {
            headers.insert(retry::PREVIOUS_ATTEMPTS, previous.into());
        }
        *request.headers_mut() = headers;
        request
    }
}

impl Held {
    fn attach(&self, header: TokenHeader, headers: &mut HeaderMap) {
        match header {
            TokenHeader::Authorization => headers.insert(AUTHORIZATION, self.header.clone()),
            TokenHeader::XServerlessAuthorization => {
                headers.insert(X_SERVERLESS_AUTHORIZATION, self.indexed.clone())
            }
        };
    }
}

/// The encoding of an answer that the call did not say it accepts: INTERNAL, says gRPC's compression.md, and not the
/// UNIMPLEMENTED that a server means when it cannot read the request.
fn unknown_encoding(call: &HeaderMap, answer: &HeaderMap) -> Option<String> {
    let encoding = String::from_utf8_lossy(answer.get(GRPC_ENCODING)?.as_bytes()).into_owned();
    let accepted = call
        .get_all(GRPC_ACCEPT_ENCODING)
        .iter()
        .filter_map(|accepted| accepted.to_str().ok())
        .flat_map(|accepted| accepted.split(','))
        .any(|accepted| accepted.trim() == encoding);
    (encoding != "identity" && !accepted).then_some(encoding)
}
