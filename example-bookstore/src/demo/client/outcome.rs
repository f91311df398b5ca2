//! What became of a call: told if it is what it should be, the end of the client if not.

use std::io;

use tonic::{Code, Status};

use crate::demo::report::{Ending, Report, tell};

/// Why the client stops before its end.
pub(super) enum Stop {
    /// This call ended otherwise than it should have.
    Call(&'static str, Status),
    /// Nobody listens any more.
    Io(io::Error),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Stop {
        Stop::Io(error)
    }
}

/// Says which call a status came from.
pub(super) trait During<T> {
    fn during(self, method: &'static str) -> Result<T, Stop>;
}

impl<T> During<T> for Result<T, Status> {
    fn during(self, method: &'static str) -> Result<T, Stop> {
        self.map_err(|status| Stop::Call(method, status))
    }
}

pub(super) fn chapter(text: &str) -> Result<(), Stop> {
    Ok(tell(&Report::Chapter(text.to_owned()))?)
}

pub(super) fn note(text: impl Into<String>) -> Result<(), Stop> {
    Ok(tell(&Report::Note(text.into()))?)
}

/// A call that went well.
pub(super) fn done(method: &'static str, text: impl Into<String>) -> Result<(), Stop> {
    Ok(tell(&Report::Call {
        method: method.to_owned(),
        text: text.into(),
    })?)
}

/// Something that an open stream told.
pub(super) fn streamed(method: &'static str, text: impl Into<String>) -> Result<(), Stop> {
    Ok(tell(&Report::Streamed {
        method: method.to_owned(),
        text: text.into(),
    })?)
}

/// A call that the bookstore should have refused with `code`.
pub(super) fn refused<T>(
    method: &'static str,
    result: Result<T, Status>,
    code: Code,
) -> Result<(), Stop> {
    let ending = ended(method, result, code)?;
    Ok(tell(&Report::Refused {
        method: method.to_owned(),
        ending,
    })?)
}

/// A call that the front end should have denied with `code`.
pub(super) fn denied<T>(
    method: &'static str,
    result: Result<T, Status>,
    code: Code,
) -> Result<(), Stop> {
    let ending = ended(method, result, code)?;
    Ok(tell(&Report::Denied {
        method: method.to_owned(),
        ending,
    })?)
}

fn ended<T>(method: &'static str, result: Result<T, Status>, code: Code) -> Result<Ending, Stop> {
    match result {
        Err(status) if status.code() == code => Ok(Ending::from(&status)),
        Err(status) => Err(Stop::Call(method, status)),
        Ok(_) => Err(Stop::Call(
            method,
            Status::unknown("the call went through and should not have"),
        )),
    }
}
