//! Descriptor sets that someone else made: read, and checked as thoroughly as protos are.

use super::Loaded;
use crate::editions;
use crate::error::{Error, Faults};
use crate::fault::{Fault, Position};
use prost::Message;
use prost_types::FileDescriptorSet;
use protox::prost_reflect::{DescriptorError, DescriptorPool};
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
        if !editions::is_known_syntax(file.syntax.as_deref()) {
            faults.push(editions::fault(Some(file.name().to_owned()), None));
        }
    }
    faults.extend(missing_imports(&set));
    faults.or(())?;

    let mut pool = DescriptorPool::new();
    pool.decode_file_descriptor_set(encoded.as_slice())
        .map_err(|error| fault(&error))?;
    Ok(Loaded {
        set: FileDescriptorSet {
            file: pool.file_descriptor_protos().cloned().collect(),
        },
        encoded,
        files: BTreeMap::new(),
    })
}

fn missing_imports(set: &FileDescriptorSet) -> Vec<Fault> {
    let present = |name: &str| set.file.iter().any(|file| file.name() == name);
    let missing = |file: &prost_types::FileDescriptorProto| {
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

fn fault(error: &DescriptorError) -> Fault {
    let position = error
        .line()
        .zip(error.column())
        .map(|(line, column)| Position {
            line: line + 1,
            column: column + 1,
        });
    let fault = Fault::new(error.to_string()).at(position);
    match error.file() {
        Some(file) => fault.in_file(file),
        None => fault.help(HOW_TO_MAKE_ONE),
    }
}
