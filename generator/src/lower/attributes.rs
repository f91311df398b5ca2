//! Whether what the user gave as text is what it has to be: attributes, paths of protobuf names, paths of Rust.

use crate::error::Faults;
use crate::fault::Fault;
use crate::options::{Attribute, Options};
use std::collections::BTreeSet;
use syn::parse::Parser;

pub(super) fn check(options: &Options, faults: &mut Faults) {
    let messages = &options.messages;
    let services = &options.services;
    for (option, attributes) in [
        ("type_attribute", &messages.type_attributes),
        ("message_attribute", &messages.message_attributes),
        ("enum_attribute", &messages.enum_attributes),
        ("field_attribute", &messages.field_attributes),
        ("client_mod_attribute", &services.client_mod_attributes),
        ("client_attribute", &services.client_attributes),
        ("server_mod_attribute", &services.server_mod_attributes),
        ("server_attribute", &services.server_attributes),
        ("trait_attribute", &services.trait_attributes),
    ] {
        faults.extend(
            attributes
                .iter()
                .filter_map(|attribute| attribute_fault(option, attribute)),
        );
    }
    extern_paths(&messages.extern_path, faults);
    if !messages.compile_well_known_types {
        well_known_paths(&messages.extern_path, faults);
    }
    if syn::parse_str::<syn::Path>(&services.proto_path).is_err() {
        faults.push(
            Fault::new(format!("`proto_path` is no Rust path: `{}`", services.proto_path))
                .help("give the path of the module that the packages' modules are in, such as `crate::protos`"),
        );
    }
}

fn attribute_fault(option: &str, (path, attribute): &Attribute) -> Option<Fault> {
    let error = syn::Attribute::parse_outer.parse_str(attribute).err()?;
    Some(
        Fault::new(format!(
            "the `{option}` for `{path}` is no attribute: `{attribute}`: {error}"
        ))
        .help("write it as in source code, such as `#[derive(Eq)]`"),
    )
}

fn extern_paths(paths: &[(String, String)], faults: &mut Faults) {
    let mut seen = BTreeSet::new();
    for (proto, rust) in paths {
        let segments: Vec<&str> = proto.split('.').collect();
        let qualified = matches!(segments.as_slice(), ["", rest @ ..] if !rest.is_empty() && !rest.contains(&""));
        if !qualified {
            faults.push(
                Fault::new(format!("the `extern_path` `{proto}` is no full protobuf name"))
                    .help("start with a dot and name a package or a type: `.google.type` or `.google.type.Date`"),
            );
        }
        if syn::parse_str::<syn::Type>(rust).is_err() {
            faults.push(
                Fault::new(format!("the `extern_path` for `{proto}` is no Rust path: `{rust}`"))
                    .help("name the module or type as seen from anywhere, such as `::google_types::google::r#type`"),
            );
        }
        if !seen.insert(proto) {
            faults.push(
                Fault::new(format!("there are two `extern_path`s for `{proto}`"))
                    .help("remove one of them"),
            );
        }
    }
}

/// These are taken from elsewhere already.
fn well_known_paths(paths: &[(String, String)], faults: &mut Faults) {
    const TAKEN: &[&str] = &[
        "",
        ".BoolValue",
        ".BytesValue",
        ".DoubleValue",
        ".Empty",
        ".FloatValue",
        ".Int32Value",
        ".Int64Value",
        ".StringValue",
        ".UInt32Value",
        ".UInt64Value",
    ];
    for (proto, _) in paths {
        let taken = proto
            .strip_prefix(".google.protobuf")
            .is_some_and(|rest| TAKEN.contains(&rest));
        if taken {
            faults.push(
                Fault::new(format!(
                    "`extern_path` for `{proto}`: it is taken from prost-types and Rust"
                ))
                .help("call `compile_well_known_types(true)` as well, to take it from elsewhere"),
            );
        }
    }
}
