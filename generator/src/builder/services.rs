//! Options on clients and servers.

use super::Builder;

impl Builder {
    /// Whether clients are generated. Default: yes.
    pub fn build_client(mut self, enable: bool) -> Self {
        self.options.services.build_client = enable;
        self
    }

    /// Whether servers are generated. Default: no.
    pub fn build_server(mut self, enable: bool) -> Self {
        self.options.services.build_server = enable;
        self
    }
}
