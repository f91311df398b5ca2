//! The client process: knows a host, and calls the bookstore there.

mod calls;
mod outcome;

use std::time::{Duration, Instant};

use tokio::time::sleep;
use tonic::{Code, Status};
use tonic_cloud_run::Channel;

use self::{
    calls::{NOVELS, SHELF, Watch},
    outcome::{Stop, chapter, denied, note, refused},
};
use super::report::{Ending, Favour, Report, ask, tell};
use crate::{
    bookstore::{
        GetBookRequest, GetShelfRequest, ListBooksRequest, bookstore_client::BookstoreClient,
    },
    failure::Failure,
};

/// Between two calls while tokens are replaced: it takes four of them to outlive a token.
const PAUSE: Duration = Duration::from_millis(900);

/// All that the client knows is this host, and where its environment says that tokens and trust come
/// from.
pub(crate) async fn run(host: &str) -> Result<(), Failure> {
    match story(host).await {
        Ok(()) => Ok(()),
        Err(Stop::Io(error)) => Err(error.into()),
        Err(Stop::Call(method, status)) => {
            let ending = Ending::from(&status);
            tell(&Report::Failed {
                method: method.to_owned(),
                ending,
            })?;
            Err(status.into())
        }
    }
}

async fn story(host: &str) -> Result<(), Stop> {
    let start = Instant::now();
    let client = BookstoreClient::new(host).map_err(unusable)?;

    chapter("Calls of every kind. The first fetches the token and connects, side by side.")?;
    calls::create_shelf(&client).await?;
    note(format!(
        "its answer came {} ms after BookstoreClient::new(host)",
        start.elapsed().as_millis()
    ))?;
    calls::import_books(&client).await?;
    calls::list_books(&client).await?;
    calls::price_basket(&client).await?;
    let mut watch = Watch::open(&client).await?;
    for _ in 0..3 {
        watch.hears().await?;
    }

    chapter("More calls. Each token is replaced ahead of its end, while calls go on with it.")?;
    for novel in NOVELS {
        sleep(PAUSE).await;
        calls::create_book(&client, novel).await?;
        watch.hears().await?;
        sleep(PAUSE).await;
        calls::get_book(&client, novel.0).await?;
        sleep(PAUSE).await;
        calls::count_books(&client).await?;
        sleep(PAUSE).await;
        calls::delete_book(&client, novel.0).await?;
        watch.hears().await?;
    }
    note(
        "the watch was let in with the first token, which is long gone; the stream is still open",
    )?;
    calls::delete_shelf(&client).await?;
    watch.hears().await?;
    watch.ends().await?;

    chapter("What the bookstore refuses.")?;
    let missing = GetShelfRequest { name: SHELF.into() };
    refused("GetShelf", client.get_shelf(missing).await, Code::NotFound)?;
    let malformed = GetBookRequest {
        name: "Dune".into(),
    };
    refused(
        "GetBook",
        client.get_book(malformed).await,
        Code::InvalidArgument,
    )?;
    calls::create_shelf(&client).await?;
    let parent = SHELF.to_owned();
    let garbage = ListBooksRequest {
        parent,
        page_token: "page-2".into(),
        ..Default::default()
    };
    refused(
        "ListBooks",
        client.list_books(garbage).await,
        Code::InvalidArgument,
    )?;

    chapter(
        "What the front end denies: a token for another service, and the new one it is tried with.",
    )?;
    note("Channel::builder(host).audience(\"https://wrong.example\")")?;
    let channel = Channel::builder(host)
        .audience("https://wrong.example")
        .build();
    let elsewhere = BookstoreClient::from_channel(channel.map_err(unusable)?);
    let shelf = || GetShelfRequest { name: SHELF.into() };
    denied(
        "GetShelf",
        elsewhere.get_shelf(shelf()).await,
        Code::Unauthenticated,
    )?;

    chapter("What the front end denies: a caller without the role.")?;
    ask(Favour::RevokeInvoker)?;
    denied(
        "GetShelf",
        client.get_shelf(shelf()).await,
        Code::PermissionDenied,
    )?;
    ask(Favour::GrantInvoker)?;
    calls::delete_shelf(&client).await
}

/// A host or an audience that cannot be used: the demonstration gave a wrong one.
fn unusable(error: tonic_cloud_run::Error) -> Stop {
    Stop::Call("the making of a channel", Status::from(error))
}
