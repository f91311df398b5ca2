//! Descriptors → model. All validation happens here, and all faults are reported together.

mod comments;
mod services;

use crate::docs::Docs;
use crate::error::{Error, Faults};
use crate::load::Loaded;
use crate::model::Service;
use crate::options::Options;
use prost_types::FileDescriptorProto;

/// What code is emitted from.
#[derive(Debug)]
pub(crate) struct Lowered {
    pub(crate) services: Vec<Service>,
    /// For prost. Its comments are [`docs`](Lowered::docs)' markers.
    pub(crate) files: Vec<FileDescriptorProto>,
    pub(crate) docs: Docs,
}

pub(crate) fn lower(loaded: &Loaded, options: &Options) -> Result<Lowered, Error> {
    let faults = Faults::default();
    let mut files = loaded.set.file.clone();
    for file in &mut files {
        // prost takes an empty package for a package.
        file.package = file.package.take().filter(|package| !package.is_empty());
    }
    let services = services::lower(&files, options);
    let mut docs = Docs::default();
    comments::replace(&mut files, options, &mut docs);
    faults.or(Lowered {
        services,
        files,
        docs,
    })
}
