//! Generates typed gRPC clients for Google Cloud Run from `.proto` files, in `build.rs`.

mod builder;
mod docs;
mod editions;
mod emit;
mod error;
mod fault;
mod format;
mod load;
mod lower;
mod markdown;
mod messages;
mod model;
mod names;
mod options;
mod paths;
mod rerun;
mod write;

pub use builder::Builder;
pub use error::Error;
pub use fault::Fault;
pub use prost_types::FileDescriptorSet;

use std::path::Path;

/// Starts with the defaults: clients, no servers.
pub fn configure() -> Builder {
    Builder::default()
}

/// Generates messages and clients into cargo's `OUT_DIR`.
///
/// # Errors
///
/// Everything that is wrong, see [`Error`].
pub fn compile_protos(protos: &[impl AsRef<Path>], includes: &[impl AsRef<Path>]) -> Result<(), Error> {
    configure().compile_protos(protos, includes)
}
