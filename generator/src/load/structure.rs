//! Whether a descriptor is one at all. protoc and protox make no others, but anyone can write a descriptor set, and prost takes
//! what is in it for granted.

use crate::editions;
use crate::error::Faults;
use crate::fault::{Fault, Position};
use prost_types::field_descriptor_proto::Type;
use prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto,
    MessageOptions, ServiceDescriptorProto,
};

pub(super) fn check(file: &FileDescriptorProto, faults: &mut Faults) {
    let mut check = Check { file, faults };
    if file.name().is_empty() {
        check.fault(&[], "a file of the descriptor set has no name".to_owned());
    }
    if !editions::is_known_syntax(file.syntax.as_deref()) {
        check
            .faults
            .push(editions::fault(Some(file.name().to_owned()), None));
    }
    if !file.package().is_empty() {
        for part in file.package().split('.') {
            check.name(&[2], "package", part);
        }
    }
    for (index, message) in (0..).zip(&file.message_type) {
        check.message(&[4, index], message);
    }
    for (index, of) in (0..).zip(&file.enum_type) {
        check.enumeration(&[5, index], of);
    }
    for (index, service) in (0..).zip(&file.service) {
        check.service(&[6, index], service);
    }
}

struct Check<'a> {
    file: &'a FileDescriptorProto,
    faults: &'a mut Faults,
}

impl Check<'_> {
    fn message(&mut self, path: &[i32], message: &DescriptorProto) {
        self.name(path, "message", message.name());
        for (index, field) in (0..).zip(&message.field) {
            self.field(&below(path, 2, index), message, field);
        }
        for (index, oneof) in (0..).zip(&message.oneof_decl) {
            self.name(&below(path, 8, index), "oneof", oneof.name());
        }
        for (index, of) in (0..).zip(&message.enum_type) {
            self.enumeration(&below(path, 4, index), of);
        }
        for (index, nested) in (0..).zip(&message.nested_type) {
            let path = below(path, 3, index);
            self.message(&path, nested);
            if is_map_entry(nested) && !has_key_and_value(nested) {
                self.fault(
                    &path,
                    format!(
                        "the map entry '{}' is not made of a key and a value",
                        nested.name()
                    ),
                );
            }
        }
    }

    fn field(&mut self, path: &[i32], message: &DescriptorProto, field: &FieldDescriptorProto) {
        self.name(path, "field", field.name());
        let is_named = matches!(
            field.r#type.and_then(|number| Type::try_from(number).ok()),
            Some(Type::Message | Type::Group | Type::Enum)
        );
        if field.r#type.is_none() || is_named != field.type_name.is_some() {
            self.fault(
                path,
                format!("the type of field '{}' is not given", field.name()),
            );
        }
        let oneofs = message.oneof_decl.len();
        let in_range = |index: i32| usize::try_from(index).is_ok_and(|index| index < oneofs);
        if field.oneof_index.is_some_and(|index| !in_range(index)) {
            self.fault(
                path,
                format!("field '{}' is in a oneof that does not exist", field.name()),
            );
        }
    }

    fn enumeration(&mut self, path: &[i32], of: &EnumDescriptorProto) {
        self.name(path, "enum", of.name());
        for (index, value) in (0..).zip(&of.value) {
            self.name(&below(path, 2, index), "enum value", value.name());
        }
    }

    fn service(&mut self, path: &[i32], service: &ServiceDescriptorProto) {
        self.name(path, "service", service.name());
        for (index, rpc) in (0..).zip(&service.method) {
            let path = below(path, 2, index);
            self.name(&path, "rpc", rpc.name());
            if rpc.input_type().is_empty() || rpc.output_type().is_empty() {
                self.fault(
                    &path,
                    format!("rpc '{}' lacks a request or a response", rpc.name()),
                );
            }
        }
    }

    fn name(&mut self, path: &[i32], what: &str, name: &str) {
        let mut characters = name.chars();
        let starts = characters
            .next()
            .is_some_and(|first| first.is_ascii_alphabetic() || first == '_');
        if !starts || !characters.all(|other| other.is_ascii_alphanumeric() || other == '_') {
            self.fault(path, format!("'{name}' is not a valid {what} name"));
        }
    }

    fn fault(&mut self, path: &[i32], message: String) {
        let fault = Fault::new(message).at(Position::in_file(self.file, path));
        self.faults.push(match self.file.name() {
            "" => fault,
            name => fault.in_file(name),
        });
    }
}

fn is_map_entry(message: &DescriptorProto) -> bool {
    message
        .options
        .as_ref()
        .is_some_and(MessageOptions::map_entry)
}

fn has_key_and_value(entry: &DescriptorProto) -> bool {
    let names: Vec<&str> = entry.field.iter().map(FieldDescriptorProto::name).collect();
    names == ["key", "value"]
}

fn below(path: &[i32], number: i32, index: i32) -> Vec<i32> {
    [path, &[number, index]].concat()
}
