//! Tells cargo when to run the build script again.

use crate::load::{Loaded, PROTOC_VARIABLE};
use crate::options::InputOptions;

/// On every file that was read, imports included, and on the variable that chooses protoc. What failed is run again anyway.
pub(crate) fn print(loaded: &Loaded, options: &InputOptions) {
    if !options.emit_rerun_if_changed {
        return;
    }
    println!("cargo:rerun-if-env-changed={PROTOC_VARIABLE}");
    for path in loaded.files.values() {
        println!("cargo:rerun-if-changed={}", path.display());
    }
}
