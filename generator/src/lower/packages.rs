//! Modules of packages and modules of messages: the same name for both cannot be had in one tree.

use super::is_extern;
use super::services::has_module;
use crate::error::Faults;
use crate::fault::{Fault, Position};
use crate::load::Loaded;
use crate::names;
use crate::options::Options;
use crate::paths;
use prost_build::Module;
use prost_types::FileDescriptorProto;
use std::collections::BTreeMap;

/// Package `library.book` below package `library` with a message `Book` that types are nested in: both are `library::book`.
pub(super) fn check(
    files: &[FileDescriptorProto],
    loaded: &Loaded,
    options: &Options,
    faults: &mut Faults,
) {
    let mut packages: BTreeMap<Vec<String>, &str> = BTreeMap::new();
    for file in files.iter().filter(|file| has_code(file, options)) {
        let parts: Vec<String> = parts(file.package());
        for length in 1..=parts.len() {
            packages
                .entry(parts[..length].to_vec())
                .or_insert(file.package());
        }
    }
    for file in files {
        nameless(file, loaded, options, faults);
        for (index, message) in file.message_type.iter().enumerate() {
            let path = format!("{}.{}", paths::of_package(file.package()), message.name());
            if !has_module(message) || is_extern(&path, &options.messages) {
                continue;
            }
            let mut module = parts(file.package());
            module.push(names::snake(message.name()));
            if let Some(package) = packages.get(&module) {
                faults.push(
                    Fault::new(format!(
                        "the types nested in message `{}` and the package `{package}` would share the Rust module `{}`",
                        &path[1..],
                        module.join("::"),
                    ))
                    .in_file(loaded.place(file.name()))
                    .at(Position::in_file(file, &[4, i32::try_from(index).unwrap_or(i32::MAX)]))
                    .help("rename one of them, or take one from elsewhere with `extern_path`"),
                );
            }
        }
    }
}

/// A package of which a part has no letter and no digit: there is no module to make of it.
fn nameless(file: &FileDescriptorProto, loaded: &Loaded, options: &Options, faults: &mut Faults) {
    let package = file.package();
    let is_nameless = |part: &str| part.bytes().all(|byte| byte == b'_');
    if package.is_empty() || !package.split('.').any(is_nameless) || !has_code(file, options) {
        return;
    }
    faults.push(
        Fault::new(format!(
            "a part of the package `{package}` has no letter or digit in its name, and so no name in Rust"
        ))
        .in_file(loaded.place(file.name()))
        .at(Position::in_file(file, &[2]))
        .help("rename the package in the proto"),
    );
}

fn parts(package: &str) -> Vec<String> {
    Module::from_protobuf_package_name(package)
        .parts()
        .map(str::to_owned)
        .collect()
}

/// Files whose types all come from elsewhere, such as Google's well-known ones, make no module.
fn has_code(file: &FileDescriptorProto, options: &Options) -> bool {
    let scope = paths::of_package(file.package());
    let messages = file
        .message_type
        .iter()
        .map(prost_types::DescriptorProto::name);
    let enums = file
        .enum_type
        .iter()
        .map(prost_types::EnumDescriptorProto::name);
    let mut types = messages.chain(enums);
    !file.service.is_empty()
        || types.any(|name| !is_extern(&format!("{scope}.{name}"), &options.messages))
}
