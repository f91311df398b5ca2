//! Paths of protobuf names, `.bookstore.v1.Book.title`, and the patterns that options match them with.

/// `.bookstore.v1`, or nothing without a package.
pub(crate) fn of_package(package: &str) -> String {
    let package = package.trim_matches('.');
    if package.is_empty() {
        String::new()
    } else {
        format!(".{package}")
    }
}

/// prost's rule: `.` matches all; a pattern with a dot in front matches what it names and everything below; one without
/// matches by its end.
///
/// `path` starts with a dot.
pub(crate) fn matches(pattern: &str, path: &str) -> bool {
    let below = |rest: &str| rest.is_empty() || rest.starts_with('.');
    match pattern.strip_prefix('.') {
        Some("") => true,
        Some(_) => path.strip_prefix(pattern).is_some_and(below),
        None if pattern.is_empty() => false,
        None => path
            .strip_suffix(pattern)
            .is_some_and(|front| front.ends_with('.')),
    }
}

pub(crate) fn any_matches(patterns: &[String], path: &str) -> bool {
    patterns.iter().any(|pattern| matches(pattern, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_prosts_do() {
        for (pattern, path, expected) in [
            (".", ".a.B", true),
            (".a", ".a.B", true),
            (".a.B", ".a.B", true),
            (".a.B", ".a.Bc", false),
            (".a", ".ab.C", false),
            ("B", ".a.B", true),
            ("a.B", ".a.B", true),
            ("B", ".a.AB", false),
            ("a", ".a.B", false),
            ("", ".a.B", false),
        ] {
            assert_eq!(matches(pattern, path), expected, "{pattern} on {path}");
        }
    }

    #[test]
    fn packages_may_be_missing() {
        assert_eq!(of_package(""), "");
        assert_eq!(of_package("a.b"), ".a.b");
    }
}
