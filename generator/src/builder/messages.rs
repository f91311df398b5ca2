//! Options on messages and enums, most of which prost acts on.
//!
//! A `path` is one of protobuf names: `.` for all, `.bookstore.v1` with a dot in front for what it names and all below,
//! `Book.title` without one for everything whose full name ends so.

use super::Builder;

impl Builder {
    /// Takes the types of a package, or one type, from elsewhere rather than generating them.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), tonic_cloud_run_build::Error> {
    /// tonic_cloud_run_build::configure()
    ///     .extern_path(".google.type", "::google_types::google::r#type")
    ///     .extern_path(".bookstore.v1.Isbn", "crate::Isbn")
    /// #   .compile_protos(&["protos/bookstore.proto"], &["protos"])
    /// # }
    /// ```
    pub fn extern_path(
        mut self,
        proto_path: impl Into<String>,
        rust_path: impl Into<String>,
    ) -> Self {
        self.options
            .messages
            .extern_path
            .push((proto_path.into(), rust_path.into()));
        self
    }

    /// Puts an attribute on the structs and enums that match: of messages, enums and oneofs.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), tonic_cloud_run_build::Error> {
    /// tonic_cloud_run_build::configure()
    ///     .type_attribute(".bookstore.v1.Book", "#[derive(serde::Serialize)]")
    /// #   .compile_protos(&["protos/bookstore.proto"], &["protos"])
    /// # }
    /// ```
    pub fn type_attribute(mut self, path: impl Into<String>, attribute: impl Into<String>) -> Self {
        self.options
            .messages
            .type_attributes
            .push((path.into(), attribute.into()));
        self
    }

    /// Puts an attribute on the structs of the messages that match.
    pub fn message_attribute(
        mut self,
        path: impl Into<String>,
        attribute: impl Into<String>,
    ) -> Self {
        self.options
            .messages
            .message_attributes
            .push((path.into(), attribute.into()));
        self
    }

    /// Puts an attribute on the enums, of enums and oneofs, that match.
    pub fn enum_attribute(mut self, path: impl Into<String>, attribute: impl Into<String>) -> Self {
        self.options
            .messages
            .enum_attributes
            .push((path.into(), attribute.into()));
        self
    }

    /// Puts an attribute on the fields and enum values that match.
    pub fn field_attribute(
        mut self,
        path: impl Into<String>,
        attribute: impl Into<String>,
    ) -> Self {
        self.options
            .messages
            .field_attributes
            .push((path.into(), attribute.into()));
        self
    }

    /// Boxes the fields that match. Fields that must be boxed, since their messages contain themselves, are so anyway.
    pub fn boxed(mut self, path: impl Into<String>) -> Self {
        self.options.messages.boxed.push(path.into());
        self
    }

    /// Makes the `map` fields that match `BTreeMap`s rather than `HashMap`s. May be called several times.
    pub fn btree_map(mut self, path: impl Into<String>) -> Self {
        self.options.messages.btree_map.push(path.into());
        self
    }

    /// Makes the `bytes` fields that match [`Bytes`](prost::bytes::Bytes) rather than `Vec<u8>`. May be called several times.
    pub fn bytes(mut self, path: impl Into<String>) -> Self {
        self.options.messages.bytes.push(path.into());
        self
    }

    /// Leaves out the `Debug` implementations of the types that match, for you to write.
    pub fn skip_debug<S: Into<String>>(mut self, paths: impl IntoIterator<Item = S>) -> Self {
        self.options
            .messages
            .skip_debug
            .extend(paths.into_iter().map(Into::into));
        self
    }

    /// Generates code for Google's well-known types where they are imported, rather than taking those of `prost-types` and Rust
    /// (`()` for `Empty`, `f64` for `DoubleValue`, …). Default: no.
    pub fn compile_well_known_types(mut self, enable: bool) -> Self {
        self.options.messages.compile_well_known_types = enable;
        self
    }

    /// Keeps an enum's name at the start of its values' names: `COLOR_RED` of `Color` becomes `ColorRed`, not `Red`. Default: no.
    pub fn retain_enum_prefix(mut self, enable: bool) -> Self {
        self.options.messages.retain_enum_prefix = enable;
        self
    }

    /// Implements [`prost::Name`] for messages: with it they can be packed into an `Any`. Default: no.
    pub fn enable_type_names(mut self, enable: bool) -> Self {
        self.options.messages.enable_type_names = enable;
        self
    }

    /// The domain in the type URLs of the messages that match; see [`enable_type_names`](Builder::enable_type_names).
    pub fn type_name_domain(mut self, path: impl Into<String>, domain: impl Into<String>) -> Self {
        self.options
            .messages
            .type_name_domains
            .push((path.into(), domain.into()));
        self
    }

    /// Leaves the comments of messages, fields, enums, services and rpcs that match out of the documentation.
    pub fn disable_comments<S: Into<String>>(mut self, paths: impl IntoIterator<Item = S>) -> Self {
        self.options
            .disable_comments
            .extend(paths.into_iter().map(Into::into));
        self
    }
}
