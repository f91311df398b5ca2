//! Options on where protos come from and where code goes.

use super::Builder;
use std::path::Path;

impl Builder {
    /// The folder that code is written to; by default cargo's `OUT_DIR`. It must exist.
    pub fn out_dir(mut self, folder: impl AsRef<Path>) -> Self {
        self.options.output.out_dir = Some(folder.as_ref().to_owned());
        self
    }
}
