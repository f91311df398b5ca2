//! Attributes that the user asked for.

use crate::model::Service;
use crate::options::Attribute;
use crate::paths;
use proc_macro2::TokenStream;

/// For a struct or trait of `service`.
pub(super) fn of_service<'a>(
    wanted: &'a [Attribute],
    service: &Service,
) -> impl Iterator<Item = &'a str> {
    let path = format!(".{}", service.full_name());
    select(wanted, move |pattern| paths::matches(pattern, &path))
}

/// For a module: it can be named by its package as well as by its service.
pub(super) fn of_module<'a>(
    wanted: &'a [Attribute],
    service: &Service,
) -> impl Iterator<Item = &'a str> {
    let path = format!(".{}", service.full_name());
    let package = paths::of_package(&service.package);
    select(wanted, move |pattern| {
        paths::matches(pattern, &path) || paths::matches(pattern, &package)
    })
}

fn select(wanted: &[Attribute], chosen: impl Fn(&str) -> bool) -> impl Iterator<Item = &str> {
    wanted
        .iter()
        .filter(move |(pattern, _)| chosen(pattern))
        .map(|(_, attribute)| attribute.as_str())
}

/// They were parsed when they were lowered, so they lex.
pub(super) fn tokens<'a>(attributes: impl Iterator<Item = &'a str>) -> TokenStream {
    attributes
        .filter_map(|text| text.parse::<TokenStream>().ok())
        .collect()
}
