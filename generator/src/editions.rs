//! Protobuf editions, which neither protox nor prost can read yet.

use crate::fault::{Fault, Position};

/// Whether it is the edition statement that the parser stumbled over.
pub(crate) fn is_syntax_error_of_editions(message: &str) -> bool {
    message.ends_with("but found 'edition'")
}

/// Whether a descriptor's `syntax` is one that code can be generated for.
pub(crate) fn is_known_syntax(syntax: Option<&str>) -> bool {
    matches!(syntax, None | Some("" | "proto2" | "proto3"))
}

pub(crate) fn fault(file: Option<String>, position: Option<Position>) -> Fault {
    let fault = Fault::new("protobuf editions (`edition = \"...\"`) are not supported")
        .at(position)
        .help("write `syntax = \"proto3\";` (or \"proto2\") instead of the edition, and plain fields instead of its features");
    match file {
        Some(file) => fault.in_file(file),
        None => fault,
    }
}
