//! Messages and enums, by prost: it also knows what Rust types the rpcs of services take and return.

use crate::error::Error;
use crate::fault::Fault;
use crate::options::MessageOptions;
use prost_build::{Config, Module, ServiceGenerator};
use prost_types::FileDescriptorProto;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

/// Where generated messages find prost: users of clients need no dependency on it.
const PROST: &str = "::tonic_cloud_run::prost";
const PROST_TYPES: &str = "::tonic_cloud_run::prost_types";

/// What prost made.
#[derive(Debug)]
pub(crate) struct Messages {
    /// Source text, by the module of the package.
    pub(crate) modules: BTreeMap<Module, String>,
    pub(crate) types: RpcTypes,
}

/// The Rust types of rpcs, as seen from the module of the package.
#[derive(Debug, Default)]
pub(crate) struct RpcTypes {
    by_rpc: BTreeMap<(String, String, String), RpcType>,
}

#[derive(Clone, Debug)]
pub(crate) struct RpcType {
    pub(crate) request: String,
    pub(crate) response: String,
}

impl RpcTypes {
    pub(crate) fn get(&self, package: &str, service: &str, rpc: &str) -> Option<&RpcType> {
        self.by_rpc
            .get(&(package.to_owned(), service.to_owned(), rpc.to_owned()))
    }
}

pub(crate) fn generate(
    files: Vec<FileDescriptorProto>,
    boxed: &[String],
    options: &MessageOptions,
) -> Result<Messages, Error> {
    let types = Rc::new(RefCell::new(RpcTypes::default()));
    let requests: Vec<_> = files
        .into_iter()
        .map(|file| (Module::from_protobuf_package_name(file.package()), file))
        .collect();
    let mut config = config(options);
    for path in boxed {
        config.boxed(path);
    }
    config.service_generator(Box::new(TypeCollector(Rc::clone(&types))));

    // What prost is known to panic at is refused before. For what is not known, the user still gets an error.
    let modules = catch_unwind(AssertUnwindSafe(|| config.generate(requests)))
        .map_err(|panic| {
            Fault::new(format!(
                "prost cannot generate code for these messages: {}",
                text(panic.as_ref())
            ))
            .help("if the protos are in order, please report this with them")
        })?
        .map_err(|error| {
            Fault::new(format!(
                "prost cannot generate code for these messages: {error}"
            ))
        })?;
    drop(config);
    Ok(Messages {
        modules: modules.into_iter().collect(),
        types: types.take(),
    })
}

fn text(panic: &(dyn std::any::Any + Send)) -> String {
    if let Some(text) = panic.downcast_ref::<String>() {
        text.clone()
    } else if let Some(text) = panic.downcast_ref::<&str>() {
        (*text).to_owned()
    } else {
        "it panicked".to_owned()
    }
}

fn config(options: &MessageOptions) -> Config {
    let mut config = Config::new();
    config.prost_path(PROST).prost_types_path(PROST_TYPES);
    for (proto, rust) in &options.extern_path {
        config.extern_path(proto, rust);
    }
    for (path, attribute) in &options.type_attributes {
        config.type_attribute(path, attribute);
    }
    for (path, attribute) in &options.message_attributes {
        config.message_attribute(path, attribute);
    }
    for (path, attribute) in &options.enum_attributes {
        config.enum_attribute(path, attribute);
    }
    for (path, attribute) in &options.field_attributes {
        config.field_attribute(path, attribute);
    }
    for path in &options.boxed {
        config.boxed(path);
    }
    config.btree_map(&options.btree_map);
    config.bytes(&options.bytes);
    config.skip_debug(&options.skip_debug);
    if options.compile_well_known_types {
        config.compile_well_known_types();
    }
    if options.retain_enum_prefix {
        config.retain_enum_prefix();
    }
    if options.enable_type_names {
        config.enable_type_names();
    }
    for (path, domain) in &options.type_name_domains {
        config.type_name_domain([path], domain);
    }
    config
}

/// Writes nothing: the code of services is ours. It notes the types that prost resolved.
struct TypeCollector(Rc<RefCell<RpcTypes>>);

impl ServiceGenerator for TypeCollector {
    fn generate(&mut self, service: prost_build::Service, _: &mut String) {
        let package = service.package.trim_matches('.');
        let mut types = self.0.borrow_mut();
        for rpc in service.methods {
            let key = (
                package.to_owned(),
                service.proto_name.clone(),
                rpc.proto_name,
            );
            let value = RpcType {
                request: rpc.input_type,
                response: rpc.output_type,
            };
            types.by_rpc.insert(key, value);
        }
    }
}
