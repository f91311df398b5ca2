//! The demonstration: a bookstore behind a fake Cloud Run, and a client, in a process of its own, that is given nothing but
//! the host.

pub(crate) mod client;
mod page;
mod process;
mod report;
mod story;
mod tally;

use std::{io::Write as _, time::Duration};

use tokio::time::timeout;
use tonic_cloud_run::testing::{Events, FakeCloudRun};

use self::{
    process::ClientProcess,
    report::{Favour, Report},
    story::Story,
    tally::Tally,
};
use crate::{
    bookstore::bookstore_server::BookstoreServer, failure::Failure, service::BookstoreService,
};

/// The name that the demonstration's service has on this machine.
const HOST: &str = "localhost";
const IDENTITY: &str = "web-shop@demo-project.iam.gserviceaccount.com";

/// Google's tokens live an hour. These are replaced about every 3.6 s.
const TOKEN_LIFETIME: Duration = Duration::from_secs(6);

/// The demonstration takes a quarter of a minute; what takes this long will not end by itself.
const LIMIT: Duration = Duration::from_secs(120);

/// Runs the demonstration to its end, and checks that everything went as told.
pub(crate) async fn run() -> Result<(), Failure> {
    let fake = FakeCloudRun::builder()
        .host(HOST)
        .identity(IDENTITY)
        .token_lifetime(TOKEN_LIFETIME)
        .start(BookstoreServer::new(BookstoreService::default()))
        .await
        .map_err(|error| Failure::Other(format!("the fake Cloud Run did not start: {error}")))?;
    let events = fake.events();
    let mut story = Story::new();
    let mut process = ClientProcess::start(&fake)?;
    story.introduction(&fake, &process)?;

    let told = tokio::select! {
        told = timeout(LIMIT, follow(&fake, events, &mut process, &mut story)) => told,
        _ = tokio::signal::ctrl_c() => return Err(Failure::Other("stopped by ctrl-c".to_owned())),
    };
    let tally = told.map_err(|_| {
        Failure::Other(format!("the demonstration has not ended after {LIMIT:?}"))
    })??;
    let faults = tally.faults(&fake);
    story.summary(&tally, &fake)?;
    if faults.is_empty() {
        Ok(())
    } else {
        Err(Failure::Other(format!(
            "not all went as told: {}",
            faults.join("; ")
        )))
    }
}

/// Tells what the service's side sees and what the client reports, until the client ends.
async fn follow(
    fake: &FakeCloudRun,
    mut events: Events,
    process: &mut ClientProcess,
    story: &mut Story,
) -> Result<Tally, Failure> {
    let mut tally = Tally::default();
    loop {
        tokio::select! {
            // What the service saw of a call comes before what the client says of it.
            biased;
            Some(event) = events.next() => {
                tally.saw(&event);
                story.event(&event)?;
            }
            report = process.report() => {
                let Some(report) = report? else { break };
                tally.heard(&report);
                story.report(&report, &mut tally)?;
                if let Report::Please(favour) = report {
                    grant(fake, favour);
                    process.answer().await?;
                }
            }
        }
    }
    while let Some(event) = events.try_next() {
        tally.saw(&event);
        story.event(&event)?;
    }
    tally.exited(process.exit().await?);
    std::io::stdout().flush()?;
    Ok(tally)
}

/// What the owner of the service does in the console of a real one.
fn grant(fake: &FakeCloudRun, favour: Favour) {
    match favour {
        Favour::RevokeInvoker => fake.front().revoke_invoker(fake.identity()),
        Favour::GrantInvoker => fake.front().grant_invoker(fake.identity()),
    }
}
