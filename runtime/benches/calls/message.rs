//! What the calls carry, and the service's methods.

use tonic_cloud_run::codegen::Method;
use tonic_cloud_run::prost;

#[derive(Clone, PartialEq, prost::Message)]
#[prost(prost_path = "tonic_cloud_run::prost")]
pub(crate) struct Payload {
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) data: Vec<u8>,
    /// How many messages a stream has.
    #[prost(uint32, tag = "2")]
    pub(crate) times: u32,
    /// How long the server thinks, in milliseconds.
    #[prost(uint64, tag = "3")]
    pub(crate) pause: u64,
}

/// The bytes that the server has received and sent, on TCP and within TLS.
#[derive(Clone, Copy, PartialEq, prost::Message)]
#[prost(prost_path = "tonic_cloud_run::prost")]
pub(crate) struct Bytes {
    #[prost(uint64, tag = "1")]
    pub(crate) tcp: u64,
    #[prost(uint64, tag = "2")]
    pub(crate) http2: u64,
}

pub(crate) static UNARY: Method = Method::new("bench.Bench", "Unary", "/bench.Bench/Unary");
pub(crate) static STREAM: Method = Method::new("bench.Bench", "Stream", "/bench.Bench/Stream");
pub(crate) static BYTES: Method = Method::new("bench.Bench", "Bytes", "/bench.Bench/Bytes");
