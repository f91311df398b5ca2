//! protox's errors as faults: all of them, not just the first that its text shows.

use super::disk::Disk;
use crate::editions;
use crate::fault::{Fault, Position};
use miette::{Diagnostic, LabeledSpan, SourceCode};
use protox::prost_reflect::DescriptorError;

/// Of a file on disk. At least one.
pub(super) fn faults(error: &protox::Error, disk: &Disk) -> Vec<Fault> {
    all(error, error.file().map(|name| disk.place(name)))
}

/// Of a file in a descriptor set, whose source is not at hand. At least one.
pub(super) fn in_set(error: &DescriptorError, file: &str) -> Vec<Fault> {
    let mut faults = all(error, Some(file.to_owned()));
    let position = error
        .line()
        .zip(error.column())
        .map(|(line, column)| Position {
            line: line + 1,
            column: column + 1,
        });
    if let Some(first) = faults.first_mut() {
        *first = first.clone().at(position);
    }
    faults
}

fn all(first: &dyn Diagnostic, place: Option<String>) -> Vec<Fault> {
    let source = first.source_code();
    let mut faults = Vec::new();
    for each in std::iter::once(first).chain(first.related().into_iter().flatten()) {
        let message = message(each);
        if editions::is_syntax_error_of_editions(&message) {
            // What follows is the parser's confusion.
            return vec![editions::fault(place, position(each, source))];
        }
        let help = each
            .help()
            .map(|help| help.to_string())
            .or_else(|| help(&message));
        let mut fault = Fault::new(message).at(position(each, source));
        if let Some(place) = &place {
            fault = fault.in_file(place.clone());
        }
        if let Some(help) = help {
            fault = fault.help(help);
        }
        faults.push(fault);
    }
    faults
}

/// What to do about the most common faults, where protox does not say it.
fn help(message: &str) -> Option<String> {
    let help = if message.ends_with("is not defined") {
        match well_known(message) {
            Some(file) => return Some(format!("add `import \"{file}\";`")),
            None => "correct its spelling, define it, or import the file that does",
        }
    } else if message.contains("is defined twice") || message.contains("is already defined") {
        "rename or remove one of them; a file that is found by two names is read twice"
    } else if message.starts_with("camel-case name") {
        "rename one of them: they would be the same in JSON"
    } else if message.starts_with("import cycle") {
        "move what the files share into one that imports none of them"
    } else if message.ends_with("is not valid utf-8") {
        "save it as UTF-8"
    } else {
        return None;
    };
    Some(help.to_owned())
}

/// The file of a well-known type that a message mentions.
fn well_known(message: &str) -> Option<&'static str> {
    let name = message
        .split('\'')
        .nth(1)?
        .trim_start_matches('.')
        .strip_prefix("google.protobuf.")?;
    Some(match name {
        "Any" => "google/protobuf/any.proto",
        "Duration" => "google/protobuf/duration.proto",
        "Empty" => "google/protobuf/empty.proto",
        "FieldMask" => "google/protobuf/field_mask.proto",
        "Timestamp" => "google/protobuf/timestamp.proto",
        "Struct" | "Value" | "ListValue" | "NullValue" => "google/protobuf/struct.proto",
        wrapper if wrapper.ends_with("Value") => "google/protobuf/wrappers.proto",
        _ => return None,
    })
}

/// With the operating system's reason, where there is one.
fn message(diagnostic: &dyn Diagnostic) -> String {
    // protox names the name where it was written, and it was not.
    let message = diagnostic
        .to_string()
        .replace("with JSON name ''", "with this JSON name");
    match diagnostic.source() {
        Some(cause) if !message.contains(&cause.to_string()) => format!("{message}: {cause}"),
        _ => message,
    }
}

fn position(diagnostic: &dyn Diagnostic, outer: Option<&dyn SourceCode>) -> Option<Position> {
    let source = diagnostic.source_code().or(outer)?;
    let labels: Vec<LabeledSpan> = diagnostic.labels()?.collect();
    let offset = wrong_place(&labels)?.offset();
    let text = source.read_span(&(0, offset).into(), 0, 0).ok()?;
    let before = std::str::from_utf8(text.data()).ok()?;
    Some(Position::after(before))
}

/// Some faults point at two places, what was first and what is wrong with it.
fn wrong_place(labels: &[LabeledSpan]) -> Option<&LabeledSpan> {
    let wrong = |label: &&LabeledSpan| {
        label.label().is_some_and(|text| {
            text.contains("found") || text.contains("again") || text.contains("used")
        })
    };
    labels.iter().find(wrong).or(labels.last())
}
