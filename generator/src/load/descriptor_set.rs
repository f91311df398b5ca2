//! Descriptor sets that someone else made: read, and checked as thoroughly as protos are.

use super::{Loaded, diagnostic, structure};
use crate::error::{Error, Faults};
use crate::fault::Fault;
use prost::Message;
use prost_types::{FileDescriptorProto, FileDescriptorSet};
use protox::prost_reflect::DescriptorPool;
use std::collections::BTreeMap;
use std::path::Path;

const HOW_TO_MAKE_ONE: &str = "make it with `protoc --include_imports --include_source_info --descriptor_set_out=FILE`, \
     `buf build -o FILE` or this crate's `file_descriptor_set_path`";

pub(super) fn from_file(path: &Path) -> Result<Loaded, Error> {
    let place = path.display().to_string();
    let bytes = std::fs::read(path).map_err(|error| {
        Fault::new(format!("cannot read this descriptor set: {error}"))
            .in_file(place.clone())
            .help(HOW_TO_MAKE_ONE)
    })?;
    let mut loaded = from_bytes(bytes, Some(&place))?;
    loaded.files.insert(place, path.to_owned());
    Ok(loaded)
}

pub(super) fn from_set(set: &FileDescriptorSet) -> Result<Loaded, Error> {
    from_bytes(set.encode_to_vec(), None)
}

pub(super) fn from_bytes(encoded: Vec<u8>, place: Option<&str>) -> Result<Loaded, Error> {
    let in_place = |fault: Fault| match place {
        Some(place) => fault.in_file(place),
        None => fault,
    };
    let set = FileDescriptorSet::decode(encoded.as_slice()).map_err(|error| {
        in_place(Fault::new(format!("this is not a descriptor set: {error}"))).help(HOW_TO_MAKE_ONE)
    })?;
    if set.file.is_empty() {
        return Err(
            in_place(Fault::new("this descriptor set has no files in it"))
                .help(HOW_TO_MAKE_ONE)
                .into(),
        );
    }
    let mut faults = Faults::default();
    for file in &set.file {
        structure::check(file, &mut faults);
    }
    faults.extend(missing_imports(&set));
    faults.or(())?;
    Ok(Loaded {
        set: resolved(set)?,
        encoded,
        files: BTreeMap::new(),
    })
}

/// With all names looked up. A file at a time, so that the faults of all are found.
fn resolved(set: FileDescriptorSet) -> Result<FileDescriptorSet, Error> {
    let mut faults = Faults::default();
    let mut pool = DescriptorPool::new();
    let mut waiting = set.file;
    while !waiting.is_empty() {
        let ready = |file: &FileDescriptorProto| {
            file.dependency
                .iter()
                .all(|name| pool.get_file_by_name(name).is_some())
        };
        let (next, rest): (Vec<_>, Vec<_>) = waiting.into_iter().partition(ready);
        if next.is_empty() {
            // These wait for files with faults, or for each other.
            if faults.is_empty() {
                faults.push(circle(&rest));
            }
            break;
        }
        for file in next {
            let name = file.name().to_owned();
            if let Err(error) = pool.add_file_descriptor_proto(file) {
                faults.extend(diagnostic::in_set(&error, &name));
            }
        }
        waiting = rest;
    }
    faults.or(FileDescriptorSet {
        file: pool.file_descriptor_protos().cloned().collect(),
    })
}

fn circle(files: &[FileDescriptorProto]) -> Fault {
    let names: Vec<&str> = files.iter().map(FileDescriptorProto::name).collect();
    Fault::new(format!(
        "these files import each other in a circle: {}",
        names.join(", ")
    ))
    .help("move what they share into a file of its own")
}

fn missing_imports(set: &FileDescriptorSet) -> Vec<Fault> {
    let present = |name: &str| set.file.iter().any(|file| file.name() == name);
    let missing = |file: &FileDescriptorProto| {
        let names = file.dependency.iter().filter(|name| !present(name));
        let faults = names.map(|name| {
            Fault::new(format!(
                "the descriptor set lacks '{name}', which this file imports"
            ))
            .in_file(file.name())
            .help(HOW_TO_MAKE_ONE)
        });
        faults.collect::<Vec<_>>()
    };
    set.file.iter().flat_map(missing).collect()
}
