//! [`Builder`]: what can be chosen, and the pipeline that acts on it.

mod input;
mod messages;
mod services;

use crate::error::Error;
use crate::load::{self, Input};
use crate::options::Options;
use crate::{emit, format, lower, rerun, write};
use prost_types::FileDescriptorSet;
use std::path::{Path, PathBuf};

/// Chooses what is generated and how; made by [`configure`](crate::configure), ended by one of its `compile_` methods.
#[derive(Clone, Debug, Default)]
#[must_use = "a builder does nothing until one of its `compile_` methods is called"]
pub struct Builder {
    options: Options,
}

impl Builder {
    /// Generates code for `protos` and what they import, which is looked for in the folders `includes`.
    ///
    /// # Errors
    ///
    /// Everything that is wrong, see [`Error`].
    pub fn compile_protos(self, protos: &[impl AsRef<Path>], includes: &[impl AsRef<Path>]) -> Result<(), Error> {
        self.compile(Input::Protos {
            protos: owned(protos),
            includes: owned(includes),
        })
    }

    /// Generates code for a descriptor set at hand.
    ///
    /// # Errors
    ///
    /// Everything that is wrong, see [`Error`].
    pub fn compile_fds(self, fds: FileDescriptorSet) -> Result<(), Error> {
        self.compile(Input::Set(fds))
    }

    /// Generates code for an encoded descriptor set.
    ///
    /// # Errors
    ///
    /// Everything that is wrong, see [`Error`].
    pub fn compile_fds_bytes(self, fds: impl Into<Vec<u8>>) -> Result<(), Error> {
        self.compile(Input::SetBytes(fds.into()))
    }

    /// Generates code for a file with a descriptor set.
    ///
    /// # Errors
    ///
    /// Everything that is wrong, see [`Error`].
    pub fn compile_fds_file(self, path: impl AsRef<Path>) -> Result<(), Error> {
        self.compile(Input::SetFile(path.as_ref().to_owned()))
    }

    fn compile(self, input: Input) -> Result<(), Error> {
        let options = self.options;
        let loaded = load::load(input, &options.input)?;
        let lowered = lower::lower(&loaded, &options)?;
        let syntax = emit::emit(lowered, &options)?;
        let sources = format::sources(&syntax, &loaded.set, &options.output);
        write::write(&sources, &loaded, &options)?;
        rerun::print(&loaded, &options.input);
        Ok(())
    }
}

fn owned(paths: &[impl AsRef<Path>]) -> Vec<PathBuf> {
    paths.iter().map(|path| path.as_ref().to_owned()).collect()
}
