//! `books import`: a file, one JSON object a line, to `ImportBooks`.

use std::{
    fmt::Write as _,
    io::{self, Read as _, Write},
    path::Path,
};

use serde::Deserialize;

use super::Connection;
use crate::{
    bookstore::{Book, ImportBooksRequest, ImportBooksResponse},
    failure::Failure,
    names::ShelfName,
    output::{Table, parse_price},
};

/// A line of the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    id: String,
    title: String,
    #[serde(default)]
    author: String,
    price: String,
    #[serde(default = "one")]
    copies: i32,
}

fn one() -> i32 {
    1
}

/// Sends nothing unless every line can be sent.
pub(super) async fn import(
    connection: &Connection,
    shelf: &ShelfName,
    file: &Path,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let text = read(file)
        .map_err(|error| Failure::Usage(format!("{} cannot be read: {error}", file.display())))?;
    let requests = requests(&text, shelf)
        .map_err(|faults| Failure::Usage(format!("{}: {faults}", file.display())))?;
    let request = connection.request(tokio_stream::iter(requests));
    let summary = connection.client.import_books(request).await?.into_inner();
    write(&summary, out)?;
    match summary.refused_count {
        0 => Ok(()),
        refused => Err(Failure::Refused(format!(
            "{refused} of the books were refused"
        ))),
    }
}

fn read(file: &Path) -> io::Result<String> {
    if file == Path::new("-") {
        let mut text = String::new();
        io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        std::fs::read_to_string(file)
    }
}

/// The requests, or what is wrong with each line that cannot be one.
fn requests(text: &str, shelf: &ShelfName) -> Result<Vec<ImportBooksRequest>, String> {
    let (mut requests, mut faults) = (Vec::new(), String::new());
    for (number, line) in (1..)
        .zip(text.lines())
        .filter(|(_, line)| !line.trim().is_empty())
    {
        match request(line, shelf) {
            Ok(request) => requests.push(request),
            Err(fault) => {
                // Writing to a String cannot fail.
                let _ = write!(faults, "\n  line {number}: {fault}");
            }
        }
    }
    if faults.is_empty() {
        Ok(requests)
    } else {
        Err(format!("nothing was sent, because{faults}"))
    }
}

fn request(line: &str, shelf: &ShelfName) -> Result<ImportBooksRequest, String> {
    // serde_json counts lines too; here there is but one.
    let line: Line = serde_json::from_str(line).map_err(|error| {
        error
            .to_string()
            .replace(" at line 1 column ", " at column ")
    })?;
    let price_cents = parse_price(&line.price)?;
    let book = Book {
        title: line.title,
        author: line.author,
        price_cents,
        copies: line.copies,
        ..Book::default()
    };
    Ok(ImportBooksRequest {
        parent: shelf.to_string(),
        book_id: line.id,
        book: Some(book),
    })
}

fn write(summary: &ImportBooksResponse, out: &mut impl Write) -> Result<(), Failure> {
    writeln!(
        out,
        "imported {}, refused {}",
        summary.imported_count, summary.refused_count
    )?;
    if !summary.refusals.is_empty() {
        let mut table = Table::new(["BOOK>", "ID", "REASON"]);
        for refusal in &summary.refusals {
            table.row([
                (refusal.index + 1).to_string(),
                refusal.book_id.clone(),
                refusal.reason.clone(),
            ]);
        }
        table.write(out)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fiction() -> ShelfName {
        ShelfName::parse("shelves/fiction").unwrap()
    }

    #[test]
    fn a_line_is_a_book() {
        let text = r#"
            {"id":"dune","title":"Dune","author":"Frank Herbert","price":"9.95","copies":3}

            {"id":"emma","title":"Emma","price":"7"}
        "#;
        let books = requests(text, &fiction()).unwrap();
        let dune = Book {
            title: "Dune".into(),
            author: "Frank Herbert".into(),
            price_cents: 995,
            copies: 3,
            ..Book::default()
        };
        let emma = Book {
            title: "Emma".into(),
            price_cents: 700,
            copies: 1,
            ..Book::default()
        };
        let request = |id: &str, book| ImportBooksRequest {
            parent: "shelves/fiction".into(),
            book_id: id.into(),
            book: Some(book),
        };
        assert_eq!(books, [request("dune", dune), request("emma", emma)]);
        assert_eq!(requests("", &fiction()).unwrap(), []);
    }

    #[test]
    fn every_faulty_line_is_told() {
        let text = "{\"id\":\"dune\",\"title\":\"Dune\",\"price\":\"cheap\"}\n\n{\"id\":7}\nDune\n{\"id\":\"x\",\"titel\":\"X\"}\n";
        assert_eq!(
            requests(text, &fiction()).unwrap_err(),
            "nothing was sent, because\
             \n  line 1: \"cheap\" is not a price; it looks like 9.95 or 10\
             \n  line 3: invalid type: integer `7`, expected a string at column 7\
             \n  line 4: expected value at column 1\
             \n  line 5: unknown field `titel`, expected one of `id`, `title`, `author`, `price`, `copies` at column 17"
        );
    }
}
