//! The Rust types of an rpc, as seen from the module of a client or a server, one below that of the package.

use crate::messages::{RpcType, RpcTypes};
use crate::model::{Method, Service};
use proc_macro2::TokenStream;
use quote::quote;

/// Types of Rust itself, which well-known types become.
const BUILT_IN: &[&str] = &["()", "bool", "f32", "f64", "i32", "i64", "u32", "u64"];

/// Request and response.
pub(super) fn of(
    service: &Service,
    method: &Method,
    types: &RpcTypes,
    base: &str,
) -> (TokenStream, TokenStream) {
    match types.get(&service.package, &service.proto_name, &method.proto_name) {
        Some(RpcType { request, response }) => {
            (seen_from(base, request), seen_from(base, response))
        }
        // Every rpc of the model comes from the descriptors that prost got.
        None => (quote!(()), quote!(())),
    }
}

fn seen_from(base: &str, rust: &str) -> TokenStream {
    let absolute =
        rust.starts_with("::") || rust.starts_with("crate::") || BUILT_IN.contains(&rust);
    let text = if absolute {
        rust.to_owned()
    } else {
        format!("{base}::{rust}")
    };
    // Lexed only: whether it is a type is found out with the rest of the module.
    text.parse()
        .unwrap_or_else(|_| quote!(compile_error!(#text)))
}
