//! [`Error`]: everything that is wrong, at once, as text for a person.

use crate::fault::Fault;
use std::fmt;

/// Why no code was generated: one [`Fault`] or many, never none.
///
/// A build script that returns it shows the whole list: cargo prints the error's `Debug` form, which is therefore the same
/// text as its `Display` form.
///
/// ```no_run
/// fn main() -> Result<(), tonic_cloud_run_build::Error> {
///     tonic_cloud_run_build::compile_protos(&["protos/bookstore.proto"], &["protos"])
/// }
/// ```
///
/// ```text
/// Error: cannot generate code from the protos: 2 faults
///
/// protos/bookstore.proto:12:3: name 'Bok' is not defined
/// protos/bookstore.proto:19:31: name 'google.protobuf.Empty' is not defined
///   help: ...
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Error {
    faults: Vec<Fault>,
}

impl Error {
    /// What is wrong, in the order of the files given, and of the lines within a file.
    #[must_use]
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        Self {
            faults: vec![fault],
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let many = self.faults.len() != 1;
        write!(
            f,
            "cannot generate code from the protos: {} fault{}\n\n",
            self.faults.len(),
            if many { "s" } else { "" }
        )?;
        for (index, fault) in self.faults.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{fault}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Error {}

/// Where the stages of the pipeline put what they find wrong, so that one run reports all of it.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    found: Vec<Fault>,
}

impl Faults {
    /// Two files that import a broken third find the same fault: it is kept once.
    pub(crate) fn push(&mut self, fault: Fault) {
        if !self.found.contains(&fault) {
            self.found.push(fault);
        }
    }

    pub(crate) fn extend(&mut self, faults: impl IntoIterator<Item = Fault>) {
        for fault in faults {
            self.push(fault);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// `value` if nothing is wrong.
    pub(crate) fn or<T>(self, value: T) -> Result<T, Error> {
        if self.found.is_empty() {
            Ok(value)
        } else {
            Err(self.into_error())
        }
    }

    /// For where it is known that something is wrong. By file, in the order in which the files came up, and by line.
    pub(crate) fn into_error(self) -> Error {
        let mut files: Vec<Option<&str>> = Vec::new();
        for fault in &self.found {
            if !files.contains(&fault.file()) {
                files.push(fault.file());
            }
        }
        let rank = |fault: &Fault| files.iter().position(|file| *file == fault.file());
        let mut faults = self.found.clone();
        faults.sort_by_key(|fault| (rank(fault), fault.line(), fault.column()));
        Error { faults }
    }
}
