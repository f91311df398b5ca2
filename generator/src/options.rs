//! Everything that can be chosen, as plain data: [`Builder`](crate::Builder) fills it in, the stages read it.

use std::ffi::OsString;
use std::path::PathBuf;

#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) input: InputOptions,
    pub(crate) output: OutputOptions,
    pub(crate) messages: MessageOptions,
    pub(crate) services: ServiceOptions,
    /// Paths of what gets no comment from the protos.
    pub(crate) disable_comments: Vec<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct InputOptions {
    pub(crate) protoc: Option<PathBuf>,
    pub(crate) protoc_args: Vec<OsString>,
    pub(crate) skip_protoc_run: bool,
    pub(crate) file_descriptor_set_path: Option<PathBuf>,
    pub(crate) emit_rerun_if_changed: bool,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct OutputOptions {
    pub(crate) out_dir: Option<PathBuf>,
    pub(crate) include_file: Option<PathBuf>,
    pub(crate) default_package_filename: Option<String>,
}

/// A path of protobuf names, and the attribute for what it matches.
pub(crate) type Attribute = (String, String);

/// For prost.
#[derive(Clone, Debug, Default)]
pub(crate) struct MessageOptions {
    pub(crate) extern_path: Vec<(String, String)>,
    pub(crate) type_attributes: Vec<Attribute>,
    pub(crate) message_attributes: Vec<Attribute>,
    pub(crate) enum_attributes: Vec<Attribute>,
    pub(crate) field_attributes: Vec<Attribute>,
    pub(crate) boxed: Vec<String>,
    pub(crate) btree_map: Vec<String>,
    pub(crate) bytes: Vec<String>,
    pub(crate) skip_debug: Vec<String>,
    pub(crate) compile_well_known_types: bool,
    pub(crate) retain_enum_prefix: bool,
    pub(crate) enable_type_names: bool,
    pub(crate) type_name_domains: Vec<(String, String)>,
}

/// For clients and servers. Its switches have nothing to do with each other.
#[allow(clippy::struct_excessive_bools)]
#[derive(Clone, Debug)]
pub(crate) struct ServiceOptions {
    pub(crate) build_client: bool,
    pub(crate) build_server: bool,
    pub(crate) proto_path: String,
    pub(crate) emit_package: bool,
    pub(crate) client_mod_attributes: Vec<Attribute>,
    pub(crate) client_attributes: Vec<Attribute>,
    pub(crate) server_mod_attributes: Vec<Attribute>,
    pub(crate) server_attributes: Vec<Attribute>,
    pub(crate) trait_attributes: Vec<Attribute>,
    pub(crate) use_arc_self: bool,
    pub(crate) generate_default_stubs: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            input: InputOptions {
                protoc: None,
                protoc_args: Vec::new(),
                skip_protoc_run: false,
                file_descriptor_set_path: None,
                // Outside a build script nobody reads what is meant for cargo.
                emit_rerun_if_changed: std::env::var_os("CARGO").is_some(),
            },
            output: OutputOptions::default(),
            messages: MessageOptions::default(),
            services: ServiceOptions {
                build_client: true,
                build_server: false,
                proto_path: "super".to_owned(),
                emit_package: true,
                client_mod_attributes: Vec::new(),
                client_attributes: Vec::new(),
                server_mod_attributes: Vec::new(),
                server_attributes: Vec::new(),
                trait_attributes: Vec::new(),
                use_arc_self: false,
                generate_default_stubs: false,
            },
            disable_comments: Vec::new(),
        }
    }
}
