//! What became of a call.

use crate::suite::{ClientResponseResult, ConformancePayload, Error};
use crate::{details, headers};
use tonic_cloud_run::tonic::metadata::MetadataMap;
use tonic_cloud_run::tonic::{Code, Status};

/// The outcome of a call, as it comes.
#[derive(Default)]
pub(crate) struct Outcome {
    result: ClientResponseResult,
}

impl Outcome {
    pub(crate) fn headers(&mut self, metadata: &MetadataMap) {
        self.result.response_headers = headers::from_metadata(metadata);
    }

    /// An answer; an empty one stands for an empty payload.
    pub(crate) fn payload(&mut self, payload: Option<ConformancePayload>) {
        self.result.payloads.push(payload.unwrap_or_default());
    }

    pub(crate) fn trailers(&mut self, metadata: &MetadataMap) {
        self.result.response_trailers = headers::from_metadata(metadata);
    }

    /// The call failed. A status does not tell headers from trailers: both count as trailers.
    pub(crate) fn failed(&mut self, status: &Status) {
        let (message, details) = match details::parse(status.details()) {
            Ok(details) => (status.message().to_owned(), details),
            Err(fault) => (format!("{} ({fault})", status.message()), Vec::new()),
        };
        self.result.error = Some(Error {
            code: status.code().into(),
            message: Some(message),
            details,
        });
        self.trailers(status.metadata());
    }

    /// The call was dropped.
    pub(crate) fn cancelled(&mut self) {
        self.result.error = Some(Error {
            code: Code::Cancelled.into(),
            message: Some("dropped".to_owned()),
            details: Vec::new(),
        });
    }

    /// How many requests were not taken any more.
    pub(crate) fn unsent(&mut self, count: usize) {
        self.result.num_unsent_requests = i32::try_from(count).unwrap_or(i32::MAX);
    }

    pub(crate) fn into_result(self) -> ClientResponseResult {
        self.result
    }
}
