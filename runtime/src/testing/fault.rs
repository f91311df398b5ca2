//! Faults to inject, and the plan that says which request meets which fault.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Mutex;

use super::lock::lock;

/// What the front does to a call instead of checking its token and passing it on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FrontFault {
    /// Answer with this HTTP status and an HTML page, as Google's front ends do with 401, 403, 404, 429,
    /// 500, 502, 503 and 504. Also 200: then a page stands where a gRPC answer is expected.
    ///
    /// A number that is not a status from 200 to 599 is answered as 500.
    Status(u16),
    /// Take the call and never answer.
    Hang,
    /// Reset the call's stream with this HTTP/2 error code (RFC 9113 section 7). `7` is `REFUSED_STREAM`:
    /// the call was not processed. Over HTTP/1.1 the connection is closed.
    ResetStream(u32),
    /// Close the call's connection without an answer and without a GOAWAY.
    Disconnect,
}

impl fmt::Display for FrontFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "HTTP status {status} with an HTML page"),
            Self::Hang => f.write_str("no answer"),
            Self::ResetStream(code) => write!(f, "stream reset with HTTP/2 error code {code}"),
            Self::Disconnect => f.write_str("connection closed"),
        }
    }
}

/// What the metadata server does to a token request instead of answering it with a good token.
///
/// For "connection refused" see [`MetadataServer::refuse_connections`](super::MetadataServer::refuse_connections).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MetadataFault {
    /// Answer with this HTTP status and a line of text.
    ///
    /// A number that is not a status from 200 to 599 is answered as 500.
    Status(u16),
    /// Take the request and never answer.
    Hang,
    /// Close the connection without an answer.
    Disconnect,
    /// Answer 200 with text that is not a token.
    Garbage,
    /// Answer 200 with this text.
    Body(String),
    /// Answer with a signed token that has no `exp` claim.
    NoExpiry,
    /// Answer with a token that expired one minute ago.
    Expired,
    /// Answer with a token for `https://wrong-audience.example.com`.
    WrongAudience,
    /// Answer with a token whose signature does not verify.
    WrongSignature,
}

impl fmt::Display for MetadataFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "HTTP status {status}"),
            Self::Hang => f.write_str("no answer"),
            Self::Disconnect => f.write_str("connection closed"),
            Self::Garbage => f.write_str("text that is not a token"),
            Self::Body(_) => f.write_str("text of the test's choosing"),
            Self::NoExpiry => f.write_str("a token without expiry"),
            Self::Expired => f.write_str("an expired token"),
            Self::WrongAudience => f.write_str("a token for another audience"),
            Self::WrongSignature => f.write_str("a token with a bad signature"),
        }
    }
}

/// Which request meets which fault: first the queued ones, one request each, then the lasting one.
#[derive(Debug)]
pub(super) struct Plan<F> {
    state: Mutex<State<F>>,
}

#[derive(Debug)]
struct State<F> {
    queued: VecDeque<(u64, F)>,
    lasting: Option<F>,
}

impl<F: Clone> Plan<F> {
    pub(super) fn new() -> Self {
        Self {
            state: Mutex::new(State {
                queued: VecDeque::new(),
                lasting: None,
            }),
        }
    }

    /// The next `count` requests meet `fault`, after those that are queued already.
    pub(super) fn fail_next(&self, count: u64, fault: F) {
        if count > 0 {
            lock(&self.state).queued.push_back((count, fault));
        }
    }

    /// Every request that meets no queued fault meets this one.
    pub(super) fn set(&self, fault: F) {
        lock(&self.state).lasting = Some(fault);
    }

    /// No request meets a fault any more.
    pub(super) fn clear(&self) {
        let mut state = lock(&self.state);
        state.queued.clear();
        state.lasting = None;
    }

    /// The fault that the request in hand meets.
    pub(super) fn take(&self) -> Option<F> {
        let mut state = lock(&self.state);
        let Some((count, fault)) = state.queued.front_mut() else {
            return state.lasting.clone();
        };
        let fault = fault.clone();
        *count -= 1;
        if *count == 0 {
            state.queued.pop_front();
        }
        Some(fault)
    }
}

#[cfg(test)]
mod tests {
    use super::Plan;

    #[test]
    fn queued_faults_come_first_and_one_request_each() {
        let plan = Plan::new();
        plan.set("lasting");
        plan.fail_next(2, "first");
        plan.fail_next(0, "never");
        plan.fail_next(1, "second");
        let taken: Vec<_> = (0..5).map(|_| plan.take()).collect();
        assert_eq!(
            taken,
            [
                Some("first"),
                Some("first"),
                Some("second"),
                Some("lasting"),
                Some("lasting")
            ]
        );
        plan.fail_next(1, "third");
        plan.clear();
        assert_eq!(plan.take(), None);
    }
}
