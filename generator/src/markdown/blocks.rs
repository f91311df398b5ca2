//! Paragraphs, lists, quotes and code, written line by line with what stands before each line.

use super::inline::{self, Inline};
use pulldown_cmark::{Event, Tag, TagEnd};
use std::ops::Range;

/// Writes the events of a parser as Markdown.
pub(super) struct Writer<'a> {
    source: &'a str,
    lines: Vec<String>,
    inline: Inline,
    containers: Vec<Container>,
    /// Whether the next block is parted from what is before by an empty line.
    apart: bool,
    /// What is being skipped or copied as a whole.
    verbatim: Option<Verbatim>,
    heading: Option<usize>,
}

/// What a line can be in.
enum Container {
    Quote,
    List(List),
    Item {
        marker: String,
        /// The marker stands before the first line, its width in spaces before the others.
        written: bool,
    },
}

struct List {
    /// The number of the next item, if they have numbers.
    next: Option<u64>,
    /// Whether an item was written, and whether one held paragraphs: then empty lines part the items.
    begun: bool,
    loose: bool,
}

enum Verbatim {
    Code(String),
    /// How deep in the table.
    Table(usize),
}

impl<'a> Writer<'a> {
    pub(super) fn new(source: &'a str) -> Self {
        Self {
            source,
            lines: Vec::new(),
            inline: Inline::default(),
            containers: Vec::new(),
            apart: false,
            verbatim: None,
            heading: None,
        }
    }

    pub(super) fn event(&mut self, event: Event<'_>, range: Range<usize>) {
        match &mut self.verbatim {
            Some(Verbatim::Code(code)) => match event {
                Event::End(TagEnd::CodeBlock) => {
                    let code = std::mem::take(code);
                    self.verbatim = None;
                    self.code(&code);
                }
                Event::Text(text) => code.push_str(&text),
                _ => {}
            },
            Some(Verbatim::Table(depth)) => match event {
                Event::Start(_) => *depth += 1,
                Event::End(_) if *depth > 0 => *depth -= 1,
                Event::End(_) => {
                    self.verbatim = None;
                    let table = self.source.get(range).unwrap_or_default().to_owned();
                    self.code(&table);
                }
                _ => {}
            },
            None => match event {
                Event::Start(tag) => self.start(&tag),
                Event::End(tag) => self.end(tag),
                // A rule says nothing.
                Event::Rule => {}
                other => self.inline.event(&other),
            },
        }
    }

    pub(super) fn finish(mut self) -> Vec<String> {
        self.flush();
        let blank = |line: &String| line.trim().is_empty();
        let front = self.lines.iter().take_while(|line| blank(line)).count();
        let mut lines = self.lines.split_off(front.min(self.lines.len()));
        while lines.last().is_some_and(blank) {
            lines.pop();
        }
        lines
    }

    fn start(&mut self, tag: &Tag<'_>) {
        match tag {
            Tag::Paragraph | Tag::HtmlBlock => {
                self.flush();
                if let [.., Container::List(list), Container::Item { .. }] =
                    self.containers.as_mut_slice()
                {
                    list.loose = true;
                }
            }
            Tag::Heading { level, .. } => {
                self.flush();
                self.heading = Some(*level as usize);
            }
            Tag::BlockQuote(_) => {
                self.flush();
                self.separate();
                self.containers.push(Container::Quote);
            }
            Tag::List(first) => {
                // A list right below the text of an item needs no empty line, if it has bullets.
                let close = self.flush() && first.is_none();
                self.apart = self.apart && !close;
                self.containers.push(Container::List(List {
                    next: *first,
                    begun: false,
                    loose: false,
                }));
            }
            Tag::Item => {
                let marker = self.marker();
                let written = false;
                self.containers.push(Container::Item { marker, written });
            }
            Tag::CodeBlock(_) => {
                self.flush();
                self.verbatim = Some(Verbatim::Code(String::new()));
            }
            Tag::Table(_) => {
                self.flush();
                self.verbatim = Some(Verbatim::Table(0));
            }
            inline => self.inline.start(inline),
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph | TagEnd::HtmlBlock | TagEnd::Heading(_) => {
                self.flush();
                self.apart = true;
            }
            TagEnd::Item => {
                self.flush();
                // One without anything in it has not been written, and is not missed.
                self.containers.pop();
            }
            TagEnd::BlockQuote(_) | TagEnd::List(_) => {
                self.flush();
                self.containers.pop();
                self.apart = true;
            }
            inline => self.inline.end(inline),
        }
    }

    /// Of the next item.
    fn marker(&mut self) -> String {
        let Some(Container::List(list)) = self.containers.last_mut() else {
            return "- ".to_owned();
        };
        if list.begun {
            self.apart = list.loose;
        }
        match &mut list.next {
            Some(number) => {
                let marker = format!("{number}. ");
                *number = number.saturating_add(1);
                marker
            }
            None => "- ".to_owned(),
        }
    }

    /// Writes the text gathered so far, and says whether there was any.
    fn flush(&mut self) -> bool {
        let heading = self.heading.take();
        let lines = self.inline.take();
        if lines.is_empty() {
            return false;
        }
        self.separate();
        match heading {
            Some(level) => {
                let text = lines.join(" ").replace('#', "\\#");
                self.line(&format!("{} {text}", "#".repeat(level)));
            }
            None => {
                for line in lines {
                    self.line(&line);
                }
            }
        }
        // In a tight list nothing says that an item's text has ended but what follows.
        self.apart = !self.in_item();
        true
    }

    /// As text: code in proto comments is no Rust, and none of it is to be run.
    fn code(&mut self, code: &str) {
        self.separate();
        let fence = "`".repeat(inline::longest_run_of_backticks(code).max(2) + 1);
        self.line(&format!("{fence}text"));
        for line in code.lines() {
            self.line(line.trim_end());
        }
        self.line(&fence);
        self.apart = true;
    }

    fn separate(&mut self) {
        let first = matches!(
            self.containers.last(),
            Some(Container::Item { written: false, .. })
        );
        if self.apart && !self.lines.is_empty() {
            let prefix = if first {
                self.outer_prefix()
            } else {
                self.prefix()
            };
            self.lines.push(prefix.trim_end().to_owned());
        }
        self.apart = false;
    }

    fn in_item(&self) -> bool {
        matches!(self.containers.last(), Some(Container::Item { .. }))
    }

    fn line(&mut self, text: &str) {
        let prefix = self.prefix();
        self.lines
            .push(format!("{prefix}{text}").trim_end().to_owned());
    }

    /// For a line between items.
    fn outer_prefix(&self) -> String {
        let outer = self.containers.len().saturating_sub(1);
        let continued = self
            .containers
            .iter()
            .take(outer)
            .map(|container| match container {
                Container::Quote => "> ".to_owned(),
                Container::List(_) => String::new(),
                Container::Item { marker, .. } => " ".repeat(marker.len()),
            });
        continued.collect()
    }

    fn prefix(&mut self) -> String {
        let mut prefix = String::new();
        let mut around: Option<&mut List> = None;
        for container in &mut self.containers {
            match container {
                Container::Quote => prefix.push_str("> "),
                Container::List(list) => around = Some(list),
                Container::Item { marker, written } if *written => {
                    prefix.push_str(&" ".repeat(marker.len()));
                }
                Container::Item { marker, written } => {
                    prefix.push_str(marker);
                    *written = true;
                    if let Some(list) = around.take() {
                        list.begun = true;
                    }
                }
            }
        }
        prefix
    }
}
