//! The comments of protos, as documentation: each turned into safe Markdown, and made up where there is none, so that code
//! that includes the generated code can ask for documentation of everything.

use crate::docs::Docs;
use crate::markdown;
use crate::options::Options;
use crate::paths;
use prost_types::source_code_info::Location;
use prost_types::{DescriptorProto, EnumDescriptorProto, FileDescriptorProto, SourceCodeInfo};
use std::collections::BTreeMap;

/// Field numbers in the descriptors of descriptors, which paths in source code information are made of.
mod number {
    pub(super) const FILE_MESSAGE: i32 = 4;
    pub(super) const FILE_ENUM: i32 = 5;
    pub(super) const FILE_SERVICE: i32 = 6;
    pub(super) const MESSAGE_FIELD: i32 = 2;
    pub(super) const MESSAGE_NESTED: i32 = 3;
    pub(super) const MESSAGE_ENUM: i32 = 4;
    pub(super) const MESSAGE_ONEOF: i32 = 8;
    pub(super) const ENUM_VALUE: i32 = 2;
    pub(super) const SERVICE_METHOD: i32 = 2;
}

/// The comments of a file, by path.
pub(super) struct Comments {
    texts: BTreeMap<Vec<i32>, [String; 2]>,
}

impl Comments {
    pub(super) fn of(file: &FileDescriptorProto) -> Self {
        let locations = file.source_code_info.iter().flat_map(|info| &info.location);
        Self {
            texts: locations
                .map(|location| (location.path.clone(), texts(location)))
                .collect(),
        }
    }

    pub(super) fn of_service(&self, service: usize) -> Vec<String> {
        self.at(&[number::FILE_SERVICE, index(service)])
    }

    pub(super) fn of_method(&self, service: usize, method: usize) -> Vec<String> {
        self.at(&[
            number::FILE_SERVICE,
            index(service),
            number::SERVICE_METHOD,
            index(method),
        ])
    }

    /// As safe Markdown: what stands before, then what stands behind. What one leaves open does not swallow the other.
    fn at(&self, path: &[i32]) -> Vec<String> {
        let Some(texts) = self.texts.get(path) else {
            return Vec::new();
        };
        let parts = texts.iter().map(|text| markdown::from_comment(text));
        let parts: Vec<_> = parts.filter(|lines| !lines.is_empty()).collect();
        parts.join(&String::new())
    }
}

fn texts(location: &Location) -> [String; 2] {
    [location.leading_comments(), location.trailing_comments()].map(str::to_owned)
}

/// Paths count in `i32`, and so does whoever makes descriptors: there are no more items than that in a file of 2 GiB.
fn index(index: usize) -> i32 {
    i32::try_from(index).unwrap_or(i32::MAX)
}

/// Puts a marker where there is or could be a comment on a message, an enum or a part of one.
pub(super) fn replace(files: &mut [FileDescriptorProto], options: &Options, docs: &mut Docs) {
    for file in files {
        let mut walk = Walk {
            comments: Comments::of(file),
            options,
            docs,
            locations: Vec::new(),
        };
        let scope = paths::of_package(file.package());
        for (position, message) in file.message_type.iter().enumerate() {
            walk.message(&[number::FILE_MESSAGE, index(position)], &scope, message);
        }
        for (position, of) in file.enum_type.iter().enumerate() {
            walk.enumeration(&[number::FILE_ENUM, index(position)], &scope, of);
        }
        for (position, service) in file.service.iter().enumerate() {
            // prost looks for these too; their documentation takes another way.
            let path = [number::FILE_SERVICE, index(position)];
            walk.place(&path, None);
            for method in 0..service.method.len() {
                walk.place(&extend(&path, number::SERVICE_METHOD, method), None);
            }
        }
        let location = walk.locations;
        file.source_code_info = Some(SourceCodeInfo { location });
    }
}

struct Walk<'a> {
    comments: Comments,
    options: &'a Options,
    docs: &'a mut Docs,
    locations: Vec<Location>,
}

impl Walk<'_> {
    fn message(&mut self, path: &[i32], scope: &str, message: &DescriptorProto) {
        let name = format!("{scope}.{}", message.name());
        self.document(path, &name, &format!("The message `{}`.", &name[1..]));
        for (position, field) in message.field.iter().enumerate() {
            self.document(
                &extend(path, number::MESSAGE_FIELD, position),
                &format!("{name}.{}", field.name()),
                &format!("The field `{}`.", field.name()),
            );
        }
        for (position, oneof) in message.oneof_decl.iter().enumerate() {
            self.document(
                &extend(path, number::MESSAGE_ONEOF, position),
                &format!("{name}.{}", oneof.name()),
                &format!("The oneof `{}`.", oneof.name()),
            );
        }
        for (position, nested) in message.nested_type.iter().enumerate() {
            self.message(
                &extend(path, number::MESSAGE_NESTED, position),
                &name,
                nested,
            );
        }
        for (position, nested) in message.enum_type.iter().enumerate() {
            self.enumeration(&extend(path, number::MESSAGE_ENUM, position), &name, nested);
        }
    }

    fn enumeration(&mut self, path: &[i32], scope: &str, of: &EnumDescriptorProto) {
        let name = format!("{scope}.{}", of.name());
        self.document(path, &name, &format!("The enum `{}`.", &name[1..]));
        for (position, value) in of.value.iter().enumerate() {
            self.document(
                &extend(path, number::ENUM_VALUE, position),
                &format!("{name}.{}", value.name()),
                &format!("The value `{}`.", value.name()),
            );
        }
    }

    fn document(&mut self, path: &[i32], name: &str, otherwise: &str) {
        let mut lines = if paths::any_matches(&self.options.disable_comments, name) {
            Vec::new()
        } else {
            self.comments.at(path)
        };
        if lines.is_empty() {
            lines.push(otherwise.to_owned());
        }
        let marker = self.docs.put(lines);
        self.place(path, Some(marker));
    }

    fn place(&mut self, path: &[i32], comment: Option<String>) {
        self.locations.push(Location {
            path: path.to_vec(),
            leading_comments: comment,
            ..Location::default()
        });
    }
}

fn extend(path: &[i32], number: i32, position: usize) -> Vec<i32> {
    [path, &[number, index(position)]].concat()
}
