//! Compiles protos with protoc, for those who ask for it.

use super::disk::Disk;
use super::{Loaded, PROTOC_VARIABLE, descriptor_set};
use crate::error::{Error, Faults};
use crate::fault::{Fault, Position};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

pub(super) fn load(
    program: &Path,
    arguments: &[OsString],
    protos: &[PathBuf],
    includes: &[PathBuf],
) -> Result<Loaded, Error> {
    let disk = Disk::new(includes);
    let mut faults = Faults::default();
    let mut names = Vec::new();
    for proto in protos {
        match disk.name(proto) {
            Ok(name) => names.push(name),
            Err(fault) => faults.push(fault),
        }
    }
    let compiler = Protoc {
        program,
        arguments,
        includes,
    };
    match compiler.run(&names) {
        Ok(encoded) if faults.is_empty() => {
            let mut loaded = descriptor_set::from_bytes(encoded, None)?;
            loaded.files = on_disk(&loaded, includes);
            return Ok(loaded);
        }
        Ok(_) => {}
        Err(found) => faults.extend(found),
    }
    // protoc stops at the first file with faults: look at the others, too.
    if names.len() > 1 {
        for name in &names {
            if let Err(found) = compiler.run(std::slice::from_ref(name)) {
                faults.extend(found);
            }
        }
    }
    Err(faults.into_error())
}

struct Protoc<'a> {
    program: &'a Path,
    arguments: &'a [OsString],
    includes: &'a [PathBuf],
}

impl Protoc<'_> {
    /// The encoded descriptor set of the protos that imports know by these names, or at least one fault.
    fn run(&self, names: &[String]) -> Result<Vec<u8>, Vec<Fault>> {
        let folder = tempfile::tempdir().map_err(|error| {
            vec![Fault::new(format!(
                "cannot make a temporary folder for protoc: {error}"
            ))]
        })?;
        let set = folder.path().join("descriptor-set");
        let mut command = Command::new(self.program);
        command
            .args(["--include_imports", "--include_source_info", "-o"])
            .arg(&set);
        for include in self.includes {
            command.arg("-I").arg(include);
        }
        let output = command
            .args(self.arguments)
            .args(names)
            .output()
            .map_err(|error| vec![self.cannot_run(&error)])?;
        if !output.status.success() {
            let text = String::from_utf8_lossy(&output.stderr);
            return Err(complaints(&text, &output.status.to_string()));
        }
        std::fs::read(&set).map_err(|error| {
            vec![Fault::new(format!(
                "cannot read what protoc wrote: {error}"
            ))]
        })
    }

    fn cannot_run(&self, error: &std::io::Error) -> Fault {
        Fault::new(format!("cannot run protoc: {error}"))
            .in_file(self.program.display().to_string())
            .help(format!(
                "install protoc, correct the path given with `protoc` or {PROTOC_VARIABLE}, \
                 or give neither: then no protoc is needed"
            ))
    }
}

/// Where the files of a set were read from; protoc's own (the well-known types) are not among the includes.
fn on_disk(loaded: &Loaded, includes: &[PathBuf]) -> BTreeMap<String, PathBuf> {
    let find = |name: &str| {
        let mut candidates = includes.iter().map(|include| include.join(name));
        candidates.find(|path| path.exists())
    };
    let names = loaded
        .set
        .file
        .iter()
        .map(prost_types::FileDescriptorProto::name);
    names
        .filter_map(|name| Some((name.to_owned(), find(name)?)))
        .collect()
}

/// `bookstore.proto:12:3: "Bok" is not defined.`, line by line.
fn complaints(text: &str, status: &str) -> Vec<Fault> {
    let is_warning = |line: &str| line.contains(": warning: ") || line.starts_with("warning:");
    let lines = text
        .lines()
        .filter(|line| !line.trim().is_empty() && !is_warning(line));
    let mut faults: Vec<Fault> = lines.map(complaint).collect();
    if faults.is_empty() {
        faults.push(Fault::new(format!(
            "protoc failed without a word ({status})"
        )));
    }
    faults
}

fn complaint(line: &str) -> Fault {
    let mut parts = line.splitn(4, ':');
    let place = (|| {
        let file = parts.next()?;
        let position = Position {
            line: parts.next()?.parse().ok()?,
            column: parts.next()?.parse().ok()?,
        };
        Some((file, position, parts.next()?.trim()))
    })();
    match place {
        Some((file, position, message)) => Fault::new(message).in_file(file).at(Some(position)),
        None => Fault::new(line.trim()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complaints_keep_their_places() {
        let faults = complaints(
            "a.proto:3:5: \"B\" is not defined.\nx.proto:1:1: warning: unused import\nplain words\n",
            "exit status: 1",
        );
        let text: Vec<String> = faults.iter().map(ToString::to_string).collect();
        assert_eq!(text, ["a.proto:3:5: \"B\" is not defined.", "plain words"]);
    }

    #[test]
    fn silence_is_a_complaint() {
        let faults = complaints("\n", "exit status: 3");
        assert_eq!(
            faults[0].message(),
            "protoc failed without a word (exit status: 3)"
        );
    }
}
