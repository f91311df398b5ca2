//! Options on clients and servers.
//!
//! A `path` is as for messages; modules can also be matched by their package.

use super::Builder;

impl Builder {
    /// Whether clients are generated. Default: yes.
    pub fn build_client(mut self, enable: bool) -> Self {
        self.options.services.build_client = enable;
        self
    }

    /// Whether servers are generated, by `tonic-build` as they are everywhere. Default: no.
    ///
    /// Unlike clients they need the crates `tonic` and `tonic-prost` among your dependencies.
    pub fn build_server(mut self, enable: bool) -> Self {
        self.options.services.build_server = enable;
        self
    }

    /// The module in which the packages' modules are, as seen from the module of a client or server; by default `super`, for the
    /// module that the generated code is included in.
    ///
    /// It is for services whose messages are generated elsewhere: with `.proto_path("crate::protos")` a client refers to
    /// `crate::protos::Book`, where it is `super::Book` otherwise.
    pub fn proto_path(mut self, path: impl Into<String>) -> Self {
        self.options.services.proto_path = path.into();
        self
    }

    /// Whether the package is part of a service's name on the wire. Default: yes, as gRPC wants it.
    pub fn emit_package(mut self, enable: bool) -> Self {
        self.options.services.emit_package = enable;
        self
    }

    /// Puts an attribute on the modules of the clients that match.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), tonic_cloud_run_build::Error> {
    /// tonic_cloud_run_build::configure()
    ///     .client_mod_attribute("bookstore.v1", r#"#[cfg(feature = "client")]"#)
    /// #   .compile_protos(&["protos/bookstore.proto"], &["protos"])
    /// # }
    /// ```
    pub fn client_mod_attribute(
        mut self,
        path: impl Into<String>,
        attribute: impl Into<String>,
    ) -> Self {
        self.options
            .services
            .client_mod_attributes
            .push((path.into(), attribute.into()));
        self
    }

    /// Puts an attribute on the structs of the clients that match.
    pub fn client_attribute(
        mut self,
        path: impl Into<String>,
        attribute: impl Into<String>,
    ) -> Self {
        self.options
            .services
            .client_attributes
            .push((path.into(), attribute.into()));
        self
    }

    /// Puts an attribute on the modules of the servers that match.
    pub fn server_mod_attribute(
        mut self,
        path: impl Into<String>,
        attribute: impl Into<String>,
    ) -> Self {
        self.options
            .services
            .server_mod_attributes
            .push((path.into(), attribute.into()));
        self
    }

    /// Puts an attribute on the structs of the servers that match.
    pub fn server_attribute(
        mut self,
        path: impl Into<String>,
        attribute: impl Into<String>,
    ) -> Self {
        self.options
            .services
            .server_attributes
            .push((path.into(), attribute.into()));
        self
    }

    /// Puts an attribute on the traits of the servers that match.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), tonic_cloud_run_build::Error> {
    /// tonic_cloud_run_build::configure()
    ///     .build_server(true)
    ///     .trait_attribute("Bookstore", "#[mockall::automock]")
    /// #   .compile_protos(&["protos/bookstore.proto"], &["protos"])
    /// # }
    /// ```
    pub fn trait_attribute(
        mut self,
        path: impl Into<String>,
        attribute: impl Into<String>,
    ) -> Self {
        self.options
            .services
            .trait_attributes
            .push((path.into(), attribute.into()));
        self
    }

    /// Whether the methods of servers take `Arc<Self>` rather than `&self`. Default: no.
    pub fn use_arc_self(mut self, enable: bool) -> Self {
        self.options.services.use_arc_self = enable;
        self
    }

    /// Whether the methods of servers answer `UNIMPLEMENTED` unless they are implemented. Default: no, they must be.
    pub fn generate_default_stubs(mut self, enable: bool) -> Self {
        self.options.services.generate_default_stubs = enable;
        self
    }
}
