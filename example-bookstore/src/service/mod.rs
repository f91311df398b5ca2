//! The rpcs, on a [`Store`].

mod basket;
mod import;
mod watch;

#[cfg(test)]
mod tests;

use std::{pin::Pin, sync::Arc};

use tokio_stream::{Stream, StreamExt as _};
use tonic::{Request, Response, Status, Streaming};

use crate::{
    bookstore::{
        Book, CreateBookRequest, CreateShelfRequest, DeleteBookRequest, DeleteShelfRequest,
        GetBookRequest, GetShelfRequest, ImportBooksRequest, ImportBooksResponse, ListBooksRequest,
        ListBooksResponse, ListShelvesRequest, ListShelvesResponse, PriceBasketRequest,
        PriceBasketResponse, Shelf, ShelfEvent, WatchShelfRequest, bookstore_server::Bookstore,
    },
    fields,
    names::{BookName, Id, NameError, ShelfName},
    paging::{Page, PageError, Query},
    store::{Store, StoreError},
};

/// The bookstore. Clones share the store.
#[derive(Clone, Debug, Default)]
pub(crate) struct BookstoreService {
    store: Arc<Store>,
}

impl BookstoreService {
    pub(crate) fn new(store: Arc<Store>) -> BookstoreService {
        BookstoreService { store }
    }
}

/// What the streaming rpcs answer with.
type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl Bookstore for BookstoreService {
    async fn create_shelf(
        &self,
        request: Request<CreateShelfRequest>,
    ) -> Result<Response<Shelf>, Status> {
        let CreateShelfRequest { shelf_id, shelf } = request.into_inner();
        let id = id("shelf_id", &shelf_id)?;
        let theme = fields::shelf(shelf)
            .map_err(Status::invalid_argument)?
            .theme;
        Ok(Response::new(self.store.create_shelf(&id, theme)?))
    }

    async fn get_shelf(
        &self,
        request: Request<GetShelfRequest>,
    ) -> Result<Response<Shelf>, Status> {
        let name = shelf_name("name", &request.into_inner().name)?;
        Ok(Response::new(self.store.shelf(&name)?))
    }

    async fn list_shelves(
        &self,
        request: Request<ListShelvesRequest>,
    ) -> Result<Response<ListShelvesResponse>, Status> {
        let ListShelvesRequest {
            page_size,
            page_token,
        } = request.into_inner();
        let page = Page::parse(Query::new(&["shelves"]), page_size, &page_token)?;
        let mut shelves = self.store.shelves(page.after.as_deref(), page.size + 1);
        let next_page_token = page.cut(&mut shelves, |shelf| last_part(&shelf.name));
        Ok(Response::new(ListShelvesResponse {
            shelves,
            next_page_token,
        }))
    }

    async fn delete_shelf(
        &self,
        request: Request<DeleteShelfRequest>,
    ) -> Result<Response<()>, Status> {
        let DeleteShelfRequest { name, force } = request.into_inner();
        let name = shelf_name("name", &name)?;
        Ok(Response::new(self.store.delete_shelf(&name, force)?))
    }

    async fn create_book(
        &self,
        request: Request<CreateBookRequest>,
    ) -> Result<Response<Book>, Status> {
        let CreateBookRequest {
            parent,
            book_id,
            book,
        } = request.into_inner();
        let name = shelf_name("parent", &parent)?.book(id("book_id", &book_id)?);
        let book = fields::book(book).map_err(Status::invalid_argument)?;
        Ok(Response::new(Arc::unwrap_or_clone(
            self.store.create_book(&name, book)?,
        )))
    }

    async fn get_book(&self, request: Request<GetBookRequest>) -> Result<Response<Book>, Status> {
        let name = book_name("name", &request.into_inner().name)?;
        Ok(Response::new(Arc::unwrap_or_clone(self.store.book(&name)?)))
    }

    async fn list_books(
        &self,
        request: Request<ListBooksRequest>,
    ) -> Result<Response<ListBooksResponse>, Status> {
        let ListBooksRequest {
            parent,
            page_size,
            page_token,
            author,
        } = request.into_inner();
        let parent = shelf_name("parent", &parent)?;
        let author = author.to_lowercase();
        let page = Page::parse(
            Query::new(&["books", &parent.to_string(), &author]),
            page_size,
            &page_token,
        )?;
        let by_author = |book: &Book| author.is_empty() || book.author.to_lowercase() == author;
        let mut books =
            self.store
                .books(&parent, page.after.as_deref(), page.size + 1, by_author)?;
        let next_page_token = page.cut(&mut books, |book| last_part(&book.name));
        let books = books.into_iter().map(Arc::unwrap_or_clone).collect();
        Ok(Response::new(ListBooksResponse {
            books,
            next_page_token,
        }))
    }

    async fn delete_book(
        &self,
        request: Request<DeleteBookRequest>,
    ) -> Result<Response<()>, Status> {
        let name = book_name("name", &request.into_inner().name)?;
        Ok(Response::new(self.store.delete_book(&name)?))
    }

    type WatchShelfStream = Answers<ShelfEvent>;

    async fn watch_shelf(
        &self,
        request: Request<WatchShelfRequest>,
    ) -> Result<Response<Self::WatchShelfStream>, Status> {
        let name = shelf_name("name", &request.into_inner().name)?;
        let (present, changes) = self.store.watch(&name)?;
        Ok(Response::new(Box::pin(watch::events(present, changes))))
    }

    async fn import_books(
        &self,
        request: Request<Streaming<ImportBooksRequest>>,
    ) -> Result<Response<ImportBooksResponse>, Status> {
        Ok(Response::new(
            import::import(&self.store, request.into_inner()).await?,
        ))
    }

    type PriceBasketStream = Answers<PriceBasketResponse>;

    async fn price_basket(
        &self,
        request: Request<Streaming<PriceBasketRequest>>,
    ) -> Result<Response<Self::PriceBasketStream>, Status> {
        let (store, mut basket) = (Arc::clone(&self.store), basket::Basket::default());
        // An item is read when the answer to the one before is on its way: a slow reader slows the sender down.
        Ok(Response::new(Box::pin(
            request
                .into_inner()
                .map(move |item| basket.put(&store, &item?)),
        )))
    }
}

