//! What spans the crates.

/// The bookstore.
pub mod bookstore {
    #![deny(missing_docs, clippy::pedantic)]
    tonic_cloud_run::include_proto!("bookstore.v1");
}
