//! Compiles protos without protoc.

use super::Loaded;
use super::diagnostic;
use super::disk::Disk;
use super::survey::survey;
use crate::error::{Error, Faults};
use protox::Compiler;
use std::path::PathBuf;

pub(super) fn load(protos: &[PathBuf], includes: &[PathBuf]) -> Result<Loaded, Error> {
    let disk = Disk::new(includes);
    let mut compiler = Compiler::with_file_resolver(disk.clone());
    compiler.include_imports(true).include_source_info(true);

    let mut faults = Faults::default();
    let mut names = Vec::new();
    for proto in protos {
        match disk.name(proto) {
            Ok(name) => names.push(name),
            Err(fault) => faults.push(fault),
        }
    }
    let opened = names
        .iter()
        .try_for_each(|name| compiler.open_file(name).map(|_| ()));
    if opened.is_ok() && faults.is_empty() {
        return Ok(Loaded {
            set: compiler.file_descriptor_set(),
            encoded: compiler.encode_file_descriptor_set(),
            files: disk.read(),
        });
    }

    // The compiler stops at the first broken file and the first missing import: look at all the others, too.
    for name in survey(&disk, &names, &mut faults) {
        match compiler.open_file(&name) {
            // Known from the survey, with every other fault of its kind.
            Err(error) if error.is_parse() || error.is_file_not_found() => {}
            Err(error) => faults.extend(diagnostic::faults(&error, &disk)),
            Ok(_) => {}
        }
    }
    Err(faults.into_error())
}
