//! The module of a client: a thin wrapper around the runtime's `codegen::Client`.
//!
//! Every path in it is absolute, so nothing that a service or message can be called gets in its way.

use super::{attributes, docs, method};
use crate::messages::RpcTypes;
use crate::model::Service;
use crate::names::ident;
use crate::options::ServiceOptions;
use proc_macro2::TokenStream;
use quote::quote;

pub(super) fn emit(service: &Service, types: &RpcTypes, options: &ServiceOptions) -> TokenStream {
    let module = ident(&service.client.module);
    let client = ident(&service.client.structure);
    let module_docs = docs::attributes(&[format!("The client of `{}`.", service.full_name())]);
    let client_docs = docs::attributes(&docs::with(
        &service.docs,
        &format!("A client of `{}`.", service.full_name()),
        &[],
    ));
    let module_attributes = attributes::tokens(attributes::of_module(
        &options.client_mod_attributes,
        service,
    ));
    let client_attributes =
        attributes::tokens(attributes::of_service(&options.client_attributes, service));
    let allowed = allowed(service);
    let deprecated = service.deprecated.then(|| quote!(#[deprecated]));
    let constructors = constructors();
    let settings = settings();
    let methods = service
        .methods
        .iter()
        .map(|rpc| method::emit(service, rpc, types, options));

    quote! {
        #module_docs
        #allowed
        #module_attributes
        pub mod #module {
            #client_docs
            #deprecated
            #client_attributes
            #[derive(::core::clone::Clone, ::core::fmt::Debug)]
            pub struct #client {
                inner: ::tonic_cloud_run::codegen::Client,
            }

            impl #client {
                #constructors
                #settings
                #(#methods)*
            }
        }
    }
}

/// A program may use a part of a client only, and keep the module to itself. How large a call's future is depends on what it
/// sends, and that is up to the proto. A deprecated client mentions itself.
fn allowed(service: &Service) -> TokenStream {
    let deprecated = service.deprecated.then(|| quote!(, deprecated));
    quote!(#[allow(clippy::large_futures, dead_code, unreachable_pub #deprecated)])
}

fn constructors() -> TokenStream {
    quote! {
        /// A client of the service at `host`, such as `bookstore-7x2kq-uc.a.run.app`, on a channel of its own.
        ///
        /// Does no I/O and needs no runtime: it connects, and gets its ID token, with its first call.
        ///
        /// # Errors
        ///
        /// If `host` is no host, and whatever else [`Channel::new`](::tonic_cloud_run::Channel::new) finds.
        pub fn new(
            host: impl ::core::convert::AsRef<str>,
        ) -> ::core::result::Result<Self, ::tonic_cloud_run::Error> {
            ::core::result::Result::Ok(Self {
                inner: ::tonic_cloud_run::codegen::Client::new(host)?,
            })
        }

        /// A client on a channel that others may share: to set the channel up, or for several services on one host.
        #[must_use]
        pub fn from_channel(channel: ::tonic_cloud_run::Channel) -> Self {
            Self {
                inner: ::tonic_cloud_run::codegen::Client::from_channel(channel),
            }
        }
    }
}

fn settings() -> TokenStream {
    quote! {
        /// Compresses requests so. The server must understand it.
        #[must_use]
        pub fn send_compressed(self, encoding: ::tonic_cloud_run::codegen::CompressionEncoding) -> Self {
            Self {
                inner: self.inner.send_compressed(encoding),
            }
        }

        /// Lets the server compress responses so.
        #[must_use]
        pub fn accept_compressed(self, encoding: ::tonic_cloud_run::codegen::CompressionEncoding) -> Self {
            Self {
                inner: self.inner.accept_compressed(encoding),
            }
        }

        /// The largest response message that is taken, in bytes; 4 MiB unless set.
        #[must_use]
        pub fn max_decoding_message_size(self, limit: usize) -> Self {
            Self {
                inner: self.inner.max_decoding_message_size(limit),
            }
        }

        /// The largest request message that is sent, in bytes; unlimited unless set.
        #[must_use]
        pub fn max_encoding_message_size(self, limit: usize) -> Self {
            Self {
                inner: self.inner.max_encoding_message_size(limit),
            }
        }
    }
}
