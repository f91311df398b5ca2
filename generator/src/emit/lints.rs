//! Lints that are allowed in generated code.

use syn::{Attribute, parse_quote};

/// For the code of prost and tonic-build, which is written to nobody's lints. `missing_docs` is not among them: messages are
/// documented, and tonic-build allows it for itself. A program may use a part of the code only, and keep its module to itself.
pub(super) fn of_others() -> Attribute {
    parse_quote!(#[allow(clippy::all, clippy::pedantic, dead_code, deprecated, unreachable_pub)])
}
