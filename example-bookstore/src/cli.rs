//! The command line.

mod connection;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use self::connection::ConnectionArgs;
use crate::{
    commands, demo,
    failure::{EXIT_CODES, Failure},
    names::{BookName, Id, ShelfName},
    output, server,
};

/// A bookstore on Cloud Run: its service, and a command line for it.
///
/// Without a command it shows, by itself and without a network, how a generated client calls a service that lets in only
/// valid ID tokens.
#[derive(Debug, Parser)]
#[command(version, after_help = EXIT_CODES, subcommand_help_heading = "Commands")]
pub(crate) struct Cli {
    #[command(flatten)]
    connection: ConnectionArgs,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the service as a container on Cloud Run does: HTTP/2 without TLS on port $PORT (8080)
    Serve,
    /// Look after the shelves
    #[command(subcommand)]
    Shelves(Shelves),
    /// Look after the books
    #[command(subcommand)]
    Books(Books),
    /// The demonstration's client, started by the demonstration
    #[command(hide = true)]
    DemoClient { host: String },
}

/// A shelf is said as its id, `fiction`, or its name, `shelves/fiction`.
#[derive(Debug, Subcommand)]
pub(crate) enum Shelves {
    /// List the shelves
    List(PageArgs),
    /// Show a shelf
    Get {
        /// The shelf, for example fiction
        #[arg(value_parser = ShelfName::from_argument)]
        shelf: ShelfName,
    },
    /// Put up a shelf
    Create {
        /// The new shelf's id
        #[arg(value_parser = Id::parse)]
        id: Id,
        /// What its books are about
        #[arg(long)]
        theme: String,
    },
    /// Take a shelf down
    Delete {
        /// The shelf, for example fiction
        #[arg(value_parser = ShelfName::from_argument)]
        shelf: ShelfName,
        /// Take its books away with it
        #[arg(long)]
        force: bool,
    },
}

/// A book is said as `fiction/dune` or `shelves/fiction/books/dune`.
#[derive(Debug, Subcommand)]
pub(crate) enum Books {
    /// List the books of a shelf
    List {
        /// The shelf, for example fiction
        #[arg(value_parser = ShelfName::from_argument)]
        shelf: ShelfName,
        /// Only those of this author
        #[arg(long, default_value = "", hide_default_value = true)]
        author: String,
        #[command(flatten)]
        page: PageArgs,
    },
    /// Show a book
    Get {
        /// The book, for example fiction/dune
        #[arg(value_parser = BookName::from_argument)]
        book: BookName,
    },
    /// Put a book on a shelf
    Create {
        /// The new book, for example fiction/dune
        #[arg(value_parser = BookName::from_argument)]
        book: BookName,
        /// The title
        #[arg(long)]
        title: String,
        /// Who wrote it
        #[arg(long, default_value = "", hide_default_value = true)]
        author: String,
        /// The price of a copy, for example 9.95
        #[arg(long, value_parser = output::parse_price)]
        price: i64,
        /// How many copies are in stock
        #[arg(long, default_value_t = 1, allow_negative_numbers = true)]
        copies: i32,
    },
    /// Take a book off its shelf
    Delete {
        /// The book, for example fiction/dune
        #[arg(value_parser = BookName::from_argument)]
        book: BookName,
    },
    /// Tell of a shelf's books and of every change, until stopped or the shelf is taken down
    Watch {
        /// The shelf, for example fiction
        #[arg(value_parser = ShelfName::from_argument)]
        shelf: ShelfName,
        /// Stop after so many events
        #[arg(long, value_name = "EVENTS")]
        limit: Option<usize>,
    },
    /// Put many books on a shelf
    Import {
        /// The shelf, for example fiction
        #[arg(value_parser = ShelfName::from_argument)]
        shelf: ShelfName,
        /// One book a line: {"id":"dune","title":"Dune","author":"Frank Herbert","price":"9.95","copies":3}; - for standard
        /// input
        file: PathBuf,
    },
    /// Price a basket
    Price {
        /// Books and how many copies, for example fiction/dune=2; a negative number takes copies out again
        #[arg(required = true, value_name = "BOOK[=COPIES]", value_parser = basket_item)]
        items: Vec<(BookName, i32)>,
    },
}

/// Which part of a list to show.
#[derive(Args, Debug)]
pub(crate) struct PageArgs {
    /// The most to show at a time; 0 leaves it to the server
    #[arg(
        long,
        default_value_t = 0,
        allow_negative_numbers = true,
        value_name = "COUNT"
    )]
    pub(crate) page_size: i32,
    /// The page that starts where the last one said
    #[arg(
        long,
        default_value = "",
        hide_default_value = true,
        value_name = "TOKEN"
    )]
    pub(crate) page_token: String,
    /// All pages
    #[arg(long)]
    pub(crate) all: bool,
}

impl Cli {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        match self.command {
            None if self.connection.is_given() => Err(Failure::Usage(
                "which command? `shelves list`, for example; see --help".to_owned(),
            )),
            None => demo::run().await,
            Some(Command::DemoClient { host }) => demo::client::run(&host).await,
            Some(Command::Serve) => server::run().await,
            Some(Command::Shelves(command)) => {
                commands::shelves::run(&self.connection.connection()?, command).await
            }
            Some(Command::Books(command)) => {
                commands::books::run(&self.connection.connection()?, command).await
            }
        }
    }
}

/// `fiction/dune` or `fiction/dune=2`.
fn basket_item(text: &str) -> Result<(BookName, i32), String> {
    let (book, copies) = text.split_once('=').unwrap_or((text, "1"));
    let copies = copies
        .parse()
        .map_err(|_| format!("{copies:?} is not a number of copies"))?;
    Ok((
        BookName::from_argument(book).map_err(|error| error.to_string())?,
        copies,
    ))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }
}
