//! The query string of a token request.

/// The decoded value of `name` in `query` (`application/x-www-form-urlencoded`), if it is there.
pub(super) fn parameter(query: &str, name: &str) -> Option<String> {
    query
        .split('&')
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .find(|(key, _)| decode(key) == name)
        .map(|(_, value)| decode(value))
}

fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let escaped = (byte == b'%')
            .then(|| bytes.get(at + 1..at + 3))
            .flatten()
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        at += if escaped.is_some() { 3 } else { 1 };
        decoded.push(match (escaped, byte) {
            (Some(escaped), _) => escaped,
            (None, b'+') => b' ',
            (None, byte) => byte,
        });
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use super::parameter;

    #[test]
    fn values_are_found_and_decoded() {
        let query =
            "format=full&audience=https%3A%2F%2Fa.run.app&empty=&bare&plus=a+b&odd=100%&%66=x";
        for (name, value) in [
            ("audience", Some("https://a.run.app")),
            ("format", Some("full")),
            ("empty", Some("")),
            ("bare", Some("")),
            ("plus", Some("a b")),
            ("odd", Some("100%")),
            ("f", Some("x")),
            ("aud", None),
        ] {
            assert_eq!(parameter(query, name).as_deref(), value, "{name}");
        }
        assert_eq!(parameter("a=%+1&b=%ff", "a").as_deref(), Some("% 1"));
    }
}
