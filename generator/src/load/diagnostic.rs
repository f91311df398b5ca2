//! protox's errors as faults: all of them, not just the first that its text shows.

use super::disk::Disk;
use crate::editions;
use crate::fault::{Fault, Position};
use miette::{Diagnostic, LabeledSpan, SourceCode};

/// At least one.
pub(super) fn faults(error: &protox::Error, disk: &Disk) -> Vec<Fault> {
    let diagnostic: &dyn Diagnostic = error;
    let source = diagnostic.source_code();
    let place = error.file().map(|name| disk.place(name));
    let all = std::iter::once(diagnostic).chain(diagnostic.related().into_iter().flatten());
    let mut faults = Vec::new();
    for each in all {
        let message = message(each);
        if editions::is_syntax_error_of_editions(&message) {
            // What follows is the parser's confusion.
            return vec![editions::fault(place, position(each, source))];
        }
        let mut fault = Fault::new(message).at(position(each, source));
        if let Some(place) = &place {
            fault = fault.in_file(place.clone());
        }
        if let Some(help) = each.help() {
            fault = fault.help(help.to_string());
        }
        faults.push(fault);
    }
    faults
}

/// With the operating system's reason, where there is one.
fn message(diagnostic: &dyn Diagnostic) -> String {
    let message = diagnostic.to_string();
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
