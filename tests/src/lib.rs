//! What spans the crates.

/// Generated from `names/protos`: everything that can be called in an unlucky way.
pub mod names {
    #![deny(missing_docs, unreachable_pub, clippy::all, clippy::pedantic)]
    include!(concat!(env!("OUT_DIR"), "/names.rs"));
}
