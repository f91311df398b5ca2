//! Model → syntax: per package one file, of messages, then clients, then servers.

mod attributes;
mod client;
mod docs;
mod lints;
mod literals;
mod messages;
mod method;
mod server;
mod types;

use crate::error::{Error, Faults};
use crate::fault::Fault;
use crate::lower::Lowered;
use crate::messages::{Messages, RpcTypes};
use crate::model::Service;
use crate::options::{Options, ServiceOptions};
use proc_macro2::TokenStream;
use prost_build::Module;
use std::collections::BTreeMap;

/// The syntax of a generated file, by the module of its package.
pub(crate) type Files = BTreeMap<Module, syn::File>;

pub(crate) fn emit(lowered: Lowered, options: &Options) -> Result<Files, Error> {
    let Lowered {
        services,
        files,
        docs,
        boxed,
    } = lowered;
    let Messages { modules, types } = crate::messages::generate(files, &boxed, &options.messages)?;

    let mut faults = Faults::default();
    let mut syntax = Files::new();
    for (module, text) in modules {
        match syn::parse_str::<syn::File>(&text) {
            Ok(mut file) => {
                messages::finish(&mut file.items, &docs);
                syntax.insert(module, file);
            }
            Err(error) => faults.push(not_rust("messages", &module, &error)),
        }
    }
    for service in &services {
        let module = Module::from_protobuf_package_name(&service.package);
        match syn::parse2::<syn::File>(service_tokens(service, &types, &options.services)) {
            Ok(code) => {
                let file = syntax.entry(module).or_insert_with(empty);
                file.items.extend(code.items);
            }
            Err(error) => faults.push(not_rust("services", &module, &error)),
        }
    }
    syntax.retain(|_, file| !file.items.is_empty());
    faults.or(syntax)
}

fn service_tokens(service: &Service, types: &RpcTypes, options: &ServiceOptions) -> TokenStream {
    let mut tokens = TokenStream::new();
    if options.build_client {
        tokens.extend(client::emit(service, types, options));
    }
    if options.build_server {
        tokens.extend(server::emit(service, types, options));
    }
    tokens
}

fn empty() -> syn::File {
    syn::File {
        shebang: None,
        frontmatter: None,
        attrs: Vec::new(),
        items: Vec::new(),
    }
}

fn not_rust(what: &str, module: &Module, error: &syn::Error) -> Fault {
    Fault::new(format!(
        "the {what} of module `{module}` are no valid Rust: {error}"
    ))
    .help("check the Rust paths and attributes given to the builder")
}
