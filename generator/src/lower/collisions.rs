//! Names that protos tell apart and Rust does not: `Book` and `book`, `page_2` and `page2`. prost gives such things one name.

use super::is_extern;
use super::services::has_module;
use crate::error::Faults;
use crate::fault::{Fault, Position};
use crate::load::Loaded;
use crate::names;
use crate::options::Options;
use crate::paths;
use prost_build::Module;
use prost_types::{DescriptorProto, EnumDescriptorProto, FileDescriptorProto, MessageOptions};
use std::collections::BTreeMap;

const HELP: &str =
    "rename one of them in the proto, or take the type from elsewhere with `extern_path`";

const HELP_FOR_VALUES: &str = "rename one of them in the proto, or try `retain_enum_prefix`";

pub(super) fn check(
    files: &[FileDescriptorProto],
    loaded: &Loaded,
    options: &Options,
    faults: &mut Faults,
) {
    let mut modules: BTreeMap<Module, Scope> = BTreeMap::new();
    for file in files {
        let mut check = Check {
            file,
            place: loaded.place(file.name()),
            options,
            faults,
        };
        let scope = modules
            .entry(Module::from_protobuf_package_name(file.package()))
            .or_default();
        let path = paths::of_package(file.package());
        let items = Items {
            location: &[],
            messages: &file.message_type,
            messages_at: 4,
            enums: &file.enum_type,
            enums_at: 5,
        };
        check.items(scope, &path, &items);
    }
}

/// Rust names taken, and by what.
#[derive(Default)]
struct Scope {
    types: BTreeMap<String, String>,
    modules: BTreeMap<String, String>,
    others: BTreeMap<String, String>,
}

/// Messages and enums side by side, and where the descriptor that has them is.
struct Items<'a> {
    location: &'a [i32],
    messages: &'a [DescriptorProto],
    messages_at: i32,
    enums: &'a [EnumDescriptorProto],
    enums_at: i32,
}

struct Check<'a> {
    file: &'a FileDescriptorProto,
    place: String,
    options: &'a Options,
    faults: &'a mut Faults,
}

impl Check<'_> {
    /// What goes into one module.
    fn items(&mut self, scope: &mut Scope, path: &str, items: &Items<'_>) {
        for (index, message) in items.messages.iter().enumerate() {
            let is_entry = message
                .options
                .as_ref()
                .is_some_and(MessageOptions::map_entry);
            if !is_entry {
                self.message(
                    scope,
                    path,
                    &below(items.location, items.messages_at, index),
                    message,
                );
            }
        }
        for (index, of) in items.enums.iter().enumerate() {
            self.enumeration(
                scope,
                path,
                &below(items.location, items.enums_at, index),
                of,
            );
        }
    }

    fn message(
        &mut self,
        scope: &mut Scope,
        path: &str,
        location: &[i32],
        message: &DescriptorProto,
    ) {
        let path = format!("{path}.{}", message.name());
        if is_extern(&path, &self.options.messages) {
            return;
        }
        let what = format!("message `{}`", &path[1..]);
        self.claim(
            &mut scope.types,
            names::upper_camel(message.name()),
            &what,
            location,
        );
        if has_module(message) {
            self.claim(
                &mut scope.modules,
                names::snake(message.name()),
                &format!("the module of {what}"),
                location,
            );
        }

        let mut fields = Scope::default();
        let mut inside = Scope::default();
        self.oneofs(&mut fields, &mut inside, &path, location, message);
        for (index, field) in message.field.iter().enumerate() {
            if field.oneof_index.is_none() || field.proto3_optional() {
                let what = format!("field `{}`", field.name());
                self.claim(
                    &mut fields.others,
                    names::snake(field.name()),
                    &what,
                    &below(location, 2, index),
                );
            }
        }
        let items = Items {
            location,
            messages: &message.nested_type,
            messages_at: 3,
            enums: &message.enum_type,
            enums_at: 4,
        };
        self.items(&mut inside, &path, &items);
    }

    fn oneofs(
        &mut self,
        fields: &mut Scope,
        inside: &mut Scope,
        path: &str,
        location: &[i32],
        message: &DescriptorProto,
    ) {
        let nested = message.nested_type.iter().map(DescriptorProto::name);
        let nested: Vec<String> = nested
            .chain(message.enum_type.iter().map(EnumDescriptorProto::name))
            .map(names::upper_camel)
            .collect();
        for (index, oneof) in message.oneof_decl.iter().enumerate() {
            let number = i32::try_from(index).unwrap_or(i32::MAX);
            let members = || {
                message.field.iter().enumerate().filter(move |(_, field)| {
                    field.oneof_index == Some(number) && !field.proto3_optional()
                })
            };
            if members().next().is_none() {
                continue;
            }
            let at = below(location, 8, index);
            let what = format!("oneof `{}` of `{}`", oneof.name(), &path[1..]);
            self.claim(&mut fields.others, names::snake(oneof.name()), &what, &at);
            // prost's way out of a collision with a nested type.
            let mut name = names::upper_camel(oneof.name());
            if nested.contains(&name) {
                name.push_str("OneOf");
            }
            self.claim(&mut inside.types, name, &what, &at);
            let mut variants = Scope::default();
            for (index, field) in members() {
                let what = format!("field `{}` of the oneof", field.name());
                self.claim(
                    &mut variants.others,
                    names::upper_camel(field.name()),
                    &what,
                    &below(location, 2, index),
                );
            }
        }
    }

    fn enumeration(
        &mut self,
        scope: &mut Scope,
        path: &str,
        location: &[i32],
        of: &EnumDescriptorProto,
    ) {
        let path = format!("{path}.{}", of.name());
        if is_extern(&path, &self.options.messages) {
            return;
        }
        let name = names::upper_camel(of.name());
        self.claim(
            &mut scope.types,
            name.clone(),
            &format!("enum `{}`", &path[1..]),
            location,
        );
        let mut variants = Scope::default();
        let mut numbers = Vec::new();
        for (index, value) in of.value.iter().enumerate() {
            // Only the first of several names for a number becomes a variant.
            if numbers.contains(&value.number()) {
                continue;
            }
            numbers.push(value.number());
            let variant = names::enum_variant(
                &name,
                value.name(),
                !self.options.messages.retain_enum_prefix,
            );
            self.claim_or(
                &mut variants.others,
                variant,
                &format!("enum value `{}`", value.name()),
                &below(location, 2, index),
                HELP_FOR_VALUES,
            );
        }
    }

    fn claim(
        &mut self,
        taken: &mut BTreeMap<String, String>,
        name: String,
        what: &str,
        location: &[i32],
    ) {
        self.claim_or(taken, name, what, location, HELP);
    }

    fn claim_or(
        &mut self,
        taken: &mut BTreeMap<String, String>,
        name: String,
        what: &str,
        location: &[i32],
        help: &str,
    ) {
        let fault = if name.is_empty() {
            format!("{what} has no letter or digit in its name, and so no name in Rust")
        } else if let Some(first) = taken.get(&name) {
            format!("{what} and {first} would both be called `{name}` in Rust")
        } else {
            taken.insert(name, what.to_owned());
            return;
        };
        self.faults.push(
            Fault::new(fault)
                .in_file(self.place.clone())
                .at(Position::in_file(self.file, location))
                .help(help),
        );
    }
}

fn below(location: &[i32], number: i32, index: usize) -> Vec<i32> {
    [
        location,
        &[number, i32::try_from(index).unwrap_or(i32::MAX)],
    ]
    .concat()
}