fn id(field: &str, text: &str) -> Result<Id, Status> {
    Id::parse(text).map_err(|error| invalid(field, &error))
}

fn shelf_name(field: &str, text: &str) -> Result<ShelfName, Status> {
    ShelfName::parse(text).map_err(|error| invalid(field, &error))
}

fn book_name(field: &str, text: &str) -> Result<BookName, Status> {
    BookName::parse(text).map_err(|error| invalid(field, &error))
}

fn invalid(field: &str, error: &NameError) -> Status {
    Status::invalid_argument(format!("{field}: {error}"))
}

/// The id at the end of a name.
fn last_part(name: &str) -> &str {
    name.rsplit_once('/').map_or(name, |(_, id)| id)
}

impl From<PageError> for Status {
    fn from(error: PageError) -> Status {
        Status::invalid_argument(error.to_string())
    }
}

impl From<StoreError> for Status {
    fn from(error: StoreError) -> Status {
        let message = error.to_string();
        match error {
            StoreError::NoShelf(_) | StoreError::NoBook(_) => Status::not_found(message),
            StoreError::ShelfExists(_) | StoreError::BookExists(_) => {
                Status::already_exists(message)
            }
            StoreError::ShelfNotEmpty(..) => Status::failed_precondition(message),
            StoreError::TooManyShelves | StoreError::TooManyBooks => {
                Status::resource_exhausted(message)
            }
            StoreError::Closed => Status::unavailable(message),
        }
    }
}
