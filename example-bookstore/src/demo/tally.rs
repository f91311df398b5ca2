//! What was seen and heard, and whether it is what was to be shown.

use std::collections::{HashMap, VecDeque};

use tonic_cloud_run::testing::{Denial, Event, FakeCloudRun, TokenInfo};

use super::report::{Ending, Report};

/// How many tokens the client must have used one after the other.
const LEAST_TOKENS: usize = 3;

/// The front end's side and the client's side of the demonstration, side by side.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// The tokens of admitted calls that the client has not told of yet, by method, in order.
    admitted: HashMap<String, VecDeque<TokenInfo>>,
    /// Denials at the front end.
    pub(super) denied_at_front: Vec<Denial>,
    /// Calls that the client says went well.
    pub(super) calls: usize,
    /// Calls that the bookstore refused, as it should.
    pub(super) refused: usize,
    /// Calls that the front end denied, as it should, and what the client made of them.
    pub(super) denied: Vec<Ending>,
    /// Events of streams.
    pub(super) streamed: usize,
    failed: Vec<String>,
    exit_code: Option<i32>,
}

impl Tally {
    pub(super) fn saw(&mut self, event: &Event) {
        match event {
            Event::CallAdmitted {
                path,
                token: Some(token),
            } => {
                self.admitted
                    .entry(method(path).to_owned())
                    .or_default()
                    .push_back(token.clone());
            }
            Event::CallAdmitted { path, token: None } => self
                .failed
                .push(format!("{path} was let in without a token")),
            Event::CallDenied { reason, .. } => self.denied_at_front.push(*reason),
            _ => {}
        }
    }

    pub(super) fn heard(&mut self, report: &Report) {
        match report {
            Report::Call { .. } => self.calls += 1,
            Report::Refused { .. } => self.refused += 1,
            Report::Denied { ending, .. } => {
                let Ending {
                    code,
                    message,
                    http_status,
                } = ending;
                self.denied.push(Ending {
                    code: code.clone(),
                    message: message.clone(),
                    http_status: *http_status,
                });
            }
            Report::Streamed { .. } => self.streamed += 1,
            Report::Failed { method, ending } => self.failed.push(format!(
                "{method} failed: {}: {}",
                ending.code, ending.message
            )),
            Report::Chapter(_) | Report::Note(_) | Report::Please(_) => {}
        }
    }

    pub(super) fn exited(&mut self, code: Option<i32>) {
        self.exit_code = code;
    }

    /// The token that a call which the client tells of was let in with.
    pub(super) fn token_of(&mut self, method: &str) -> Option<TokenInfo> {
        self.admitted.get_mut(method)?.pop_front()
    }

    /// What did not go as told.
    pub(super) fn faults(&self, fake: &FakeCloudRun) -> Vec<String> {
        let mut faults = self.failed.clone();
        let mut demand = |holds: bool, fault: String| {
            if !holds {
                faults.push(fault);
            }
        };
        demand(
            self.exit_code == Some(0),
            match self.exit_code {
                Some(code) => format!("the client process ended with exit code {code}"),
                None => "the client process was ended by a signal".to_owned(),
            },
        );
        let tokens = fake.front().tokens().len();
        demand(
            tokens >= LEAST_TOKENS,
            format!("the client used {tokens} tokens, not {LEAST_TOKENS} or more"),
        );
        let (told, admitted) = (self.calls + self.refused, fake.front().calls_admitted());
        demand(
            told as u64 == admitted,
            format!("the client told of {told} calls, the front end let in {admitted}"),
        );
        for reason in [Denial::WrongAudience, Denial::NotInvoker] {
            demand(
                self.denied_at_front.contains(&reason),
                format!("the front end denied nothing for this reason: {reason}"),
            );
        }
        demand(
            self.denied_at_front
                .iter()
                .all(|reason| matches!(reason, Denial::WrongAudience | Denial::NotInvoker)),
            format!(
                "the front end denied calls for other reasons: {:?}",
                self.denied_at_front
            ),
        );
        // The reader is to learn what was wrong and what to do about it.
        let explained = |status: u16, words: [&str; 3]| {
            let ending = self
                .denied
                .iter()
                .find(|ending| ending.http_status == Some(status));
            ending.is_some_and(|ending| words.iter().all(|word| ending.message.contains(word)))
        };
        demand(
            explained(401, [fake.host(), "https://wrong.example", fake.identity()]),
            "the client does not say why its token for another service was not taken".to_owned(),
        );
        demand(
            explained(403, [fake.host(), "roles/run.invoker", fake.identity()]),
            "the client does not say which role it lacks".to_owned(),
        );
        faults
    }
}

/// The last part of `/package.Service/Method`.
pub(super) fn method(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, method)| method)
}

#[cfg(test)]
mod tests {
    use tonic::service::Routes;

    use super::*;

    #[tokio::test]
    async fn a_demonstration_that_shows_nothing_fails() {
        let fake = FakeCloudRun::start(Routes::default()).await.unwrap();
        let mut tally = Tally::default();
        let ending = Ending {
            code: "UNKNOWN".into(),
            message: "broken".into(),
            http_status: None,
        };
        tally.heard(&Report::Failed {
            method: "GetBook".into(),
            ending,
        });
        tally.heard(&Report::Call {
            method: "GetBook".into(),
            text: String::new(),
        });
        tally.saw(&Event::CallAdmitted {
            path: "/a.B/C".into(),
            token: None,
        });
        tally.exited(Some(101));
        assert_eq!(
            tally.faults(&fake),
            [
                "GetBook failed: UNKNOWN: broken",
                "/a.B/C was let in without a token",
                "the client process ended with exit code 101",
                "the client used 0 tokens, not 3 or more",
                "the client told of 1 calls, the front end let in 0",
                "the front end denied nothing for this reason: wrong audience",
                "the front end denied nothing for this reason: the identity lacks roles/run.invoker",
                "the client does not say why its token for another service was not taken",
                "the client does not say which role it lacks",
            ]
        );
    }
}
