//! Messages that contain themselves. prost boxes the fields that close such a circle, but looks through messages only: one
//! that goes through a group it misses.

use crate::paths;
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, FieldDescriptorProto, FileDescriptorProto};
use std::collections::{BTreeMap, BTreeSet};

/// The paths of the fields that prost does not box by itself.
pub(super) fn to_box(files: &[FileDescriptorProto]) -> Vec<String> {
    let mut fields = Vec::new();
    for file in files {
        let scope = paths::of_package(file.package());
        for message in &file.message_type {
            collect(&scope, message, &mut fields);
        }
    }
    if fields.iter().all(|field| !field.is_group) {
        return Vec::new();
    }
    let mut targets: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for field in &fields {
        targets.entry(&field.owner).or_default().push(&field.target);
    }
    let in_circle = fields
        .iter()
        .filter(|field| reaches(&targets, &field.target, &field.owner));
    in_circle.map(|field| field.path.clone()).collect()
}

/// A field that holds one message or group.
struct Holder {
    path: String,
    owner: String,
    target: String,
    is_group: bool,
}

fn collect(scope: &str, message: &DescriptorProto, fields: &mut Vec<Holder>) {
    let owner = format!("{scope}.{}", message.name());
    let held = message.field.iter().filter(|field| {
        matches!(field.r#type(), Type::Message | Type::Group) && field.label() != Label::Repeated
    });
    fields.extend(held.map(|field| Holder {
        path: path(&owner, message, field),
        owner: owner.clone(),
        target: field.type_name().to_owned(),
        is_group: field.r#type() == Type::Group,
    }));
    for nested in &message.nested_type {
        collect(&owner, nested, fields);
    }
}

/// As `Config::boxed` wants it: a field of a oneof is below the oneof.
fn path(owner: &str, message: &DescriptorProto, field: &FieldDescriptorProto) -> String {
    let oneof = field
        .oneof_index
        .filter(|_| !field.proto3_optional())
        .and_then(|index| message.oneof_decl.get(usize::try_from(index).ok()?));
    match oneof {
        Some(oneof) => format!("{owner}.{}.{}", oneof.name(), field.name()),
        None => format!("{owner}.{}", field.name()),
    }
}

fn reaches(targets: &BTreeMap<&str, Vec<&str>>, from: &str, to: &str) -> bool {
    let mut seen = BTreeSet::new();
    let mut next = vec![from];
    while let Some(message) = next.pop() {
        if message == to {
            return true;
        }
        if seen.insert(message) {
            next.extend(targets.get(message).into_iter().flatten());
        }
    }
    false
}
