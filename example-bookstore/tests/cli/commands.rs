//! Commands against `serve`, good and bad.

use crate::process::{Server, fails, prints};

#[test]
fn shelves_and_books() {
    let server = Server::start();
    let created = prints(&server.run(&["shelves", "create", "fiction", "--theme", "Novels"]));
    assert!(
        created.starts_with(
            "NAME             BOOKS  CREATED               THEME\nshelves/fiction      0  20"
        ),
        "{created}"
    );
    assert!(created.ends_with("Z  Novels\n"), "{created}");
    let dune = [
        "books",
        "create",
        "fiction/dune",
        "--title",
        "Dune",
        "--author",
        "Frank Herbert",
        "--price",
        "9.95",
    ];
    prints(&server.run(&dune));
    prints(&server.run(&[
        "books",
        "create",
        "shelves/fiction/books/emma",
        "--title",
        "Emma",
        "--price",
        "7",
        "--copies",
        "2",
    ]));

    let dune = prints(&server.run(&["books", "get", "fiction/dune"]));
    assert!(dune.starts_with("NAME                        PRICE  COPIES  CREATED               AUTHOR         TITLE\n"), "{dune}");
    assert!(
        dune.contains("\nshelves/fiction/books/dune   9.95       1  20"),
        "{dune}"
    );
    assert!(dune.ends_with("Z  Frank Herbert  Dune\n"), "{dune}");
    let listed = prints(&server.run(&["books", "list", "fiction", "--author", "frank herbert"]));
    assert_eq!(listed, dune);

    let priced = prints(&server.run(&[
        "books",
        "price",
        "fiction/emma=2",
        "fiction/dune",
        "fiction/emma=-1",
    ]));
    let expected = "\
BOOK                        COPIES  PRICE  TOTAL
shelves/fiction/books/emma       2  14.00  14.00
shelves/fiction/books/dune       1   9.95  23.95
shelves/fiction/books/emma       1   7.00  16.95
";
    assert_eq!(priced, expected);

    assert_eq!(
        prints(&server.run(&["books", "delete", "fiction/dune"])),
        "deleted shelves/fiction/books/dune\n"
    );
    assert_eq!(
        prints(&server.run(&["shelves", "delete", "fiction", "--force"])),
        "deleted shelves/fiction\n"
    );
    let empty = prints(&server.run(&["shelves", "list"]));
    assert_eq!(empty, "NAME  BOOKS  CREATED  THEME\n");
}

#[test]
fn lists_come_in_pages() {
    let server = Server::start();
    for id in ["a", "b", "c"] {
        prints(&server.run(&["shelves", "create", id, "--theme", "Letters"]));
    }
    let page = prints(&server.run(&["shelves", "list", "--page-size", "2"]));
    assert!(
        page.contains("shelves/a") && page.contains("shelves/b") && !page.contains("shelves/c"),
        "{page}"
    );
    let (_, token) = page
        .trim_end()
        .rsplit_once("\n\nThere is more: --all, or --page-token ")
        .unwrap();
    let page = prints(&server.run(&["shelves", "list", "--page-size", "2", "--page-token", token]));
    assert!(
        page.contains("shelves/c")
            && !page.contains("shelves/b")
            && !page.contains("There is more"),
        "{page}"
    );
    let all = prints(&server.run(&["shelves", "list", "--page-size", "1", "--all"]));
    assert_eq!(all.lines().count(), 4);
    let garbage = server.run(&["shelves", "list", "--page-token", "x"]);
    let message = "error: INVALID_ARGUMENT: page_token is not one of this server's, or is damaged; send \
                   next_page_token as it came, or nothing for the first page\n";
    fails(&garbage, 3, message);
    let negative = server.run(&["shelves", "list", "--page-size", "-1"]);
    fails(
        &negative,
        3,
        "error: INVALID_ARGUMENT: page_size is -1; it must be 0 (for 50) or more\n",
    );
}

#[test]
fn what_the_bookstore_refuses() {
    let server = Server::start();
    let missing = "error: NOT_FOUND: there is no shelf shelves/fiction\n";
    fails(&server.run(&["shelves", "get", "fiction"]), 3, missing);
    fails(&server.run(&["books", "list", "fiction"]), 3, missing);
    fails(&server.run(&["books", "watch", "fiction"]), 3, missing);
    prints(&server.run(&["shelves", "create", "fiction", "--theme", "Novels"]));
    let twice = server.run(&["shelves", "create", "fiction", "--theme", "Novels"]);
    fails(
        &twice,
        3,
        "error: ALREADY_EXISTS: there is a shelf shelves/fiction already\n",
    );
    let copies = [
        "books",
        "create",
        "fiction/dune",
        "--title",
        "Dune",
        "--price",
        "1",
        "--copies",
        "-1",
    ];
    let message = "error: INVALID_ARGUMENT: book.copies: it is -1; it must be from 0 to 1000000\n";
    fails(&server.run(&copies), 3, message);
    prints(&server.run(&[
        "books",
        "create",
        "fiction/dune",
        "--title",
        "Dune",
        "--price",
        "1",
    ]));
    let delete = server.run(&["shelves", "delete", "fiction"]);
    let message = "error: FAILED_PRECONDITION: a book stands on shelves/fiction; set force to take it away with \
                   the shelf\n";
    fails(&delete, 3, message);

    // What was priced before is shown.
    let basket = server.run(&["books", "price", "fiction/dune", "fiction/dune"]);
    let printed = String::from_utf8_lossy(&basket.stdout).into_owned();
    assert!(
        printed.ends_with("shelves/fiction/books/dune       1   1.00   1.00\n"),
        "{printed}"
    );
    let message = "error: FAILED_PRECONDITION: the basket asks for 2 copies of shelves/fiction/books/dune; 1 are \
                   in stock\n";
    fails(&basket, 3, message);
}
