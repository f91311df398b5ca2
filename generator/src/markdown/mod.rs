//! Comments of protos → Markdown that rustdoc takes without a warning and runs nothing of.
//!
//! Proto comments are written for other tools: they link to what rustdoc cannot know, contain markup that is none and examples
//! in any language. They are parsed as rustdoc parses them, and written again with what is safe: paragraphs, headings, lists,
//! quotes, emphasis, code that is not Rust and links to the web. All else becomes plain text.

mod blocks;
mod comment;
mod inline;
mod words;

use blocks::Writer;
use pulldown_cmark::{BrokenLink, CowStr, LinkType, Options, Parser, TextMergeWithOffset};

/// Line by line, without empty lines at its ends; no lines if the comment says nothing.
pub(crate) fn from_comment(comment: &str) -> Vec<String> {
    let text = comment::normalise(comment);
    // `[Book][library.Book]` links to a proto's name: worth knowing. `[Book]` may be anything in brackets.
    let unknown = |link: BrokenLink<'_>| match link.link_type {
        LinkType::Reference | LinkType::Collapsed => Some((CowStr::from(""), CowStr::from(""))),
        _ => None,
    };
    let parser =
        Parser::new_with_broken_link_callback(&text, Options::ENABLE_TABLES, Some(unknown));
    let mut writer = Writer::new(&text);
    for (event, range) in TextMergeWithOffset::new(parser.into_offset_iter()) {
        writer.event(event, range);
    }
    writer.finish()
}

#[cfg(test)]
mod tests;
