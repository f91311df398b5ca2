//! What spans the crates: here, the generated code that their tests compile and use.

/// Generated from `names/protos`: everything that can be called in an unlucky way.
pub mod names {
    #![deny(warnings, missing_docs, unreachable_pub, clippy::all, clippy::pedantic)]
    include!(concat!(env!("OUT_DIR"), "/names.rs"));
}

/// Google's well-known types, generated, and a service that uses them.
pub mod well_known {
    #![deny(warnings, missing_docs, unreachable_pub, clippy::all, clippy::pedantic)]
    include!(concat!(env!("OUT_DIR"), "/well_known/mod.rs"));
}

/// The code in `golden`, as it is there.
#[cfg(not(blessing))]
pub mod golden {
    #![deny(warnings, missing_docs, unreachable_pub, clippy::all, clippy::pedantic)]

    /// The four call shapes.
    pub mod shapes {
        include!("../golden/shapes/golden.shapes.rs");
    }

    /// Comments.
    pub mod documented {
        include!("../golden/documented/golden.documented.rs");
    }

    /// Names that must change, and a server.
    pub mod renamed {
        include!("../golden/renamed/golden.renamed.rs");
    }

    /// Every option that changes code.
    pub mod options {
        include!("../golden/options/golden.options.rs");

        impl std::fmt::Debug for Secret {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("Secret")
            }
        }
    }

    /// What `options` takes from elsewhere.
    pub mod other {
        /// Made by hand.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, prost::Message)]
        pub struct Thing {}
    }
}
