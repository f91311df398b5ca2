//! [`Fault`]: one thing that is wrong, where it is, and what to do about it.

use std::fmt;

/// One thing that is wrong with the protos, the options or the machine's files.
///
/// Printed as compilers do, `file:line:column: message`, with as much of the place as is known, and a line of help below.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    file: Option<String>,
    position: Option<Position>,
    message: String,
    help: Option<String>,
}

/// Both count from 1, as editors do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

impl Position {
    /// Of a span in a descriptor: line and column, from 0.
    pub(crate) fn of_span(span: &[i32]) -> Option<Self> {
        let at = |index: usize| usize::try_from(*span.get(index)?).ok()?.checked_add(1);
        Some(Self {
            line: at(0)?,
            column: at(1)?,
        })
    }

    /// Of the item at `path` in the descriptor, where it carries its source's positions.
    pub(crate) fn in_file(file: &prost_types::FileDescriptorProto, path: &[i32]) -> Option<Self> {
        let locations = &file.source_code_info.as_ref()?.location;
        let location = locations.iter().find(|location| location.path == path)?;
        Self::of_span(&location.span)
    }

    /// Of what follows `text`, which starts its file.
    pub(crate) fn after(text: &str) -> Self {
        let last_line = text.rsplit('\n').next().unwrap_or_default();
        Self {
            line: text.matches('\n').count() + 1,
            column: last_line.chars().count() + 1,
        }
    }
}

impl Fault {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            file: None,
            position: None,
            message: message.into(),
            help: None,
        }
    }

    pub(crate) fn in_file(mut self, file: impl Into<String>) -> Self {
        self.file = Some(file.into());
        self
    }

    pub(crate) fn at(mut self, position: Option<Position>) -> Self {
        self.position = position;
        self
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The proto, or the file or folder on disk, that the fault is in.
    #[must_use]
    pub fn file(&self) -> Option<&str> {
        self.file.as_deref()
    }

    /// The line in [`file`](Fault::file), counted from 1.
    #[must_use]
    pub fn line(&self) -> Option<usize> {
        self.position.map(|position| position.line)
    }

    /// The column in [`line`](Fault::line), in characters, counted from 1.
    #[must_use]
    pub fn column(&self) -> Option<usize> {
        self.position.map(|position| position.column)
    }

    /// What is wrong, without the place.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What to do about it.
    #[must_use]
    pub fn what_to_do(&self) -> Option<&str> {
        self.help.as_deref()
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{file}:")?;
            if let Some(Position { line, column }) = self.position {
                write!(f, "{line}:{column}:")?;
            }
            f.write_str(" ")?;
        }
        f.write_str(&self.message)?;
        if let Some(help) = &self.help {
            write!(f, "\n  help: {help}")?;
        }
        Ok(())
    }
}
