//! Lines of documentation → `#[doc]` attributes.

use proc_macro2::TokenStream;
use quote::quote;

/// An attribute a line, which is printed as a `///` comment.
pub(super) fn attributes(lines: &[String]) -> TokenStream {
    let lines = lines.iter().map(|line| spaced(line));
    quote!(#(#[doc = #lines])*)
}

/// As people write them: a space behind the slashes, but none at the end.
pub(super) fn spaced(line: &str) -> String {
    if line.is_empty() {
        String::new()
    } else {
        format!(" {line}")
    }
}

/// `lines`, or what they are by default, and more paragraphs.
pub(super) fn with(lines: &[String], otherwise: &str, more: &[&str]) -> Vec<String> {
    let mut all = lines.to_vec();
    if all.is_empty() {
        all.push(otherwise.to_owned());
    }
    for paragraph in more {
        all.push(String::new());
        all.extend(paragraph.lines().map(str::to_owned));
    }
    all
}
