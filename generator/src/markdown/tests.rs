use super::from_comment;
use proptest::prelude::*;
use pulldown_cmark::{
    BrokenLink, CodeBlockKind, Event, Options, Parser, Tag, TagEnd, TextMergeStream,
};
use std::cell::RefCell;

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
        (" The BookShelf's", "The `BookShelf`'s"),
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

/// Whatever comes out is read as rustdoc reads it: nothing of it may be what rustdoc warns about, or runs.
fn complaint(markdown: &str) -> Option<String> {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_SMART_PUNCTUATION;
    let unresolved = RefCell::new(None);
    let broken = |link: BrokenLink<'_>| {
        *unresolved.borrow_mut() = Some(format!("[{}] leads nowhere", link.reference));
        None
    };
    let parser = Parser::new_with_broken_link_callback(markdown, options, Some(broken));
    // In links and code, where an address is as it should be.
    let mut links = 0_usize;
    let complaint = TextMergeStream::new(parser).find_map(|event| match event {
        Event::Html(html) | Event::InlineHtml(html) => Some(format!("HTML: {html}")),
        Event::FootnoteReference(_) | Event::TaskListMarker(_) => Some("an extension".to_owned()),
        Event::Start(Tag::Table(_) | Tag::Strikethrough | Tag::FootnoteDefinition(_)) => {
            Some("an extension".to_owned())
        }
        Event::Start(Tag::CodeBlock(CodeBlockKind::Indented)) => Some("a doc test".to_owned()),
        Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(language))) => {
            links += 1;
            (&*language != "text").then(|| format!("a doc test in {language:?}"))
        }
        Event::Start(Tag::Link { dest_url, .. }) => {
            links += 1;
            let web = ["http:", "https:", "mailto:"];
            let known =
                web.iter().any(|scheme| dest_url.starts_with(scheme)) || dest_url.contains('@');
            (!known).then(|| format!("a link to {dest_url}"))
        }
        Event::End(TagEnd::Link | TagEnd::CodeBlock) => {
            links -= 1;
            None
        }
        Event::Text(text) if links == 0 && is_bare_address(&text) => {
            Some(format!("a bare address: {text}"))
        }
        _ => None,
    });
    complaint.or_else(|| unresolved.take())
}

/// A part of what rustdoc's `bare_urls` looks for.
fn is_bare_address(text: &str) -> bool {
    let after = text.split("https://").chain(text.split("http://")).skip(1);
    text.contains("://")
        && after
            .filter(|rest| text.contains(&format!("://{rest}")))
            .any(|rest| {
                rest.starts_with(|first: char| first.is_ascii_alphanumeric())
                    && rest.contains(".com")
            })
}

/// What comments are made of, and what breaks them.
fn piece() -> impl Strategy<Value = String> {
    let pieces = [
        "a",
        "word ",
        " ",
        "  ",
        "    ",
        "\n",
        "\n\n",
        "\n    ",
        "\n  ",
        "`",
        "``",
        "```",
        "```rust\n",
        "\n```\n",
        "~~~\n",
        "~",
        "~~",
        "*",
        "**",
        "_",
        "__",
        "[",
        "]",
        "[x]",
        "[x][y]",
        "[x][]",
        "(",
        ")",
        "](",
        "[a](b)",
        "[a](https://a.com/b)",
        "![a](b.png)",
        "<",
        ">",
        "<b>",
        "</b>",
        "<!-- ",
        "-->",
        "<br/>",
        "Vec<T>",
        "https://a.com",
        "https://a.com/b_c*d*",
        "http://",
        "<https://a.com>",
        "- ",
        "\n- ",
        "\n  - ",
        "\n1. ",
        "\n7) ",
        "+ ",
        "\n# ",
        "#",
        "\n> ",
        ">",
        "\n---\n",
        "\n===\n",
        "| a | b |\n|---|---|\n| 1 | 2 |\n",
        "|",
        ":",
        "\n: ",
        "[^1]",
        "\n[^1]: x",
        "\n[r]: https://a.com\n",
        "[ ]",
        "&amp;",
        "&",
        "&lt;b&gt;",
        "\\",
        "\\\n",
        "snake_case",
        "CamelCase",
        "a::b",
        "f()",
        "é",
        "本",
        "\u{202e}",
        "\r",
        "\t",
        "\0",
        "$x$",
        "\"q\"",
        "'s",
        "*/",
        "/*",
        "///",
        "//////\n",
        "{",
        "}",
        "<me@a.com>",
        "me@a.com",
        "www.a.com",
        "1.",
        "a.b.C",
    ];
    proptest::sample::select(pieces.to_vec()).prop_map(str::to_owned)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2048,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_comment_is_safe(pieces in prop::collection::vec(piece(), 0..24)) {
        let comment = pieces.concat();
        let lines = from_comment(&comment);
        for line in &lines {
            prop_assert!(!line.contains(char::is_control), "{:?}", line);
        }
        prop_assert!(lines.first().is_none_or(|line| !line.is_empty()));
        let markdown = lines.join("\n");
        prop_assert_eq!(complaint(&markdown), None, "{:?} became\n{}", comment, markdown);
        let docs: Vec<String> = lines.iter().map(|line| format!("/// {line}")).collect();
        let code = format!("{}\nstruct S;", docs.join("\n"));
        prop_assert!(syn::parse_file(&code).is_ok());
    }

    #[test]
    fn any_text_is_safe(comment in "\\PC{0,80}") {
        let markdown = markdown(&comment);
        prop_assert_eq!(complaint(&markdown), None, "{:?} became\n{}", comment, markdown);
    }
}
