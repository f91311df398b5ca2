//! What is generated: services and their methods, with every name decided. Neither prost's types nor tokens.

/// A service, and the client and server made of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Service {
    /// As in the proto: `Bookstore`.
    pub(crate) proto_name: String,
    /// As in the proto, without dots at its ends: `bookstore.v1`, or empty.
    pub(crate) package: String,
    /// Of the comment, as safe Markdown, a line each.
    pub(crate) docs: Vec<String>,
    pub(crate) deprecated: bool,
    pub(crate) client: ClientNames,
    pub(crate) server: ServerNames,
    pub(crate) methods: Vec<Method>,
}

/// Where a generated client is found: `bookstore_client::BookstoreClient`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ClientNames {
    pub(crate) module: String,
    pub(crate) structure: String,
}

/// Where a generated server is found: `bookstore_server::{Bookstore, BookstoreServer}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServerNames {
    pub(crate) module: String,
    /// The trait; the server is named after it.
    pub(crate) interface: String,
}

/// An rpc.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Method {
    /// As in the proto: `CreateBook`.
    pub(crate) proto_name: String,
    /// The method of the server's trait.
    pub(crate) server_name: String,
    /// The method of the client; another one than the server's where that would hide a method that every client has.
    pub(crate) client_name: String,
    /// Of the comment, as safe Markdown, a line each.
    pub(crate) docs: Vec<String>,
    pub(crate) deprecated: bool,
    pub(crate) shape: CallShape,
}

/// How many messages go each way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CallShape {
    Unary,
    ServerStreaming,
    ClientStreaming,
    BidiStreaming,
}

impl CallShape {
    pub(crate) fn new(client_streaming: bool, server_streaming: bool) -> Self {
        match (client_streaming, server_streaming) {
            (false, false) => Self::Unary,
            (false, true) => Self::ServerStreaming,
            (true, false) => Self::ClientStreaming,
            (true, true) => Self::BidiStreaming,
        }
    }

    pub(crate) fn client_streaming(self) -> bool {
        matches!(self, Self::ClientStreaming | Self::BidiStreaming)
    }

    pub(crate) fn server_streaming(self) -> bool {
        matches!(self, Self::ServerStreaming | Self::BidiStreaming)
    }
}

impl Method {
    /// Whether its name in the client is not what its name in the proto suggests.
    pub(crate) fn is_renamed(&self) -> bool {
        self.client_name != crate::names::rpc(&self.proto_name)
    }
}

impl Service {
    /// As on the wire: `bookstore.v1.Bookstore`.
    pub(crate) fn full_name(&self) -> String {
        if self.package.is_empty() {
            self.proto_name.clone()
        } else {
            format!("{}.{}", self.package, self.proto_name)
        }
    }
}
