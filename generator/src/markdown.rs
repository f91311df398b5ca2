//! Comments of protos → Markdown that rustdoc takes without a warning and runs nothing of.

/// Line by line, without empty lines at its ends.
pub(crate) fn from_comment(comment: &str) -> Vec<String> {
    comment.trim().lines().map(|line| line.trim().to_owned()).collect()
}
