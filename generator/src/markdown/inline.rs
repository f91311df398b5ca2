//! What stands within a paragraph: text, code, emphasis, links.

use super::words;
use pulldown_cmark::{Event, Tag, TagEnd};

/// The text of a paragraph as it is gathered.
#[derive(Default)]
pub(super) struct Inline {
    text: String,
    links: Vec<Link>,
    emphasis: usize,
}

/// A link whose text is being gathered.
struct Link {
    /// Where it leads, if that is a place on the web.
    url: Option<String>,
    /// Where its text starts.
    from: usize,
}

impl Inline {
    pub(super) fn event(&mut self, event: &Event<'_>) {
        match event {
            Event::Text(text) => {
                let in_link = self.in_web_link();
                self.push(&words::escape(text, in_link));
            }
            Event::Code(code) => self.push(&code_span(code)),
            // Markup of another language is shown, not done.
            Event::Html(html) | Event::InlineHtml(html) => {
                let in_link = self.in_web_link();
                self.push(&words::escape(html, in_link));
            }
            Event::SoftBreak => self.text.push('\n'),
            Event::HardBreak => self.text.push_str("\\\n"),
            _ => {}
        }
    }

    pub(super) fn start(&mut self, tag: &Tag<'_>) {
        match tag {
            Tag::Emphasis => self.mark("*", true),
            Tag::Strong => self.mark("**", true),
            Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. } => {
                let url = Some(dest_url.to_string())
                    .filter(|url| is_on_the_web(url) && !self.in_web_link());
                self.links.push(Link {
                    url,
                    from: self.text.len(),
                });
            }
            _ => {}
        }
    }

    pub(super) fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Emphasis => self.mark("*", false),
            TagEnd::Strong => self.mark("**", false),
            TagEnd::Link | TagEnd::Image => {
                if let Some(Link { url, from }) = self.links.pop() {
                    let text = self.text.split_off(from.min(self.text.len()));
                    self.push(&linked(url.as_deref(), &text));
                }
            }
            _ => {}
        }
    }

    /// The lines gathered, none if there is nothing to read in them.
    pub(super) fn take(&mut self) -> Vec<String> {
        let text = std::mem::take(self).text;
        let text = text.trim().trim_end_matches("\\\n").trim_end();
        if text.trim_end_matches('\\').is_empty() {
            return Vec::new();
        }
        text.lines()
            .map(|line| protect_start(line.trim()))
            .collect()
    }

    /// The backticks of two pieces of code must not become one fence.
    fn push(&mut self, text: &str) {
        if self.text.ends_with('`') && text.starts_with('`') {
            self.text.push(' ');
        }
        self.text.push_str(text);
    }

    /// Within emphasis there is no other: where the two end together, they cannot be told apart.
    fn mark(&mut self, mark: &str, starts: bool) {
        if !starts {
            self.emphasis = self.emphasis.saturating_sub(1);
        }
        if self.emphasis == 0 {
            self.text.push_str(mark);
        }
        if starts {
            self.emphasis += 1;
        }
    }

    fn in_web_link(&self) -> bool {
        self.links.iter().any(|link| link.url.is_some())
    }
}

fn is_on_the_web(url: &str) -> bool {
    let scheme = ["https://", "http://", "mailto:"]
        .iter()
        .any(|scheme| url.starts_with(scheme));
    scheme
        && !url.contains(|character: char| character.is_whitespace() || "<>\\".contains(character))
}

fn linked(url: Option<&str>, text: &str) -> String {
    let Some(url) = url else {
        return words::name_or_text(text);
    };
    let plain = text.trim_matches(['<', '>']).replace('\\', "");
    if text.is_empty() || plain == url || format!("mailto:{plain}") == url {
        format!("<{url}>")
    } else {
        format!("[{}](<{url}>)", text.trim())
    }
}

/// In as many backticks as it takes.
pub(super) fn code_span(code: &str) -> String {
    let fence = "`".repeat(longest_run_of_backticks(code) + 1);
    let pad = if code.starts_with('`') || code.ends_with('`') {
        " "
    } else {
        ""
    };
    format!("{fence}{pad}{code}{pad}{fence}")
}

pub(super) fn longest_run_of_backticks(text: &str) -> usize {
    text.split(|character| character != '`')
        .map(str::len)
        .max()
        .unwrap_or(0)
}

/// A paragraph's line that looks like the start of a list, a heading or a quote is none.
fn protect_start(line: &str) -> String {
    let digits = line.len()
        - line
            .trim_start_matches(|character: char| character.is_ascii_digit())
            .len();
    let number = digits > 0 && line[digits..].starts_with(['.', ')']);
    let bullet = line.starts_with(['-', '+', '#', '>', '=', ':', '|'])
        || (line.starts_with("* ") || line == "*");
    if number {
        format!("{}\\{}", &line[..digits], &line[digits..])
    } else if bullet {
        format!("\\{line}")
    } else {
        line.to_owned()
    }
}
