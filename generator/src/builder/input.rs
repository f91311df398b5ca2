//! Options on where protos come from and where code goes.

use super::Builder;
use std::ffi::OsStr;
use std::path::Path;

impl Builder {
    /// The folder that code is written to; by default cargo's `OUT_DIR`. It must exist.
    ///
    /// Files are written only when they change, so it may be a folder of the sources that is kept under version control.
    pub fn out_dir(mut self, folder: impl AsRef<Path>) -> Self {
        self.options.output.out_dir = Some(folder.as_ref().to_owned());
        self
    }

    /// Also writes a file with the modules of all packages, nested as the packages are, each including its code. Relative to
    /// the folder that code is written to.
    ///
    /// With it, types of one package find those of another; without it, that is up to whoever writes the modules.
    ///
    /// ```ignore
    /// // Needs what a build script wrote.
    /// mod protos {
    ///     include!(concat!(env!("OUT_DIR"), "/protos.rs"));
    /// }
    /// use protos::bookstore::v1::bookstore_client::BookstoreClient;
    /// ```
    pub fn include_file(mut self, path: impl AsRef<Path>) -> Self {
        self.options.output.include_file = Some(path.as_ref().to_owned());
        self
    }

    /// The name of the file for protos without a package, without `.rs`; by default `_`.
    pub fn default_package_filename(mut self, name: impl Into<String>) -> Self {
        self.options.output.default_package_filename = Some(name.into());
        self
    }

    /// Compiles with this protoc, rather than without any.
    ///
    /// Where it is not called, the environment variable `TONIC_CLOUD_RUN_PROTOC` can name a protoc. The variable `PROTOC` that
    /// other build scripts look at counts for nothing unless you say so:
    ///
    /// ```no_run
    /// # fn main() -> Result<(), tonic_cloud_run_build::Error> {
    /// let protoc = std::env::var_os("PROTOC").unwrap_or_else(|| "protoc".into());
    /// tonic_cloud_run_build::configure()
    ///     .protoc(protoc)
    ///     .compile_protos(&["protos/bookstore.proto"], &["protos"])
    /// # }
    /// ```
    pub fn protoc(mut self, program: impl AsRef<Path>) -> Self {
        self.options.input.protoc = Some(program.as_ref().to_owned());
        self
    }

    /// One more argument for protoc. Without protoc it has no meaning, and is an error.
    pub fn protoc_arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.options
            .input
            .protoc_args
            .push(argument.as_ref().to_owned());
        self
    }

    /// Also writes the protos' encoded descriptor set, imports and source information included, to this file: for server
    /// reflection, for example. With [`skip_protoc_run`](Builder::skip_protoc_run), this is the file that is read.
    pub fn file_descriptor_set_path(mut self, path: impl AsRef<Path>) -> Self {
        self.options.input.file_descriptor_set_path = Some(path.as_ref().to_owned());
        self
    }

    /// Reads no protos, but the descriptor set at [`file_descriptor_set_path`](Builder::file_descriptor_set_path), whatever is
    /// given to [`compile_protos`](Builder::compile_protos). See also [`compile_fds_file`](Builder::compile_fds_file).
    pub fn skip_protoc_run(mut self) -> Self {
        self.options.input.skip_protoc_run = true;
        self
    }

    /// Whether cargo is told to run the build script again when a proto changes, an imported one included, or
    /// `TONIC_CLOUD_RUN_PROTOC` does. Default: yes, in build scripts.
    ///
    /// Cargo then looks at nothing else: name what more your build script reads.
    pub fn emit_rerun_if_changed(mut self, enable: bool) -> Self {
        self.options.input.emit_rerun_if_changed = enable;
        self
    }
}
