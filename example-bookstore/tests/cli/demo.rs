//! The demonstration, run to its end.

use std::path::Path;

use crate::process::{bookstore, prints};

#[test]
fn the_demonstration_tells_what_it_promises() {
    // What a developer's machine may have set must neither reach the client nor be needed.
    let told = prints(
        &bookstore()
            .env("GOOGLE_APPLICATION_CREDENTIALS", "no-such-file.json")
            .env("GCE_METADATA_HOST", "192.0.2.1:1")
            .env("SSL_CERT_FILE", "no-such-file.pem")
            .output()
            .unwrap(),
    );
    let one = |words: &[&str]| {
        let found = told
            .lines()
            .any(|line| words.iter().all(|word| line.contains(word)));
        assert!(found, "no line has {words:?} in it:\n{told}");
    };
    one(&["  host       localhost:"]);
    one(&["  audience   https://localhost"]);
    one(&["BookstoreClient::new(\"localhost:"]);
    for method in [
        "CreateShelf",
        "ImportBooks",
        "ListBooks",
        "PriceBasket",
        "WatchShelf",
        "GetBook",
        "DeleteBook",
    ] {
        one(&[" s  client ", method]);
    }
    one(&["metadata", "for https://localhost, good until ", " s left"]);
    one(&["front end", "denies GetShelf with HTTP 401: wrong audience"]);
    one(&["client", "GetShelf denied: UNAUTHENTICATED"]);
    one(&[
        "front end",
        "denies GetShelf with HTTP 403: the identity lacks roles/run.invoker",
    ]);
    one(&["client", "GetShelf denied: PERMISSION_DENIED"]);
    one(&["client", "GetShelf", "refused: NOT_FOUND"]);
    one(&["calls went through, with ", " tokens one after the other."]);
    assert!(
        !told.contains("unplanned") && !told.contains("FAILED"),
        "{told}"
    );
    // A pipe is no terminal.
    assert!(!told.contains('\u{1b}'), "{told}");

    // Its files are gone.
    let (_, file) = told.split_once("SSL_CERT_FILE=").unwrap();
    let file = Path::new(file.lines().next().unwrap());
    assert!(file.is_absolute() && !file.exists(), "{}", file.display());
    assert!(!file.parent().unwrap().exists(), "{}", file.display());
}
