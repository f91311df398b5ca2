//! Lists, page by page.

use super::*;
use crate::bookstore::{DeleteBookRequest, ListBooksRequest, ListShelvesRequest};

const GARBAGE: &str = "page_token is not one of this server's, or is damaged; send next_page_token as it came, \
                       or nothing for the first page";
const OTHER_QUERY: &str = "page_token comes from another query; between pages only page_size may change, so send \
                           nothing for the first page of this one";

fn page(page_size: i32, page_token: &str) -> ListBooksRequest {
    let page_token = page_token.to_owned();
    ListBooksRequest {
        parent: FICTION.into(),
        page_size,
        page_token,
        author: String::new(),
    }
}

/// The ids of a page, and the next page's token.
async fn ids(client: &BookstoreClient, request: ListBooksRequest) -> (Vec<String>, String) {
    let answer = client.list_books(request).await.unwrap().into_inner();
    let ids = answer
        .books
        .iter()
        .map(|book| super::super::last_part(&book.name).to_owned());
    (ids.collect(), answer.next_page_token)
}

#[tokio::test]
async fn pages_follow_one_another() {
    let (client, _) = with_books(&["e", "b", "d", "a", "c"]).await;
    let (first, token) = ids(&client, page(2, "")).await;
    assert_eq!(first, ["a", "b"]);
    // Another size is another page of the same list.
    let (second, token) = ids(&client, page(1, &token)).await;
    assert_eq!(second, ["c"]);
    let (last, token) = ids(&client, page(2, &token)).await;
    assert_eq!(
        (last, token.as_str()),
        (vec!["d".to_owned(), "e".to_owned()], "")
    );
}

#[tokio::test]
async fn a_list_may_change_between_pages() {
    let (client, _) = with_books(&["b", "d", "f"]).await;
    let (_, token) = ids(&client, page(2, "")).await;
    // The token's own book goes; one before it and one after it come.
    client
        .delete_book(DeleteBookRequest { name: name("d") })
        .await
        .unwrap();
    client.create_book(book("a")).await.unwrap();
    client.create_book(book("e")).await.unwrap();
    let (rest, token) = ids(&client, page(2, &token)).await;
    assert_eq!(
        (rest, token.as_str()),
        (vec!["e".to_owned(), "f".to_owned()], "")
    );
}

#[tokio::test]
async fn an_empty_list_is_a_page() {
    let (client, _) = with_books(&[]).await;
    assert_eq!(ids(&client, page(0, "")).await, (vec![], String::new()));
}

#[tokio::test]
async fn an_author_is_a_query_of_its_own() {
    let (client, _) = with_books(&["a", "b", "c"]).await;
    let mut other = book("bb");
    other.book.as_mut().unwrap().author = "Jane Austen".into();
    client.create_book(other).await.unwrap();
    let by = |author: &str, page| ListBooksRequest {
        author: author.into(),
        ..page
    };
    let (found, token) = ids(&client, by("FRANK herbert", page(2, ""))).await;
    assert_eq!(found, ["a", "b"]);
    // The case of the letters makes no difference, so it makes no other query.
    assert_eq!(
        ids(&client, by("Frank Herbert", page(2, &token))).await.0,
        ["c"]
    );
    assert_eq!(ids(&client, by("Jane Austen", page(2, ""))).await.0, ["bb"]);
    assert_eq!(
        ids(&client, by("Jane", page(2, ""))).await.0,
        Vec::<String>::new()
    );
    let list = client.list_books(by("Jane Austen", page(2, &token))).await;
    fails(list, Code::InvalidArgument, OTHER_QUERY);
    fails(
        client.list_books(page(2, &token)).await,
        Code::InvalidArgument,
        OTHER_QUERY,
    );
}

#[tokio::test]
async fn malformed_pages_are_refused() {
    let (client, _) = with_books(&["a", "b"]).await;
    client.create_shelf(shelf("poetry")).await.unwrap();
    let (_, token) = ids(&client, page(1, "")).await;
    let message = "page_size is -1; it must be 0 (for 50) or more";
    fails(
        client.list_books(page(-1, "")).await,
        Code::InvalidArgument,
        message,
    );
    fails(
        client.list_books(page(1, "page-2")).await,
        Code::InvalidArgument,
        GARBAGE,
    );
    fails(
        client.list_books(page(1, &token[1..])).await,
        Code::InvalidArgument,
        GARBAGE,
    );
    let elsewhere = ListBooksRequest {
        parent: "shelves/poetry".into(),
        ..page(1, &token)
    };
    fails(
        client.list_books(elsewhere).await,
        Code::InvalidArgument,
        OTHER_QUERY,
    );
    let shelves = ListShelvesRequest {
        page_size: 1,
        page_token: token,
    };
    fails(
        client.list_shelves(shelves).await,
        Code::InvalidArgument,
        OTHER_QUERY,
    );
    let missing = ListBooksRequest {
        parent: "shelves/music".into(),
        ..page(1, "")
    };
    fails(
        client.list_books(missing).await,
        Code::NotFound,
        "there is no shelf shelves/music",
    );
}

#[tokio::test]
async fn sizes_have_a_default_and_a_limit() {
    let (client, _) = bookstore();
    for number in 100..350 {
        client
            .create_shelf(shelf(&number.to_string()))
            .await
            .unwrap();
    }
    for (page_size, found) in [(0, 50), (7, 7), (200, 200), (1_000, 200)] {
        let request = ListShelvesRequest {
            page_size,
            page_token: String::new(),
        };
        let answer = client.list_shelves(request).await.unwrap().into_inner();
        assert_eq!(answer.shelves.len(), found);
        let request = ListShelvesRequest {
            page_size: 1,
            page_token: answer.next_page_token,
        };
        let next = client.list_shelves(request).await.unwrap().into_inner();
        assert_eq!(next.shelves[0].name, format!("shelves/{}", 100 + found));
    }
}
