//! Rust identifiers for what protos call by other rules: cases, keywords, collisions.

use heck::{ToSnakeCase, ToUpperCamelCase};
use proc_macro2::{Ident, Span};
use std::collections::{BTreeMap, BTreeSet};

/// Keywords that can be identifiers when written `r#so`. Those of every edition, as prost does.
const RAW: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "do", "dyn",
    "else", "enum", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop",
    "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "static",
    "struct", "trait", "true", "try", "type", "typeof", "unsafe", "unsized", "use", "virtual",
    "where", "while", "yield",
];

/// Keywords that can be no identifiers at all. prost appends an underscore, and so do we.
const NEVER: &[&str] = &["_", "super", "self", "Self", "extern", "crate"];

/// Methods that every generated client has, and those of traits of the standard library that every type has: an rpc's method
/// of the same name would hide them from the users of the client.
const CLIENT_METHODS: &[&str] = &[
    "new",
    "from_channel",
    "send_compressed",
    "accept_compressed",
    "max_decoding_message_size",
    "max_encoding_message_size",
    "clone",
    "clone_from",
    "clone_into",
    "to_owned",
    "fmt",
    "drop",
    "default",
    "connect",
    "channel",
    "from",
    "into",
    "try_from",
    "try_into",
    "borrow",
    "borrow_mut",
    "type_id",
];

/// Types and type parameters that tonic-build's server modules use without a path in front.
const SERVER_NAMES: &[&str] = &[
    "Arc",
    "B",
    "Body",
    "BoxFuture",
    "BoxStream",
    "Box",
    "Bytes",
    "Clone",
    "CompressionEncoding",
    "Context",
    "Default",
    "EnabledCompressionEncodings",
    "F",
    "Into",
    "InterceptedService",
    "Option",
    "Poll",
    "StdError",
    "T",
];

/// `GetBook` → `get_book`, `Type` → `r#type`, `Self` → `self_`.
pub(crate) fn snake(name: &str) -> String {
    escape(&name.to_snake_case())
}

/// `get_book` → `GetBook`, `self` → `Self_`.
pub(crate) fn upper_camel(name: &str) -> String {
    escape(&name.to_upper_camel_case())
}

/// The variant of an enum's value, as prost names it: without the enum's name in front, if a name remains.
pub(crate) fn enum_variant(enumeration: &str, value: &str, strip: bool) -> String {
    let name = upper_camel(value);
    let stripped = name.strip_prefix(enumeration).filter(|_| strip);
    match stripped {
        Some(rest) if rest.starts_with(char::is_uppercase) => escape(rest),
        _ => escape(&name),
    }
}

/// As [`upper_camel`], for names that get something appended and so can be neither keyword nor start with a digit.
/// A name of nothing but underscores becomes `otherwise`.
pub(crate) fn upper_camel_stem(name: &str, otherwise: &str) -> String {
    let stem = name.to_upper_camel_case();
    match stem.chars().next() {
        None => otherwise.to_owned(),
        Some(first) if first.is_numeric() => format!("_{stem}"),
        Some(_) => stem,
    }
}

/// The start of a module's name, for the stem of a type's.
pub(crate) fn snake_stem(stem: &str) -> String {
    let snake = stem.to_snake_case();
    if snake.starts_with(char::is_numeric) {
        format!("_{snake}")
    } else {
        snake
    }
}

/// The trait of a server. Its module imports names and uses them, and names its types after the rpcs: a service that is called
/// like one of those gets a trait with `Service` behind its name.
pub(crate) fn server_trait(stem: &str, rpcs: &[String]) -> String {
    let hides = SERVER_NAMES.contains(&stem) || rpcs.iter().any(|rpc| *stem == format!("{rpc}Svc"));
    if hides || NEVER.contains(&stem) {
        format!("{stem}Service")
    } else {
        stem.to_owned()
    }
}

/// The method of an rpc, in the trait of a server.
pub(crate) fn rpc(name: &str) -> String {
    match name.to_snake_case() {
        empty if empty.is_empty() => "rpc".to_owned(),
        snake => escape(&snake),
    }
}

/// The method of an rpc in a client, for its `server_name`.
pub(crate) fn client_method(server_name: &str) -> String {
    if CLIENT_METHODS.contains(&server_name) {
        format!("{server_name}_")
    } else {
        server_name.to_owned()
    }
}

fn escape(name: &str) -> String {
    if RAW.contains(&name) {
        format!("r#{name}")
    } else if NEVER.contains(&name) {
        format!("{name}_")
    } else if name.starts_with(char::is_numeric) {
        format!("_{name}")
    } else {
        name.to_owned()
    }
}

/// Makes names unique in their scope: of those that are the same the first keeps its name, the others get `_2`, `_3`, …
/// in their order, whatever else is called so. What is already `taken` counts as first.
pub(crate) fn unique(wanted: &[String], taken: &BTreeSet<String>) -> Vec<String> {
    let mut used: BTreeSet<String> = taken.iter().chain(wanted).cloned().collect();
    let mut seen: BTreeMap<&str, usize> = taken.iter().map(|name| (name.as_str(), 1)).collect();
    wanted
        .iter()
        .map(|name| {
            let count = seen.entry(name).or_insert(0);
            *count += 1;
            if *count == 1 {
                return name.clone();
            }
            loop {
                let candidate = numbered(name, *count);
                if used.insert(candidate.clone()) {
                    return candidate;
                }
                *count += 1;
            }
        })
        .collect()
}

/// `r#type` → `type_2`, `self_` → `self_2`, `get` → `get_2`.
fn numbered(name: &str, number: usize) -> String {
    let stem = name.strip_prefix("r#").unwrap_or(name);
    format!("{}_{number}", stem.trim_end_matches('_'))
}

/// The token of a name that this module made.
pub(crate) fn ident(name: &str) -> Ident {
    match name.strip_prefix("r#") {
        Some(keyword) => Ident::new_raw(keyword, Span::call_site()),
        None => Ident::new(name, Span::call_site()),
    }
}

#[cfg(test)]
mod tests;
