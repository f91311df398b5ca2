//! What prost made, finished: documentation in place of its markers, and the lints that its code needs allowed.

use super::docs::spaced;
use super::{lints, literals};
use crate::docs::Docs;
use syn::parse_quote;
use syn::{Attribute, Expr, ExprLit, Fields, Item, Lit, Meta};

pub(super) fn finish(items: &mut [Item], docs: &Docs) {
    for item in items.iter_mut() {
        document(item, docs);
        if let Some(attributes) = attributes(item) {
            attributes.push(lints::of_others());
        }
    }
}

fn attributes(item: &mut Item) -> Option<&mut Vec<Attribute>> {
    match item {
        Item::Struct(item) => Some(&mut item.attrs),
        Item::Enum(item) => Some(&mut item.attrs),
        Item::Impl(item) => Some(&mut item.attrs),
        Item::Mod(item) => Some(&mut item.attrs),
        _ => None,
    }
}

fn document(item: &mut Item, docs: &Docs) {
    match item {
        Item::Struct(item) => {
            resolve(&mut item.attrs, docs);
            if let Fields::Named(fields) = &mut item.fields {
                for field in &mut fields.named {
                    resolve(&mut field.attrs, docs);
                }
            }
        }
        Item::Enum(item) => {
            resolve(&mut item.attrs, docs);
            for variant in &mut item.variants {
                resolve(&mut variant.attrs, docs);
                if let Some((_, value)) = &mut variant.discriminant {
                    literals::make_readable(value);
                }
            }
        }
        Item::Mod(item) => {
            for item in item.content.iter_mut().flat_map(|(_, items)| items) {
                document(item, docs);
            }
        }
        _ => {}
    }
}

/// Puts lines of documentation where a marker is.
fn resolve(attributes: &mut Vec<Attribute>, docs: &Docs) {
    let present = std::mem::take(attributes);
    for attribute in present {
        match text(&attribute).and_then(|text| docs.get(&text)) {
            Some(lines) => attributes.extend(lines.iter().map(|line| {
                let line = spaced(line);
                parse_quote!(#[doc = #line])
            })),
            None => attributes.push(attribute),
        }
    }
}

/// Of a `#[doc = "text"]`.
fn text(attribute: &Attribute) -> Option<String> {
    let Meta::NameValue(meta) = &attribute.meta else {
        return None;
    };
    match &meta.value {
        Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        }) if meta.path.is_ident("doc") => Some(text.value()),
        _ => None,
    }
}
