//! `ImportBooks`: many books in, a summary out.

use tokio_stream::StreamExt as _;
use tonic::{Status, Streaming};

use super::{id, shelf_name};
use crate::{
    bookstore::{ImportBooksRequest, ImportBooksResponse, import_books_response::Refusal},
    fields,
    names::ShelfName,
    store::Store,
};

/// How many refused books the summary lists.
const MAX_REFUSALS: usize = 100;

pub(super) async fn import(
    store: &Store,
    mut requests: Streaming<ImportBooksRequest>,
) -> Result<ImportBooksResponse, Status> {
    let mut summary = ImportBooksResponse::default();
    let mut shelf = None;
    for index in 0.. {
        let Some(request) = requests.next().await.transpose()? else {
            break;
        };
        // The shelf is the whole call's: what is wrong with it ends the call.
        let shelf = match &shelf {
            Some(shelf) => same(shelf, &request.parent, index)?,
            None => shelf.insert(first(store, &request.parent)?),
        };
        let book_id = request.book_id.clone();
        match add(store, shelf, request) {
            Ok(()) => summary.imported_count += 1,
            Err(refusal) => {
                summary.refused_count += 1;
                if summary.refusals.len() < MAX_REFUSALS {
                    let book_id = book_id.chars().take(80).collect();
                    summary.refusals.push(Refusal {
                        index,
                        book_id,
                        reason: refusal.message().to_owned(),
                    });
                }
            }
        }
    }
    Ok(summary)
}

fn first(store: &Store, parent: &str) -> Result<ShelfName, Status> {
    let shelf = shelf_name("parent", parent)?;
    store.shelf(&shelf)?;
    Ok(shelf)
}

fn same<'a>(shelf: &'a ShelfName, parent: &str, index: i64) -> Result<&'a ShelfName, Status> {
    if parent.is_empty() || *shelf == shelf_name("parent", parent)? {
        return Ok(shelf);
    }
    Err(Status::invalid_argument(format!(
        "parent: request {index} says {parent}, the first said {shelf}; one call fills one shelf"
    )))
}

fn add(store: &Store, shelf: &ShelfName, request: ImportBooksRequest) -> Result<(), Status> {
    let name = shelf.book(id("book_id", &request.book_id)?);
    let book = fields::book(request.book).map_err(Status::invalid_argument)?;
    store.create_book(&name, book)?;
    Ok(())
}
