//! How the demonstration is told: a line for each thing that happens, with the time and whose side saw it.

use std::{collections::HashMap, io, time::SystemTime};

use tonic_cloud_run::testing::{Event, FakeCloudRun, TokenInfo};

use super::{
    TOKEN_LIFETIME,
    page::{Colour, Page},
    process::ClientProcess,
    report::{Ending, Favour, Report},
    tally::{Tally, method},
};
use crate::output::{printable, time};

/// Tells it on a [`Page`].
pub(super) struct Story {
    page: Page,
    /// The newest token for each audience.
    newest: HashMap<String, TokenInfo>,
}

impl Story {
    pub(super) fn new() -> Story {
        Story {
            page: Page::new(),
            newest: HashMap::new(),
        }
    }

    pub(super) fn introduction(
        &self,
        fake: &FakeCloudRun,
        process: &ClientProcess,
    ) -> io::Result<()> {
        let (page, host, life) = (&self.page, &process.host, TOKEN_LIFETIME.as_secs());
        page.heading("A bookstore on Cloud Run, and a client that is given nothing but its host")?;
        page.text(
            "The bookstore is in this process, behind a fake Cloud Run: TLS, HTTP/2, ID tokens.",
        )?;
        page.text(&format!("  host       {host}"))?;
        page.text(&format!("  audience   {}", fake.audience()))?;
        page.text(&format!(
            "  lets in    {}, who has roles/run.invoker",
            fake.identity()
        ))?;
        page.text(&format!(
            "  tokens     live {life} s, to be seen growing old; Google's live an hour"
        ))?;
        page.text("")?;
        page.text(&format!(
            "The client is a process of its own. It does BookstoreClient::new(\"{host}\")."
        ))?;
        page.text("All of its environment, where it finds tokens and whom to trust:")?;
        process
            .environment
            .iter()
            .try_for_each(|(name, value)| page.text(&format!("  {name}={value}")))
    }

    /// What the service's side saw.
    pub(super) fn event(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::TokenMinted { token } => self.minted(token),
            Event::ConnectionOpened { http2: true, .. } => {
                self.page
                    .line(Colour::Dim, "front end", "a client connects: TLS, HTTP/2")
            }
            // Told together with what the client says of it.
            Event::CallAdmitted { .. } => Ok(()),
            Event::CallDenied {
                path,
                reason,
                detail,
            } => {
                let text = format!(
                    "denies {} with HTTP {}: {reason}",
                    method(path),
                    reason.status()
                );
                self.page.line(Colour::Yellow, "front end", &text)?;
                self.page.detail(detail)
            }
            // None of them is part of the demonstration.
            other => self.page.line(Colour::Red, "unplanned", &other.to_string()),
        }
    }

    /// What the client says.
    pub(super) fn report(&self, report: &Report, tally: &mut Tally) -> io::Result<()> {
        let page = &self.page;
        match report {
            Report::Chapter(text) => page.text(&format!("\n{}", page.paint(Colour::Bold, text))),
            Report::Note(text) => page.line(Colour::Dim, "client", text),
            Report::Call { method, text } => {
                let token = tally.token_of(method);
                let token = page.paint(Colour::Cyan, token.as_ref().map_or("none  ", short));
                page.line(
                    Colour::Green,
                    "client",
                    &format!("{method:<12} {token}  {text}"),
                )
            }
            Report::Streamed { method, text } => page.line(
                Colour::Green,
                "client",
                &format!("{method:<12} ...     {text}"),
            ),
            Report::Refused { method, ending } => {
                let token = tally.token_of(method);
                let token = page.paint(Colour::Cyan, token.as_ref().map_or("none  ", short));
                let text = format!("{method:<12} {token}  refused: {}", ending.code);
                self.ending(Colour::Yellow, &text, ending)
            }
            Report::Denied { method, ending } => self.ending(
                Colour::Yellow,
                &format!("{method} denied: {}", ending.code),
                ending,
            ),
            Report::Please(Favour::RevokeInvoker) => page.line(
                Colour::Dim,
                "owner",
                "takes roles/run.invoker from the client",
            ),
            Report::Please(Favour::GrantInvoker) => {
                page.line(Colour::Dim, "owner", "gives roles/run.invoker back")
            }
            Report::Failed { method, ending } => self.ending(
                Colour::Red,
                &format!("{method} FAILED: {}", ending.code),
                ending,
            ),
        }
    }

    /// A new token, and how much was left of the one before.
    fn minted(&mut self, token: &TokenInfo) -> io::Result<()> {
        let before = self.newest.insert(token.audience.clone(), token.clone());
        let before = before.map_or_else(String::new, |before| {
            let left = before
                .expires_at
                .and_then(|end| end.duration_since(SystemTime::now()).ok());
            let left = left.map_or_else(
                || "has ended".to_owned(),
                |left| format!("has {:.1} s left", left.as_secs_f64()),
            );
            format!("; {} {left}", short(&before))
        });
        let (name, audience, end) = (short(token), &token.audience, time_of_day(token.expires_at));
        let name = self.page.paint(Colour::Cyan, name);
        let text = format!("token {name} for {audience}, good until {end}{before}");
        self.page.line(Colour::Cyan, "metadata", &text)
    }

    /// A call that did not end well, with the whole of its explanation.
    fn ending(&self, colour: Colour, text: &str, ending: &Ending) -> io::Result<()> {
        self.page.line(colour, "client", text)?;
        self.page.detail(&printable(&ending.message))
    }

    pub(super) fn summary(&self, tally: &Tally, fake: &FakeCloudRun) -> io::Result<()> {
        let (page, calls, streamed) = (&self.page, tally.calls, tally.streamed);
        let (refused, denied) = (tally.refused, tally.denied.len());
        let tokens = fake.front().tokens().len();
        page.text(&format!("\n{}", page.paint(Colour::Bold, "In short")))?;
        page.text(&format!(
            "  {calls} calls went through, with {tokens} tokens one after the other."
        ))?;
        page.text(&format!(
            "  {streamed} events came over the stream that outlived its token."
        ))?;
        page.text(&format!(
            "  {refused} calls were refused by the bookstore, {denied} denied by its front end."
        ))?;
        let (minted, seconds) = (
            fake.metadata().tokens_minted(),
            page.elapsed().as_secs_f64(),
        );
        page.text(&format!(
            "  {minted} tokens were minted in all. It took {seconds:.0} s."
        ))
    }
}

/// Enough of a token's fingerprint to tell it from the others here.
fn short(token: &TokenInfo) -> &str {
    token.fingerprint.get(..6).unwrap_or(&token.fingerprint)
}

fn time_of_day(at: Option<SystemTime>) -> String {
    let text = time(at.map(SystemTime::into));
    let (_, time) = text
        .trim_end_matches('Z')
        .split_once('T')
        .unwrap_or(("", "no end"));
    format!("{time} UTC")
}
