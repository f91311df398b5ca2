//! Numbers written so that they can be read: prost's derive copies an enum's into code of its own, outside of what the enum's
//! attributes cover, where clippy looks at them.

use proc_macro2::Span;
use syn::{Expr, ExprLit, Lit, LitInt};

/// Digits and underscores, a digit first, are a number: making one of them cannot fail. `2147483647` → `2_147_483_647`.
pub(super) fn make_readable(expression: &mut Expr) {
    match expression {
        Expr::Unary(negative) => make_readable(&mut negative.expr),
        Expr::Lit(ExprLit {
            lit: Lit::Int(number),
            ..
        }) if number.base10_digits().len() > 5 => {
            *number = LitInt::new(&grouped(number.base10_digits()), Span::call_site());
        }
        _ => {}
    }
}

fn grouped(digits: &str) -> String {
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push('_');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::ToTokens;

    #[test]
    fn long_numbers_are_grouped() {
        for (number, expected) in [
            ("12345", "12345"),
            ("123456", "123_456"),
            ("-2147483648", "- 2_147_483_648"),
            ("0", "0"),
        ] {
            let mut expression: Expr = syn::parse_str(number).unwrap();
            make_readable(&mut expression);
            assert_eq!(expression.to_token_stream().to_string(), expected);
        }
    }
}
