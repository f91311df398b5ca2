//! Generates typed gRPC clients for Google Cloud Run from `.proto` files, in `build.rs`.
//!
//! ```no_run
//! // build.rs
//! fn main() -> Result<(), tonic_cloud_run_build::Error> {
//!     tonic_cloud_run_build::compile_protos(&["protos/bookstore/v1/bookstore.proto"], &["protos"])
//! }
//! ```
//!
//! ```ignore
//! // src/main.rs; needs what the build script wrote, so it cannot run here
//! pub mod bookstore {
//!     tonic_cloud_run::include_proto!("bookstore.v1");
//! }
//! use bookstore::bookstore_client::BookstoreClient;
//!
//! let client = BookstoreClient::new("bookstore-7x2kq-uc.a.run.app")?;
//! let book = client.get_book(bookstore::GetBookRequest { name: "shelves/1/books/2".into() }).await?;
//! ```
//!
//! Nothing else has to be installed: protos are compiled by [protox], and by protoc only where
//! [`Builder::protoc`] or the environment variable `TONIC_CLOUD_RUN_PROTOC` names one.
//!
//! # What is generated
//!
//! For the package `bookstore.v1` a file `bookstore.v1.rs` with
//!
//! - messages and enums, made by [prost],
//! - per service a client, `bookstore_client::BookstoreClient`, that runs on the crate `tonic-cloud-run`,
//! - if asked for, per service a server, made by `tonic-build`.
//!
//! Everything in it has documentation: the protos' comments, made safe for rustdoc, or what it is. Examples in comments are
//! never run. The file can be included in a module that denies `missing_docs` and all of clippy's pedantic lints.
//!
//! # Names
//!
//! | in the proto | in Rust |
//! |---|---|
//! | rpc `GetBook` | `get_book` |
//! | rpc `Type`, a keyword | `r#type`; `self_` for `Self`, and likewise `super_` and `crate_` |
//! | rpc `New`, `Clone`, `Into`, … of which every client has one | `new_`, `clone_`, `into_`; its documentation says so. A server has `new` |
//! | rpcs `GetBook`, `getBook` and `Get_Book` in one service | `get_book`, `get_book_2`, `get_book_3`, in this order, in clients and servers |
//! | service `Bookstore` | `bookstore_client::BookstoreClient`, `bookstore_server::{Bookstore, BookstoreServer}` |
//! | services `Book` and `book` in one package | modules `book_client` and `book_client_2`, in this order; the same for servers |
//! | service `Foo`, and a message `FooClient` with nested types or a package `foo_client` below this one | module `foo_client_2` |
//! | service `Option`, `Box`, … whose name tonic's code for servers uses | `option_server::{OptionService, OptionServiceServer}`; the client is `option_client::OptionClient` |
//! | package `type.v1` | file `type.v1.rs`, module `r#type::v1` |
//! | package `Acme.LibraryV1` | file `acme.library_v1.rs`, and the same as `Acme.LibraryV1.rs` |
//! | no package | file `_.rs` |
//!
//! Messages, fields, enums and their values are named by prost. What collides there (messages `Book` and `book`) is an
//! [`Error`] that names both, since no Rust code could tell them apart.
//!
//! [protox]: https://docs.rs/protox
//! [prost]: https://docs.rs/prost

mod builder;
mod docs;
mod editions;
mod emit;
mod error;
mod fault;
mod format;
mod load;
mod lower;
mod markdown;
mod messages;
mod model;
mod names;
mod options;
mod paths;
mod rerun;
mod write;

pub use builder::Builder;
pub use error::Error;
pub use fault::Fault;
pub use prost_types::FileDescriptorSet;

use std::path::Path;

/// Starts with the defaults: messages and clients into cargo's `OUT_DIR`, no servers, no protoc.
///
/// ```no_run
/// fn main() -> Result<(), tonic_cloud_run_build::Error> {
///     tonic_cloud_run_build::configure()
///         .build_server(true)
///         .compile_protos(&["protos/bookstore/v1/bookstore.proto"], &["protos"])
/// }
/// ```
pub fn configure() -> Builder {
    Builder::default()
}

/// Generates messages and clients into cargo's `OUT_DIR`, see [`Builder::compile_protos`].
///
/// ```no_run
/// fn main() -> Result<(), tonic_cloud_run_build::Error> {
///     tonic_cloud_run_build::compile_protos(&["protos/bookstore/v1/bookstore.proto"], &["protos"])
/// }
/// ```
///
/// # Errors
///
/// Everything that is wrong, see [`Error`].
pub fn compile_protos(
    protos: &[impl AsRef<Path>],
    includes: &[impl AsRef<Path>],
) -> Result<(), Error> {
    configure().compile_protos(protos, includes)
}
