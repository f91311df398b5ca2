//! The details of an error, from `grpc-status-details-bin`.

use tonic_cloud_run::prost::Message;
use tonic_cloud_run::prost_types::Any;

/// `google.rpc.Status`, of which the details are wanted alone.
#[derive(Clone, PartialEq, Message)]
#[prost(prost_path = "::tonic_cloud_run::prost")]
struct Status {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
    #[prost(message, repeated, tag = "3")]
    details: Vec<Any>,
}

/// The details in an encoded `google.rpc.Status`.
pub(crate) fn parse(status: &[u8]) -> Result<Vec<Any>, String> {
    Status::decode(status)
        .map(|status| status.details)
        .map_err(|error| format!("grpc-status-details-bin is no google.rpc.Status: {error}"))
}
