use super::from_comment;

fn markdown(comment: &str) -> String {
    from_comment(comment).join("\n")
}

#[test]
fn comments_become_what_they_mean() {
    for (comment, expected) in [
        ("", ""),
        (" A shelf.", "A shelf."),
        (" One,\n two.\n\n Three.\n", "One,\ntwo.\n\nThree."),
        ("* Javadoc.\n More.\n", "Javadoc.\nMore."),
        ("/ Slashes.\n/ More.", "Slashes.\nMore."),
        ("/////////\n A title\n/////////", "A title"),
        (" Set `name` or `x y`.", "Set `name` or `x y`."),
        (
            " Set snake_case, CamelCase (or a::b).",
            "Set `snake_case`, `CamelCase` (or `a::b`).",
        ),
        (" IDs and URLs", "IDs and URLs"),
        (" Calls foo() twice.", "Calls `foo()` twice."),
        (" An `unbalanced tick", "An 'unbalanced tick"),
        (
            " Vec<T> & <b>bold</b>",
            "Vec\\<T\\> \\& \\<b\\>bold\\</b\\>",
        ),
        (" [optional] [0, 10)", "\\[optional\\] \\[0, 10)"),
        (" See [Book][library.v1.Book].", "See `Book`."),
        (" See [library.v1.Book][].", "See `library.v1.Book`."),
        (
            " See [the guide](https://example.com/a_b).",
            "See [the guide](<https://example.com/a_b>).",
        ),
        (" See [the guide](guide.md).", "See the guide."),
        (
            " See https://example.com/a_b.",
            "See <https://example.com/a_b>.",
        ),
        (
            " (https://example.com/a_(b))",
            "(<https://example.com/a_(b)>)",
        ),
        (" GET https://{host}/v1", "GET `https://{host}/v1`"),
        (" *a* and **b** and a*b", "*a* and **b** and a\\*b"),
        (" Ends */ here", "Ends \\*/ here"),
        (" # Title\n Text", "# Title\n\nText"),
        (" Größe in µm \u{202e}x", "Größe in µm x"),
    ] {
        assert_eq!(markdown(comment), expected, "of {comment:?}");
    }
}

#[test]
fn code_is_text() {
    assert_eq!(
        markdown(" ```\n fn main() {}\n ```"),
        "```text\nfn main() {}\n```"
    );
    assert_eq!(markdown(" ```rust\n let x;"), "```text\nlet x;\n```");
    assert_eq!(
        markdown(" For example:\n\n     let x;\n"),
        "For example:\n\n```text\nlet x;\n```"
    );
    assert_eq!(
        markdown(" ~~~~json\n {```}\n ~~~~"),
        "````text\n{```}\n````"
    );
    assert_eq!(
        markdown(" a | b\n --|--\n 1 | 2"),
        "```text\na | b\n--|--\n1 | 2\n```"
    );
}

#[test]
fn lists_keep_their_form() {
    assert_eq!(
        markdown(" Either\n - one,\n more of it\n   - deeper\n - two"),
        "Either\n\n- one,\n  more of it\n  - deeper\n- two"
    );
    assert_eq!(
        markdown(" 1. one\n\n 2. two\n\n    more"),
        "1. one\n\n2. two\n\n   more"
    );
    assert_eq!(markdown(" > quoted\n > more"), "> quoted\n> more");
    assert_eq!(
        markdown(" - a\n\n       code\n"),
        "- a\n\n  ```text\n  code\n  ```"
    );
}
