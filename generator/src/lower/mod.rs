//! Descriptors → model. All validation happens here, and all faults are reported together.

mod attributes;
mod collisions;
mod comments;
mod cycles;
mod packages;
mod services;

use crate::docs::Docs;
use crate::error::{Error, Faults};
use crate::load::Loaded;
use crate::model::Service;
use crate::options::{MessageOptions, Options};
use crate::paths;
use prost_types::FileDescriptorProto;

/// What code is emitted from.
#[derive(Debug)]
pub(crate) struct Lowered {
    pub(crate) services: Vec<Service>,
    /// For prost. Its comments are [`docs`](Lowered::docs)' markers.
    pub(crate) files: Vec<FileDescriptorProto>,
    pub(crate) docs: Docs,
    /// Fields that prost must box, besides those it finds itself.
    pub(crate) boxed: Vec<String>,
}

pub(crate) fn lower(loaded: &Loaded, options: &Options) -> Result<Lowered, Error> {
    let mut files = loaded.set.file.clone();
    for file in &mut files {
        // prost takes an empty package for a package.
        file.package = file.package.take().filter(|package| !package.is_empty());
    }
    let mut faults = Faults::default();
    attributes::check(options, &mut faults);
    collisions::check(&files, loaded, options, &mut faults);
    packages::check(&files, loaded, options, &mut faults);
    faults.or(())?;

    let services = services::lower(&files, options);
    let boxed = cycles::to_box(&files);
    let mut docs = Docs::default();
    comments::replace(&mut files, options, &mut docs);
    Ok(Lowered {
        services,
        files,
        docs,
        boxed,
    })
}

/// Whether the Rust type of this message or enum is made elsewhere.
fn is_extern(path: &str, options: &MessageOptions) -> bool {
    let well_known = !options.compile_well_known_types && paths::matches(".google.protobuf", path);
    let mut externs = options.extern_path.iter();
    well_known || externs.any(|(pattern, _)| paths::matches(pattern, path))
}
