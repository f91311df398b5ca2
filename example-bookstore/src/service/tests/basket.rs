//! Bidirectional streaming.

use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::*;
use crate::bookstore::{PriceBasketRequest, PriceBasketResponse};

fn item(id: &str, quantity: i32) -> PriceBasketRequest {
    PriceBasketRequest {
        book: name(id),
        quantity,
    }
}

/// What a basket of these answers, and the status that it ends with.
async fn answers(
    client: &BookstoreClient,
    items: Vec<PriceBasketRequest>,
) -> (Vec<PriceBasketResponse>, Option<Status>) {
    let mut stream = client
        .price_basket(tokio_stream::iter(items))
        .await
        .unwrap()
        .into_inner();
    let mut answers = Vec::new();
    loop {
        match stream.message().await {
            Ok(Some(answer)) => answers.push(answer),
            Ok(None) => return (answers, None),
            Err(status) => return (answers, Some(status)),
        }
    }
}

#[tokio::test]
async fn each_item_is_answered_before_the_next_is_sent() {
    let (client, _) = with_books(&["dune", "emma"]).await;
    let (sender, items) = mpsc::channel(1);
    sender.send(item("dune", 2)).await.unwrap();
    let mut totals = client
        .price_basket(ReceiverStream::new(items))
        .await
        .unwrap()
        .into_inner();
    for (next, line) in [
        (Some(("emma", 1)), ("dune", 2, 1990, 1990)),
        (Some(("dune", -1)), ("emma", 1, 995, 2985)),
        (Some(("dune", -1)), ("dune", 1, 995, 1990)),
        (None, ("dune", 0, 0, 995)),
    ] {
        let (id, quantity, line_cents, total_cents) = line;
        let answer = totals.message().await.unwrap().unwrap();
        assert_eq!(
            answer,
            PriceBasketResponse {
                book: name(id),
                quantity,
                line_cents,
                total_cents
            }
        );
        if let Some((id, quantity)) = next {
            sender.send(item(id, quantity)).await.unwrap();
        }
    }
    drop(sender);
    assert_eq!(totals.message().await.unwrap(), None);
}

#[tokio::test]
async fn a_faulty_item_ends_the_basket() {
    let (client, _) = with_books(&["dune"]).await;
    let name = name("dune");
    for (faulty, code, message) in [
        (
            item("dune", 0),
            Code::InvalidArgument,
            "quantity: 0 neither puts anything in nor takes it out".to_owned(),
        ),
        (
            item("dune", -3),
            Code::InvalidArgument,
            format!("quantity: -3 takes out more copies of {name} than the 2 in the basket"),
        ),
        (
            item("dune", 2),
            Code::FailedPrecondition,
            format!("the basket asks for 4 copies of {name}; 3 are in stock"),
        ),
        (
            item("dune", i32::MAX),
            Code::FailedPrecondition,
            format!("the basket asks for 2147483649 copies of {name}; 3 are in stock"),
        ),
        (
            item("dune", i32::MIN),
            Code::InvalidArgument,
            format!(
                "quantity: -2147483648 takes out more copies of {name} than the 2 in the basket"
            ),
        ),
        (
            item("emma", 1),
            Code::NotFound,
            "there is no book shelves/fiction/books/emma".to_owned(),
        ),
        (
            PriceBasketRequest {
                book: "dune".into(),
                quantity: 1,
            },
            Code::InvalidArgument,
            "book: \"dune\" is not a book's name; it looks like shelves/fiction/books/dune"
                .to_owned(),
        ),
    ] {
        let (answers, status) =
            answers(&client, vec![item("dune", 2), faulty, item("dune", 1)]).await;
        let status = status.unwrap();
        assert_eq!((status.code(), status.message()), (code, message.as_str()));
        assert_eq!(answers.len(), 1);
    }
}

#[tokio::test]
async fn a_basket_has_a_limit() {
    let ids: Vec<String> = (0..=1_000).map(|number| format!("b{number}")).collect();
    let (client, _) = with_books(&ids.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let (answers, status) = answers(&client, ids.iter().map(|id| item(id, 1)).collect()).await;
    assert_eq!(answers.len(), 1_000);
    assert_eq!(answers.last().unwrap().total_cents, 995_000);
    let status = status.unwrap();
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert_eq!(
        status.message(),
        "1000 different books are in the basket, the most it holds"
    );
}
