//! How a command fails: a text on standard error and an exit code.

use std::{fmt, io, process::ExitCode};

use tonic::{Code, Status};

use crate::output::{code_name, printable};

/// Shown by `--help`; [`Failure::exit_code`] keeps to it.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  failed for another reason than those below
  2  the command line is wrong, or names a file that cannot be used
  3  the bookstore refused the request: INVALID_ARGUMENT, NOT_FOUND, ALREADY_EXISTS, FAILED_PRECONDITION, ABORTED,
     OUT_OF_RANGE, RESOURCE_EXHAUSTED
  4  the caller was not let in: UNAUTHENTICATED, PERMISSION_DENIED
  5  the bookstore was not reached, or not in time: UNAVAILABLE, DEADLINE_EXCEEDED";

/// Why a command failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A call ended with this status.
    Call(Box<Status>),
    /// The command line, or a file that it names, cannot be used.
    Usage(String),
    /// The call went well, but the bookstore refused a part of what was asked.
    Refused(String),
    /// Anything else.
    Other(String),
    /// Whoever read our output has stopped; nobody is left to tell.
    ReaderGone,
}

impl Failure {
    /// Says what happened on standard error, and gives the exit code.
    pub(crate) fn report(&self) -> ExitCode {
        if !matches!(self, Failure::ReaderGone) {
            eprintln!("error: {self}");
        }
        ExitCode::from(self.exit_code())
    }

    fn exit_code(&self) -> u8 {
        match self {
            Failure::Other(_) | Failure::ReaderGone => 1,
            Failure::Usage(_) => 2,
            Failure::Refused(_) => 3,
            Failure::Call(status) => match status.code() {
                Code::InvalidArgument
                | Code::NotFound
                | Code::AlreadyExists
                | Code::FailedPrecondition
                | Code::Aborted
                | Code::OutOfRange
                | Code::ResourceExhausted => 3,
                Code::Unauthenticated | Code::PermissionDenied => 4,
                Code::Unavailable | Code::DeadlineExceeded => 5,
                _ => 1,
            },
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Call(status) => write!(
                f,
                "{}: {}",
                code_name(status.code()),
                printable(status.message())
            ),
            Failure::Usage(text) | Failure::Refused(text) | Failure::Other(text) => {
                f.write_str(&printable(text))
            }
            Failure::ReaderGone => f.write_str("the output is closed"),
        }
    }
}

impl From<Status> for Failure {
    fn from(status: Status) -> Failure {
        Failure::Call(Box::new(status))
    }
}

/// A host, an audience or a certificate that cannot be used comes from the command line.
impl From<tonic_cloud_run::Error> for Failure {
    fn from(error: tonic_cloud_run::Error) -> Failure {
        Failure::Usage(error.to_string())
    }
}

/// What was being written is the command's output: all else that fails is mapped where it happens.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::ReaderGone,
            _ => Failure::Other(format!("the output cannot be written: {error}")),
        }
    }
}
