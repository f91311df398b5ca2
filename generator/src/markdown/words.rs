//! Plain text: escaped, with names and addresses set off as rustdoc and clippy want them to be.

use super::inline::code_span;

/// Text that Markdown takes for nothing but text. Names that only code has become code, bare addresses become links.
pub(super) fn escape(text: &str, in_link: bool) -> String {
    // A backtick in text is a stray one: of a pair, code would have been made.
    let text = text.replace('`', "'");
    let mut escaped = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let space = rest.len() - rest.trim_start().len();
        let (spaces, words) = rest.split_at(space);
        escaped.push_str(spaces);
        let end = words.find(char::is_whitespace).unwrap_or(words.len());
        let (word, after) = words.split_at(end);
        escaped.push_str(&escape_word(word, in_link));
        rest = after;
    }
    escaped
}

/// The text of a link that leads nowhere: to another proto, most likely.
pub(super) fn name_or_text(text: &str) -> String {
    let name = !text.is_empty()
        && text
            .chars()
            .all(|character| character.is_alphanumeric() || ".\\_".contains(character));
    if name {
        code_span(&text.replace('\\', ""))
    } else {
        text.to_owned()
    }
}

fn escape_word(word: &str, in_link: bool) -> String {
    if let Some(start) = address(word) {
        let (before, from) = word.split_at(start);
        let length = from
            .find(|character| "<>\"`|\\^".contains(character))
            .unwrap_or(from.len());
        let url =
            balanced(from[..length].trim_end_matches(|character| ".,;:!?'*_".contains(character)));
        let after = &from[url.len()..];
        let link = if in_link {
            escape_characters(url)
        } else if url.contains(['{', '}', '[', ']', '*', '$']) || url.ends_with("//") {
            // A pattern of addresses is none.
            code_span(url)
        } else {
            format!("<{url}>")
        };
        return format!(
            "{}{link}{}",
            escape_characters(before),
            escape_word(after, in_link)
        );
    }
    let core = word
        .trim_matches(|character: char| !character.is_alphanumeric() && !"_:".contains(character));
    let core = core.trim_matches(':');
    let core = core
        .strip_suffix("'s")
        .or(core.strip_suffix("’s"))
        .unwrap_or(core);
    let core = match word.find(core) {
        // `call()` is a name with its parentheses.
        Some(at) if word[at + core.len()..].starts_with("()") => &word[at..at + core.len() + 2],
        _ => core,
    };
    match word.split_once(core) {
        Some((before, after)) if is_name(core) => {
            format!(
                "{}{}{}",
                escape_characters(before),
                code_span(core),
                escape_characters(after)
            )
        }
        _ => escape_characters(word),
    }
}

/// Where an address of the web starts.
fn address(word: &str) -> Option<usize> {
    let lower = word.to_ascii_lowercase();
    [lower.find("https://"), lower.find("http://")]
        .into_iter()
        .flatten()
        .min()
}

/// `(see https://example.com/a)` has a parenthesis that is not the address's.
fn balanced(mut url: &str) -> &str {
    for (open, close) in [('(', ')'), ('[', ']'), ('{', '}')] {
        while url.ends_with(close) && url.matches(close).count() > url.matches(open).count() {
            url = url.trim_end_matches('.');
            url = &url[..url.len() - close.len_utf8()];
        }
    }
    url
}

/// What clippy's `doc_markdown` takes for a name out of code.
fn is_name(word: &str) -> bool {
    let has_underscore = word.contains('_') && !word.trim_matches('_').is_empty();
    has_underscore || word.contains("::") || word.ends_with("()") || is_camel_case(word)
}

/// Words of everyday language, as clippy has them.
const NO_CODE: &[&str] = &[
    "DevOps",
    "GitHub",
    "GitLab",
    "GraphQL",
    "IPv4",
    "IPv6",
    "JavaScript",
    "LaTeX",
    "NaN",
    "OAuth",
    "OpenSSL",
    "OpenTelemetry",
    "PowerShell",
    "TensorFlow",
    "TypeScript",
    "WebAssembly",
    "WebSocket",
];

fn is_camel_case(word: &str) -> bool {
    if NO_CODE.contains(&word) {
        return false;
    }
    let singular = word.strip_suffix('s').unwrap_or(word);
    singular.starts_with(char::is_uppercase)
        && singular.chars().all(char::is_alphanumeric)
        && singular
            .chars()
            .filter(|character| character.is_uppercase())
            .count()
            > 1
        && singular.chars().any(char::is_lowercase)
}

fn escape_characters(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\\' | '*' | '_' | '[' | ']' | '<' | '>' | '~' | '&' => {
                escaped.push('\\');
                escaped.push(character);
            }
            other => escaped.push(other),
        }
    }
    escaped
}
