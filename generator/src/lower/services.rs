//! Services and rpcs, with names that are free in the modules they go to.

use super::comments::Comments;
use crate::model::{CallShape, ClientNames, Method, ServerNames, Service};
use crate::names;
use crate::options::Options;
use crate::paths;
use prost_build::Module;
use prost_types::{
    DescriptorProto, FileDescriptorProto, MessageOptions, MethodDescriptorProto, MethodOptions,
    ServiceDescriptorProto, ServiceOptions,
};
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn lower(files: &[FileDescriptorProto], options: &Options) -> Vec<Service> {
    let mut modules: BTreeMap<Module, Vec<Service>> = BTreeMap::new();
    for file in files {
        let comments = Comments::of(file);
        let module = Module::from_protobuf_package_name(file.package());
        let services = modules.entry(module).or_default();
        for (index, service) in file.service.iter().enumerate() {
            services.push(lower_service(file, index, service, &comments, options));
        }
    }
    for (module, services) in &mut modules {
        let mut taken = taken_modules(module, files);
        settle(services, &mut taken, |service| &mut service.client.module);
        settle(services, &mut taken, |service| &mut service.server.module);
    }
    modules.into_values().flatten().collect()
}

/// Gives every service a module of its own, next to those of messages with nested types and of packages below this one.
fn settle(
    services: &mut [Service],
    taken: &mut BTreeSet<String>,
    module: impl Fn(&mut Service) -> &mut String,
) {
    let wanted: Vec<String> = services
        .iter_mut()
        .map(|service| module(service).clone())
        .collect();
    for (service, name) in services.iter_mut().zip(names::unique(&wanted, taken)) {
        taken.insert(name.clone());
        *module(service) = name;
    }
}

fn taken_modules(module: &Module, files: &[FileDescriptorProto]) -> BTreeSet<String> {
    let here: Vec<&str> = module.parts().collect();
    let mut taken = BTreeSet::new();
    for file in files {
        let other = Module::from_protobuf_package_name(file.package());
        let parts: Vec<&str> = other.parts().collect();
        match parts.strip_prefix(here.as_slice()) {
            Some([]) => {
                let with_module = file
                    .message_type
                    .iter()
                    .filter(|message| has_module(message));
                taken.extend(with_module.map(|message| names::snake(message.name())));
            }
            Some([below, ..]) => {
                taken.insert((*below).to_owned());
            }
            None => {}
        }
    }
    taken
}

/// Whether prost makes a module for what is nested in the message; map entries and the oneofs of proto3's `optional` are no
/// types of their own.
pub(super) fn has_module(message: &DescriptorProto) -> bool {
    let nested = message.nested_type.iter().any(|nested| {
        !nested
            .options
            .as_ref()
            .is_some_and(MessageOptions::map_entry)
    });
    let oneofs = message
        .field
        .iter()
        .any(|field| field.oneof_index.is_some() && !field.proto3_optional());
    nested || oneofs || !message.enum_type.is_empty()
}

fn lower_service(
    file: &FileDescriptorProto,
    index: usize,
    service: &ServiceDescriptorProto,
    comments: &Comments,
    options: &Options,
) -> Service {
    let path = format!("{}.{}", paths::of_package(file.package()), service.name());
    let stem = names::upper_camel_stem(service.name(), "Service");
    let snake = names::snake_stem(&stem);
    let server_names = names::unique(
        &service
            .method
            .iter()
            .map(|rpc| names::rpc(rpc.name()))
            .collect::<Vec<_>>(),
        &BTreeSet::new(),
    );
    let client_names = names::unique(
        &server_names
            .iter()
            .map(|name| names::client_method(name))
            .collect::<Vec<_>>(),
        &BTreeSet::new(),
    );
    let methods = service
        .method
        .iter()
        .zip(server_names)
        .zip(client_names)
        .enumerate();
    let methods = methods.map(|(position, ((rpc, server_name), client_name))| Method {
        proto_name: rpc.name().to_owned(),
        server_name,
        client_name,
        docs: docs(
            comments.of_method(index, position),
            &format!("{path}.{}", rpc.name()),
            options,
        ),
        deprecated: rpc.options.as_ref().is_some_and(MethodOptions::deprecated),
        shape: shape(rpc),
    });
    let methods: Vec<Method> = methods.collect();
    let rpcs: Vec<String> = service
        .method
        .iter()
        .map(|rpc| rpc.name().to_owned())
        .collect();
    Service {
        proto_name: service.name().to_owned(),
        package: file.package().trim_matches('.').to_owned(),
        docs: docs(comments.of_service(index), &path, options),
        deprecated: service
            .options
            .as_ref()
            .is_some_and(ServiceOptions::deprecated),
        client: ClientNames {
            module: format!("{snake}_client"),
            structure: format!("{stem}Client"),
        },
        server: ServerNames {
            module: format!("{snake}_server"),
            interface: names::server_trait(&stem, &rpcs),
        },
        methods,
    }
}

fn shape(rpc: &MethodDescriptorProto) -> CallShape {
    CallShape::new(rpc.client_streaming(), rpc.server_streaming())
}

fn docs(comment: Vec<String>, path: &str, options: &Options) -> Vec<String> {
    if paths::any_matches(&options.disable_comments, path) {
        Vec::new()
    } else {
        comment
    }
}
