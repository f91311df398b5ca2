//! The method of an rpc: one emitter for all call shapes, which differ in data only.

use super::{docs, types};
use crate::messages::RpcTypes;
use crate::model::{CallShape, Method, Service};
use crate::names::ident;
use crate::options::ServiceOptions;
use proc_macro2::TokenStream;
use quote::quote;

pub(super) fn emit(
    service: &Service,
    method: &Method,
    types: &RpcTypes,
    options: &ServiceOptions,
) -> TokenStream {
    let (request, response) = types::of(service, method, types, &options.proto_path);
    let Parts {
        argument,
        convert,
        result,
        call,
    } = parts(method.shape, &request, &response);
    let docs = docs::attributes(&documentation(service, method));
    let deprecated = method.deprecated.then(|| quote!(#[deprecated]));
    let allowed = allowed(method);
    let name = ident(&method.client_name);
    let rpc = &method.proto_name;
    let on_the_wire = if options.emit_package {
        service.full_name()
    } else {
        service.proto_name.clone()
    };
    let path = format!("/{on_the_wire}/{rpc}");

    quote! {
        #docs
        #deprecated
        #allowed
        pub async fn #name(
            &self,
            request: #argument,
        ) -> ::core::result::Result<
            ::tonic_cloud_run::codegen::Response<#result>,
            ::tonic_cloud_run::codegen::Status,
        > {
            static METHOD: ::tonic_cloud_run::codegen::Method =
                ::tonic_cloud_run::codegen::Method::new(#on_the_wire, #rpc, #path);
            self.inner.#call(&METHOD, #convert(request)).await
        }
    }
}

/// What differs between call shapes.
struct Parts {
    argument: TokenStream,
    convert: TokenStream,
    result: TokenStream,
    call: TokenStream,
}

fn parts(shape: CallShape, request: &TokenStream, response: &TokenStream) -> Parts {
    let (argument, convert) = if shape.client_streaming() {
        (
            quote!(impl ::tonic_cloud_run::codegen::IntoStreamingRequest<Message = #request>),
            quote!(::tonic_cloud_run::codegen::IntoStreamingRequest::into_streaming_request),
        )
    } else {
        (
            quote!(impl ::tonic_cloud_run::codegen::IntoRequest<#request>),
            quote!(::tonic_cloud_run::codegen::IntoRequest::into_request),
        )
    };
    let result = if shape.server_streaming() {
        quote!(::tonic_cloud_run::codegen::Streaming<#response>)
    } else {
        quote!(#response)
    };
    let call = match shape {
        CallShape::Unary => quote!(unary),
        CallShape::ServerStreaming => quote!(server_streaming),
        CallShape::ClientStreaming => quote!(client_streaming),
        CallShape::BidiStreaming => quote!(bidi_streaming),
    };
    Parts {
        argument,
        convert,
        result,
        call,
    }
}

/// What the proto says, and what clippy wants to be told.
fn documentation(service: &Service, method: &Method) -> Vec<String> {
    let otherwise = format!("Calls `{}.{}`.", service.full_name(), method.proto_name);
    let renamed = format!(
        "This is the rpc `{}`: the name it would have had is taken by another method.",
        method.proto_name
    );
    let errors = "# Errors\n\nThe status that the call ended with.";
    let mut more = Vec::new();
    if method.is_renamed() {
        more.push(renamed.as_str());
    }
    if !method.docs.iter().any(|line| line == "# Errors") {
        more.push(errors);
    }
    docs::with(&method.docs, &otherwise, &more)
}

/// What the proto calls it counts, whatever Rust's conventions say of `from_archive(&self)`.
fn allowed(method: &Method) -> Option<TokenStream> {
    let name = method.client_name.as_str();
    if name.starts_with("from_") || name.starts_with("into_") {
        Some(quote!(#[allow(clippy::wrong_self_convention)]))
    } else if name == "iter" || name == "iter_mut" {
        Some(quote!(#[allow(clippy::iter_not_returning_iterator)]))
    } else {
        None
    }
}
