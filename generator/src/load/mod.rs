//! Protos → descriptors, by protox, protoc, or from a descriptor set that someone else made.

mod descriptor_set;
mod diagnostic;
mod disk;
mod protoc;
mod protox;
mod structure;
mod survey;

use crate::error::Error;
use crate::fault::Fault;
use crate::options::InputOptions;
use prost_types::FileDescriptorSet;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Names the protoc to run where the build script does not.
pub(crate) const PROTOC_VARIABLE: &str = "TONIC_CLOUD_RUN_PROTOC";

/// What to generate code for.
#[derive(Debug)]
pub(crate) enum Input {
    Protos {
        protos: Vec<PathBuf>,
        includes: Vec<PathBuf>,
    },
    Set(FileDescriptorSet),
    SetBytes(Vec<u8>),
    SetFile(PathBuf),
}

/// Descriptors that are complete and consistent: every name in them is defined.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) set: FileDescriptorSet,
    /// The set in its encoded form, custom options included.
    pub(crate) encoded: Vec<u8>,
    /// The files that were read, by the names that imports know them by.
    pub(crate) files: BTreeMap<String, PathBuf>,
}

impl Loaded {
    /// The file on disk where it is known, else the name that imports know it by.
    pub(crate) fn place(&self, name: &str) -> String {
        match self.files.get(name) {
            Some(path) => path.display().to_string(),
            None => name.to_owned(),
        }
    }
}

pub(crate) fn load(input: Input, options: &InputOptions) -> Result<Loaded, Error> {
    match input {
        Input::Set(set) => descriptor_set::from_set(&set),
        Input::SetBytes(bytes) => descriptor_set::from_bytes(bytes, None),
        Input::SetFile(path) => descriptor_set::from_file(&path),
        Input::Protos { .. } if options.skip_protoc_run => {
            match &options.file_descriptor_set_path {
                Some(path) => descriptor_set::from_file(path),
                None => Err(Fault::new(
                    "no descriptor set is given, although `skip_protoc_run` asks to read one",
                )
                .help("say which with `file_descriptor_set_path`, or call `compile_fds_file`")
                .into()),
            }
        }
        Input::Protos { protos, includes } => {
            disk::check(&protos, &includes)?;
            match protoc_wanted(options) {
                Some(program) => protoc::load(&program, &options.protoc_args, &protos, &includes),
                None if options.protoc_args.is_empty() => protox::load(&protos, &includes),
                None => Err(Fault::new("there are arguments for protoc, but no protoc")
                    .help(format!(
                        "choose one with `protoc` or {PROTOC_VARIABLE}, or remove `protoc_arg`"
                    ))
                    .into()),
            }
        }
    }
}

fn protoc_wanted(options: &InputOptions) -> Option<PathBuf> {
    options.protoc.clone().or_else(|| {
        std::env::var_os(PROTOC_VARIABLE)
            .filter(|program| !program.is_empty())
            .map(PathBuf::from)
    })
}
