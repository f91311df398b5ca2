//! [`Builder`]: what can be chosen, and the pipeline that acts on it.

mod input;
mod messages;
mod services;

use crate::error::Error;
use crate::fault::Fault;
use crate::load::{self, Input, Loaded};
use crate::options::Options;
use crate::{emit, format, lower, rerun, write};
use prost_types::FileDescriptorSet;
use std::path::{Path, PathBuf};

/// Chooses what is generated and how; made by [`configure`](crate::configure), ended by one of its `compile_` methods.
///
/// The options are those of `tonic_prost_build::Builder`, under the same names, without the ones that have no meaning here:
///
/// | not here | since |
/// |---|---|
/// | `build_transport` | clients always come with their transport, servers never did |
/// | `codec_path` | clients run on the codec of the runtime |
/// | `with_extended_rust_types` | wrappers such as `DoubleValue` are always taken and returned as `f64` |
/// | `compile_with_config`, `compile_fds_with_config` | what a `prost_build::Config` can choose can be chosen here |
/// | `service_generator` | the code of a service needs names that are settled for the whole package |
///
/// ```no_run
/// fn main() -> Result<(), tonic_cloud_run_build::Error> {
///     tonic_cloud_run_build::configure()
///         .build_server(true)
///         .type_attribute(".", "#[derive(serde::Serialize)]")
///         .compile_protos(&["protos/bookstore.proto"], &["protos"])
/// }
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "a builder does nothing until one of its `compile_` methods is called"]
pub struct Builder {
    options: Options,
}

impl Builder {
    /// Generates code for `protos` and all they import.
    ///
    /// Imports start at the folders `includes`, and each proto must be in or below one of them. Google's well-known types
    /// (`google/protobuf/*.proto`) need none. Relative paths start at the folder of the package whose build script this is.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), tonic_cloud_run_build::Error> {
    /// tonic_cloud_run_build::configure()
    ///     .compile_protos(&["protos/bookstore/v1/bookstore.proto"], &["protos", "third_party/googleapis"])
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Everything that is wrong, see [`Error`].
    pub fn compile_protos(
        self,
        protos: &[impl AsRef<Path>],
        includes: &[impl AsRef<Path>],
    ) -> Result<(), Error> {
        self.compile(Input::Protos {
            protos: owned(protos),
            includes: owned(includes),
        })
    }

    /// Generates code for a descriptor set, and nothing else is read.
    ///
    /// It must be complete, imports included. Comments become documentation if it has source information.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), tonic_cloud_run_build::Error> {
    /// # fn descriptors() -> tonic_cloud_run_build::FileDescriptorSet { Default::default() }
    /// tonic_cloud_run_build::configure().compile_fds(descriptors())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Everything that is wrong, see [`Error`].
    pub fn compile_fds(self, fds: FileDescriptorSet) -> Result<(), Error> {
        self.compile(Input::Set(fds))
    }

    /// As [`compile_fds`](Builder::compile_fds), for a set in its encoded form.
    ///
    /// ```
    /// let garbage = tonic_cloud_run_build::configure().compile_fds_bytes(*b"garbage");
    /// assert!(garbage.unwrap_err().to_string().contains("this is not a descriptor set"));
    /// ```
    ///
    /// # Errors
    ///
    /// Everything that is wrong, see [`Error`].
    pub fn compile_fds_bytes(self, fds: impl Into<Vec<u8>>) -> Result<(), Error> {
        self.compile(Input::SetBytes(fds.into()))
    }

    /// As [`compile_fds_bytes`](Builder::compile_fds_bytes), for a file, such as `protoc -o` and `buf build -o` write.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), tonic_cloud_run_build::Error> {
    /// tonic_cloud_run_build::configure().compile_fds_file("protos/bookstore.binpb")
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Everything that is wrong, see [`Error`].
    pub fn compile_fds_file(self, path: impl AsRef<Path>) -> Result<(), Error> {
        self.compile(Input::SetFile(path.as_ref().to_owned()))
    }

    fn compile(self, input: Input) -> Result<(), Error> {
        let options = self.options;
        let loaded = on_deep_stack(|| generate(input, &options))?;
        rerun::print(&loaded, &options.input);
        Ok(())
    }
}

/// The pipeline.
fn generate(input: Input, options: &Options) -> Result<Loaded, Error> {
    let loaded = load::load(input, &options.input)?;
    let lowered = lower::lower(&loaded, options)?;
    let syntax = emit::emit(lowered, options)?;
    let sources = format::sources(&syntax, &loaded.set, &options.output);
    write::write(&sources, &loaded, options)?;
    Ok(loaded)
}

/// Parsers recurse as deep as their input nests. On a thread of its own they have room for any that people write; a
/// build script's own stack gives out at some hundred levels, which ends the process without a word.
fn on_deep_stack<T: Send>(work: impl FnOnce() -> Result<T, Error> + Send) -> Result<T, Error> {
    const STACK: usize = 512 * 1024 * 1024;
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new()
            .name("generator".to_owned())
            .stack_size(STACK)
            .spawn_scoped(scope, work);
        match thread {
            Ok(thread) => thread
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            Err(error) => Err(Fault::new(format!("no thread can be started: {error}"))
                .help("free memory, or raise the limits of this process")
                .into()),
        }
    })
}

fn owned(paths: &[impl AsRef<Path>]) -> Vec<PathBuf> {
    paths.iter().map(|path| path.as_ref().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn input_that_nests_deeply_does_not_exhaust_the_stack() {
        let folder = tempfile::tempdir().unwrap();
        let proto = folder.path().join("deep.proto");
        let depth = 2000;
        let option = format!("{}{{}}{}", "{d ".repeat(depth), "}".repeat(depth));
        let text = format!(
            r#"syntax = "proto2"; package deep; import "google/protobuf/descriptor.proto";
            message D {{ optional D d = 1; }}
            extend google.protobuf.MessageOptions {{ optional D x = 50000; }}
            message M {{ option (x) = {option}; }}"#
        );
        std::fs::write(&proto, text).unwrap();
        crate::configure()
            .out_dir(folder.path())
            .emit_rerun_if_changed(false)
            .compile_protos(&[&proto], &[folder.path()])
            .unwrap();
        assert!(folder.path().join("deep.rs").exists());
    }
}
