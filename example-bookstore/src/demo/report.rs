//! What the client process tells the demonstration: one JSON object a line on its standard output.

use std::io::{self, BufRead as _, Write as _};

use serde::{Deserialize, Serialize};
use tonic::Status;
use tonic_cloud_run::Error;

use crate::output::code_name;

/// One thing that the client did or saw.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Report {
    /// What it is about to show.
    Chapter(String),
    /// Something worth knowing that is not a call.
    Note(String),
    /// A call went well.
    Call { method: String, text: String },
    /// A stream that is open told something.
    Streamed { method: String, text: String },
    /// A call was let in, and the bookstore refused it, as it should.
    Refused { method: String, ending: Ending },
    /// A call was not let in, as it should not be.
    Denied { method: String, ending: Ending },
    /// The client waits until this is done; see [`ask`].
    Please(Favour),
    /// A call ended as it should not have. The last report.
    Failed { method: String, ending: Ending },
}

/// What the client asks the owner of the service for.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) enum Favour {
    RevokeInvoker,
    GrantInvoker,
}

/// How a call ended that did not end well.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Ending {
    /// The status code's name.
    pub(super) code: String,
    /// The status message, word for word.
    pub(super) message: String,
    /// The HTTP status of a front end that answered in the place of the bookstore.
    pub(super) http_status: Option<u16>,
}

impl From<&Status> for Ending {
    fn from(status: &Status) -> Ending {
        Ending {
            code: code_name(status.code()).to_owned(),
            message: status.message().to_owned(),
            http_status: Error::from_status(status).and_then(Error::http_status),
        }
    }
}

/// Tells the demonstration.
pub(super) fn tell(report: &Report) -> io::Result<()> {
    let mut out = io::stdout().lock();
    serde_json::to_writer(&mut out, report)?;
    out.write_all(b"\n")?;
    out.flush()
}

/// Asks for something, and waits until it is done: the demonstration answers with an empty line.
pub(super) fn ask(favour: Favour) -> io::Result<()> {
    tell(&Report::Please(favour))?;
    match io::stdin().lock().read_line(&mut String::new())? {
        0 => Err(io::Error::new(
            io::ErrorKind::UnexpectedEof,
            "the demonstration has gone",
        )),
        _ => Ok(()),
    }
}
