//! The module of a server, as tonic-build makes it. This file only tells tonic-build what it asks.

use super::docs::spaced;
use super::{attributes, types};
use crate::messages::RpcTypes;
use crate::model::{Method, Service};
use crate::names::ident;
use crate::options::ServiceOptions;
use proc_macro2::TokenStream;
use syn::Item;
use tonic_build::{Attributes, CodeGenBuilder};

/// As tonic-prost-build has it.
const CODEC: &str = "tonic_prost::ProstCodec";

pub(super) fn emit(service: &Service, types: &RpcTypes, options: &ServiceOptions) -> TokenStream {
    let asked = Asked::new(service, types, options);
    let tokens = CodeGenBuilder::new()
        .emit_package(options.emit_package)
        .attributes(asked_attributes(service, options))
        .use_arc_self(options.use_arc_self)
        .generate_default_stubs(options.generate_default_stubs)
        .generate_server(&asked, &options.proto_path);
    in_module(&service.server.module, tokens)
}

/// tonic-build names the module after the service; here it may have to make way for something else.
fn in_module(name: &str, tokens: TokenStream) -> TokenStream {
    match syn::parse2::<syn::File>(tokens.clone()) {
        Ok(mut file) => {
            for item in &mut file.items {
                if let Item::Mod(module) = item {
                    module.ident = ident(name);
                    module.attrs.push(super::lints::of_others());
                }
            }
            quote::ToTokens::into_token_stream(file)
        }
        // The caller parses it again, and says what is wrong.
        Err(_) => tokens,
    }
}

/// Those that match this service: matching is done here, by one rule for all options.
fn asked_attributes(service: &Service, options: &ServiceOptions) -> Attributes {
    let mut attributes = Attributes::default();
    for attribute in attributes::of_module(&options.server_mod_attributes, service) {
        attributes.push_mod(".", attribute);
    }
    for attribute in attributes::of_service(&options.server_attributes, service) {
        attributes.push_struct(".", attribute);
    }
    for attribute in attributes::of_service(&options.trait_attributes, service) {
        attributes.push_trait(".", attribute);
    }
    attributes
}

/// A service in the form in which tonic-build asks about it.
struct Asked<'a> {
    service: &'a Service,
    docs: Vec<String>,
    methods: Vec<AskedMethod<'a>>,
}

struct AskedMethod<'a> {
    method: &'a Method,
    docs: Vec<String>,
    request: TokenStream,
    response: TokenStream,
}

impl<'a> Asked<'a> {
    fn new(service: &'a Service, types: &RpcTypes, options: &ServiceOptions) -> Self {
        let method = |method: &'a Method| {
            let (request, response) = types::of(service, method, types, &options.proto_path);
            AskedMethod {
                method,
                docs: spaced_all(&method.docs),
                request,
                response,
            }
        };
        Self {
            service,
            docs: spaced_all(&service.docs),
            methods: service.methods.iter().map(method).collect(),
        }
    }
}

/// tonic-build adds the space only where it finds none, and so loses the indentation of lists.
fn spaced_all(lines: &[String]) -> Vec<String> {
    lines.iter().map(|line| spaced(line)).collect()
}

impl<'a> tonic_build::Service for Asked<'a> {
    type Comment = String;
    type Method = AskedMethod<'a>;

    fn name(&self) -> &str {
        &self.service.server.interface
    }

    fn package(&self) -> &str {
        &self.service.package
    }

    fn identifier(&self) -> &str {
        &self.service.proto_name
    }

    fn methods(&self) -> &[Self::Method] {
        &self.methods
    }

    fn comment(&self) -> &[Self::Comment] {
        &self.docs
    }
}

impl tonic_build::Method for AskedMethod<'_> {
    type Comment = String;

    fn name(&self) -> &str {
        &self.method.server_name
    }

    fn identifier(&self) -> &str {
        &self.method.proto_name
    }

    fn codec_path(&self) -> &str {
        CODEC
    }

    fn client_streaming(&self) -> bool {
        self.method.shape.client_streaming()
    }

    fn server_streaming(&self) -> bool {
        self.method.shape.server_streaming()
    }

    fn comment(&self) -> &[Self::Comment] {
        &self.docs
    }

    fn deprecated(&self) -> bool {
        self.method.deprecated
    }

    fn request_response_name(&self, _: &str, _: bool) -> (TokenStream, TokenStream) {
        (self.request.clone(), self.response.clone())
    }
}
