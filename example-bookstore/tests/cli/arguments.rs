//! Command lines that cannot be carried out, and help.

use crate::process::{bookstore, fails, prints};

#[test]
fn wrong_arguments() {
    let run = |arguments: &[&str]| bookstore().args(arguments).output().unwrap();
    let nowhere = run(&["shelves", "list"]);
    let message = "error: which bookstore? Say --host HOST or set BOOKSTORE_HOST; for `serve` on this machine \
                   --host 127.0.0.1:8080 --plaintext\n";
    fails(&nowhere, 2, message);
    let nothing = run(&["--host", "h.example"]);
    let message = "error: which command? `shelves list`, for example; see --help\n";
    fails(&nothing, 2, message);
    for (arguments, message) in [
        (
            &["--host", "h.example", "shelves", "get", "Fiction"][..],
            "error: invalid value 'Fiction' for '<SHELF>': \"Fiction\" is not an id: it contains 'F'; an id is 1 to \
             63 lower-case letters, digits and hyphens, and neither starts nor ends with a hyphen\n",
        ),
        (
            &["--host", "h.example", "books", "get", "dune"],
            "error: invalid value 'dune' for '<BOOK>': \"dune\" is not a book; say it as fiction/dune or \
             shelves/fiction/books/dune\n",
        ),
        (
            &[
                "--host",
                "h.example",
                "books",
                "create",
                "a/b",
                "--title",
                "B",
                "--price",
                "9,95",
            ],
            "error: invalid value '9,95' for '--price <PRICE>': \"9,95\" is not a price; it looks like 9.95 or 10\n",
        ),
        (
            &["--host", "h.example", "books", "price", "a/b=many"],
            "error: invalid value 'a/b=many' for '<BOOK[=COPIES]>...': \"many\" is not a number of copies\n",
        ),
        (
            &["--timeout", "0", "--host", "h.example", "shelves", "list"],
            "error: invalid value '0' for '--timeout <SECONDS>': 0 is not in 1..=4294967295\n",
        ),
        (
            &[
                "--plaintext",
                "--audience",
                "https://a.example",
                "--host",
                "localhost",
                "shelves",
                "list",
            ],
            "error: the argument '--plaintext' cannot be used with '--audience <URL>'\n",
        ),
        (
            &["frobnicate"],
            "error: unrecognized subcommand 'frobnicate'\n",
        ),
    ] {
        let output = run(arguments);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(told.starts_with(message), "{told}");
        assert_eq!(output.status.code(), Some(2), "{told}");
    }
}

#[test]
fn hosts_and_certificates_that_cannot_be_used() {
    let run = |arguments: &[&str]| bookstore().args(arguments).output().unwrap();
    for (arguments, words) in [
        (
            &["--host", "http://h.example", "shelves", "list"][..],
            "http://h.example",
        ),
        (&["--host", "", "shelves", "list"], "host"),
        (
            &["--host", "h.example", "--plaintext", "shelves", "list"],
            "loopback",
        ),
        (
            &["--host", "h.example", "--audience", "", "shelves", "list"],
            "audience",
        ),
        (
            &[
                "--host",
                "h.example",
                "--ca",
                "no-such-file.pem",
                "shelves",
                "list",
            ],
            "the certificates in no-such-file.pem cannot be read: ",
        ),
        (
            &[
                "--host",
                "h.example",
                "--ca",
                "Cargo.toml",
                "shelves",
                "list",
            ],
            "certificate",
        ),
    ] {
        let output = run(arguments);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            told.starts_with("error: ") && told.contains(words),
            "{told}"
        );
        assert_eq!(
            (output.status.code(), told.lines().count()),
            (Some(2), 1),
            "{told}"
        );
    }
}

#[test]
fn a_bookstore_that_is_not_there() {
    // A port that was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let host = format!("127.0.0.1:{port}");
    let output = bookstore()
        .args(["--host", &host, "--plaintext", "shelves", "list"])
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        told.starts_with("error: UNAVAILABLE: ") && told.contains(&host),
        "{told}"
    );
    assert_eq!(output.status.code(), Some(5));
}

#[test]
fn help_tells_the_exit_codes() {
    let help = prints(&bookstore().arg("--help").output().unwrap());
    for line in [
        "Exit codes:",
        "  4  the caller was not let in: UNAUTHENTICATED, PERMISSION_DENIED",
    ] {
        assert!(help.lines().any(|it| it == line), "{help}");
    }
    assert!(!help.contains("demo-client"), "{help}");
}
