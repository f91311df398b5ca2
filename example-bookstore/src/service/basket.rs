//! `PriceBasket`: items in, the running total out.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, btree_map::Entry},
};

use tonic::Status;

use super::book_name;
use crate::{
    bookstore::{PriceBasketRequest, PriceBasketResponse},
    names::BookName,
    store::Store,
};

/// How many different books a basket holds. With the limits of price and copies this keeps every sum far from overflowing.
const MAX_TITLES: usize = 1_000;

/// What is in one caller's basket.
#[derive(Debug, Default)]
pub(super) struct Basket {
    lines: BTreeMap<BookName, Line>,
    total_cents: i64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Line {
    copies: i32,
    cents: i64,
}

impl Basket {
    /// Puts copies in or takes them out, at the price of this moment, and tells the new total.
    pub(super) fn put(
        &mut self,
        store: &Store,
        item: &PriceBasketRequest,
    ) -> Result<PriceBasketResponse, Status> {
        let name = book_name("book", &item.book)?;
        let book = store.book(&name)?;
        let full = self.lines.len() >= MAX_TITLES;
        let place = self.lines.entry(name);
        let old = match &place {
            Entry::Occupied(line) => *line.get(),
            Entry::Vacant(_) if full => {
                return Err(Status::resource_exhausted(format!(
                    "{MAX_TITLES} different books are in the basket, the most it holds"
                )));
            }
            Entry::Vacant(_) => Line::default(),
        };
        let copies = changed(old.copies, item.quantity, book.copies, place.key())?;
        let line = Line {
            copies,
            cents: i64::from(copies) * book.price_cents,
        };
        match (place, copies) {
            (Entry::Occupied(line), 0) => drop(line.remove()),
            (place, _) => *place.or_default() = line,
        }
        self.total_cents += line.cents - old.cents;
        Ok(PriceBasketResponse {
            book: book.name.clone(),
            quantity: line.copies,
            line_cents: line.cents,
            total_cents: self.total_cents,
        })
    }
}

/// How many copies there are in the basket after `quantity` more.
fn changed(held: i32, quantity: i32, stock: i32, name: &BookName) -> Result<i32, Status> {
    let wanted = i64::from(held) + i64::from(quantity);
    match (quantity.cmp(&0), i32::try_from(wanted)) {
        (Ordering::Equal, _) => Err(Status::invalid_argument(
            "quantity: 0 neither puts anything in nor takes it out",
        )),
        (Ordering::Less, Ok(copies @ 0..)) => Ok(copies),
        (Ordering::Less, _) => Err(Status::invalid_argument(format!(
            "quantity: {quantity} takes out more copies of {name} than the {held} in the basket"
        ))),
        (Ordering::Greater, Ok(copies)) if copies <= stock => Ok(copies),
        (Ordering::Greater, _) => Err(Status::failed_precondition(format!(
            "the basket asks for {wanted} copies of {name}; {stock} are in stock"
        ))),
    }
}
