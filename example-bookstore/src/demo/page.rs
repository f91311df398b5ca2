//! What the story is written on: lines with the time and a side's name, explanations that break between words, colours on a
//! terminal.

use std::{
    io::{self, IsTerminal as _, Stdout, Write as _},
    time::{Duration, Instant},
};

/// Where an explanation begins and where it breaks.
const INDENT: usize = 25;
const WIDTH: usize = 105;

/// A colour, as a terminal knows it (ECMA-48, select graphic rendition).
#[derive(Clone, Copy)]
pub(super) enum Colour {
    Bold = 1,
    Dim = 2,
    Red = 31,
    Green = 32,
    Yellow = 33,
    Cyan = 36,
}

/// Standard output.
pub(super) struct Page {
    start: Instant,
    colours: bool,
    out: Stdout,
}

impl Page {
    pub(super) fn new() -> Page {
        let out = io::stdout();
        // https://no-color.org: any value but the empty one.
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Page {
            start: Instant::now(),
            colours: !unwanted && out.is_terminal(),
            out,
        }
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    pub(super) fn heading(&self, text: &str) -> io::Result<()> {
        writeln!(&self.out, "{}\n", self.paint(Colour::Bold, text))
    }

    pub(super) fn text(&self, text: &str) -> io::Result<()> {
        writeln!(&self.out, "{text}")
    }

    /// Something that happened now, on this side.
    pub(super) fn line(&self, colour: Colour, side: &str, text: &str) -> io::Result<()> {
        let (at, side) = (
            self.elapsed().as_secs_f64(),
            self.paint(colour, &format!("{side:<10}")),
        );
        writeln!(&self.out, "{at:8.2} s  {side}   {text}")
    }

    /// More about the line above.
    pub(super) fn detail(&self, text: &str) -> io::Result<()> {
        for line in wrapped(text, WIDTH - INDENT) {
            writeln!(&self.out, "{:INDENT$}{line}", "")?;
        }
        Ok(())
    }

    pub(super) fn paint(&self, colour: Colour, text: &str) -> String {
        if self.colours {
            format!("\u{1b}[{}m{text}\u{1b}[0m", colour as u8)
        } else {
            text.to_owned()
        }
    }
}

/// A text in lines of `width` characters, broken between words.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_breaks_between_words() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(
            wrapped("extraordinarily long", 4),
            ["extraordinarily", "long"]
        );
        assert!(wrapped("", 4).is_empty());
    }
}
