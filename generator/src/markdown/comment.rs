//! What people put around and into comments that is not meant to be read.

/// The text of a comment: no control characters, no decoration, no indentation that all lines share.
pub(super) fn normalise(comment: &str) -> String {
    let printable: String = comment
        .replace('\t', "    ")
        .chars()
        .filter(|character| *character == '\n' || !is_invisible(*character))
        .collect();
    // `/**` starts a comment as well as `/*` does.
    let text = printable.strip_prefix('*').unwrap_or(&printable);
    let mut lines: Vec<&str> = Vec::new();
    for line in text.lines().map(str::trim_end) {
        let above = lines.last().copied().unwrap_or_default();
        if !is_banner(line, above) {
            lines.push(line);
        }
    }
    // `/// ` is a comment with a slash in front.
    let slashes = |line: &&str| line.is_empty() || line.starts_with('/');
    if lines.iter().all(slashes) {
        lines = lines
            .iter()
            .map(|line| line.trim_start_matches('/'))
            .collect();
    }
    // The first line may follow `/*` closely; those below have a space then.
    let shared = shared_indent(lines.iter().skip(1).copied());
    let first = lines.first().map_or(0, |line| indent(line));
    let dedent = shared.min(if first == 0 { 1 } else { first });
    let dedented = lines.iter().enumerate().map(|(index, line)| {
        let width = if index == 0 && first < dedent {
            first
        } else {
            dedent
        };
        line.get(width..).unwrap_or_default()
    });
    let text: Vec<&str> = match lines.len() {
        1 => lines.iter().map(|line| line.trim_start()).collect(),
        _ => dedented.collect(),
    };
    text.join("\n")
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

fn shared_indent<'a>(lines: impl Iterator<Item = &'a str>) -> usize {
    lines
        .filter(|line| !line.is_empty())
        .map(indent)
        .min()
        .unwrap_or(0)
}

/// A line that only parts or frames: `//////////`, or `=====` that underlines nothing.
fn is_banner(line: &str, above: &str) -> bool {
    let line = line.trim();
    let made_of =
        |marks: &str| line.len() > 2 && line.chars().all(|character| marks.contains(character));
    made_of("/") || (above.trim().is_empty() && made_of("=*#-+"))
}

/// Control characters, which no doc comment may contain, and those that change the direction of text, which the compiler refuses.
fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}' | '\u{feff}')
}
