//! Streaming commands, and how `serve` ends.

use std::{
    io::{BufReader, Read as _, Write as _},
    process::{Child, ChildStdout, Stdio},
};

use crate::process::{Server, bookstore, fails, line, prints};

fn with_fiction() -> Server {
    let server = Server::start();
    prints(&server.run(&["shelves", "create", "fiction", "--theme", "Novels"]));
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
    server
}

/// A watch that has begun: its first line has been read.
fn watch(server: &Server) -> (Child, BufReader<ChildStdout>) {
    let mut watch = server.command(&["books", "watch", "fiction"]);
    let mut watch = watch
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut events = BufReader::new(watch.stdout.take().unwrap());
    let first = line(&mut events);
    assert_eq!(
        first,
        "present        shelves/fiction/books/dune  \"Dune\" by Frank Herbert, 1 copies at 9.95"
    );
    (watch, events)
}

#[test]
fn a_watch_tells_each_change_as_it_happens() {
    let server = with_fiction();
    let (mut watch, mut events) = watch(&server);
    prints(&server.run(&[
        "books",
        "create",
        "fiction/emma",
        "--title",
        "Emma",
        "--price",
        "7",
    ]));
    assert_eq!(
        line(&mut events),
        "added          shelves/fiction/books/emma  \"Emma\" by unknown, 1 copies at 7.00"
    );
    prints(&server.run(&["books", "delete", "fiction/dune"]));
    assert_eq!(
        line(&mut events),
        "removed        shelves/fiction/books/dune"
    );
    prints(&server.run(&["shelves", "delete", "fiction", "--force"]));
    assert_eq!(line(&mut events), "shelf deleted  shelves/fiction");
    assert!(watch.wait().unwrap().success());
}

#[test]
fn a_watch_may_be_limited() {
    let server = with_fiction();
    let told = prints(&server.run(&["books", "watch", "fiction", "--limit", "1"]));
    assert_eq!(told.lines().count(), 1);
}

#[test]
fn a_deadline_ends_a_watch() {
    let server = with_fiction();
    let output = server.run(&["books", "watch", "fiction", "--timeout", "1"]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.starts_with("error: DEADLINE_EXCEEDED: "), "{told}");
    assert_eq!(output.status.code(), Some(5));
}

#[test]
fn books_are_imported_from_standard_input() {
    let server = with_fiction();
    let import = |text: &str| {
        let mut import = server.command(&["books", "import", "fiction", "-"]);
        let import = import
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut import = import.spawn().unwrap();
        import
            .stdin
            .take()
            .unwrap()
            .write_all(text.as_bytes())
            .unwrap();
        import.wait_with_output().unwrap()
    };
    let emma = "{\"id\":\"emma\",\"title\":\"Emma\",\"price\":\"7\",\"copies\":2}\n";
    assert_eq!(prints(&import(emma)), "imported 1, refused 0\n");

    let again = import(&format!(
        "{emma}\n{{\"id\":\"momo\",\"title\":\"Momo\",\"price\":\"11.00\"}}\n"
    ));
    let summary = String::from_utf8_lossy(&again.stdout).into_owned();
    let expected = "imported 1, refused 1\nBOOK  ID    REASON\n   1  emma  there is a book shelves/fiction/books/emma already\n";
    assert_eq!(summary, expected);
    fails(&again, 3, "error: 1 of the books were refused\n");

    let faulty = import("{\"id\":\"x\"}\n");
    let message =
        "error: -: nothing was sent, because\n  line 1: missing field `title` at column 10\n";
    fails(&faulty, 2, message);
    let missing = server.run(&["books", "import", "fiction", "no-such-file.json"]);
    let told = String::from_utf8_lossy(&missing.stderr).into_owned();
    assert!(
        told.starts_with("error: no-such-file.json cannot be read: "),
        "{told}"
    );
}

#[test]
fn a_signal_ends_the_server_and_its_watches() {
    for signal in ["TERM", "INT"] {
        let mut server = with_fiction();
        let (watch, _events) = watch(&server);
        server.signal(signal);
        let stopping = format!(
            "{{\"message\":\"stopping\",\"severity\":\"INFO\",\"signal\":\"SIG{signal}\"}}"
        );
        assert_eq!(line(&mut server.log), stopping);
        // The watch is told why, so nothing is left to wait for.
        fails(
            &watch.wait_with_output().unwrap(),
            5,
            "error: UNAVAILABLE: the server is stopping; try again\n",
        );
        assert_eq!(
            line(&mut server.log),
            "{\"message\":\"stopped\",\"severity\":\"INFO\"}"
        );
        assert!(server.child.wait().unwrap().success());
    }
}

#[test]
fn a_second_signal_does_not_wait_for_the_calls() {
    let mut server = with_fiction();
    // A client that opens a connection (HTTP/2 preface, empty SETTINGS) and never speaks again: a graceful end would
    // wait for it.
    let mut silent = std::net::TcpStream::connect(&server.host).unwrap();
    silent
        .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0")
        .unwrap();
    // The server has taken the connection up: it speaks.
    silent.read_exact(&mut [0; 9]).unwrap();
    server.signal("TERM");
    line(&mut server.log);
    server.signal("TERM");
    let stopped = "{\"message\":\"stopped before all calls had ended\",\"severity\":\"WARNING\"}";
    assert_eq!(line(&mut server.log), stopped);
    assert!(server.child.wait().unwrap().success());
}

#[test]
fn a_port_that_cannot_be_used_is_told() {
    let serve = |port: &str| bookstore().arg("serve").env("PORT", port).output().unwrap();
    fails(
        &serve("http"),
        2,
        "error: PORT is \"http\"; it must be a number from 0 (any free port) to 65535\n",
    );
    fails(
        &serve("65536"),
        2,
        "error: PORT is \"65536\"; it must be a number from 0 (any free port) to 65535\n",
    );
    let taken = std::net::TcpListener::bind("0.0.0.0:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let output = serve(&port);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        told.starts_with(&format!("error: cannot listen on port {port}: ")),
        "{told}"
    );
    assert!(
        told.ends_with("; set PORT to a free one, or to 0 for any\n"),
        "{told}"
    );
    assert_eq!(output.status.code(), Some(1));
}
