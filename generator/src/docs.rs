//! Documentation on its way through prost: comments leave the descriptors as markers, and come back where prost put those.
//!
//! prost has rules of its own for comments (it rewrites links and brackets, line by line). With markers, one place decides
//! what the documentation of messages, clients and servers looks like.

/// Letters and digits only: nothing that prost or Markdown would rewrite.
const MARKER: &str = "TonicCloudRunBuildDocs";

/// Safe Markdown, by the number in its marker.
#[derive(Debug, Default)]
pub(crate) struct Docs {
    texts: Vec<Vec<String>>,
}

impl Docs {
    /// The marker that stands for these lines from now on.
    pub(crate) fn put(&mut self, lines: Vec<String>) -> String {
        self.texts.push(lines);
        format!("{MARKER}{}", self.texts.len() - 1)
    }

    /// The lines that stand behind `text`, if that is a marker.
    pub(crate) fn get(&self, text: &str) -> Option<&[String]> {
        let number: usize = text.trim().strip_prefix(MARKER)?.parse().ok()?;
        self.texts.get(number).map(Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers_come_back_as_what_they_stand_for() {
        let mut docs = Docs::default();
        let first = docs.put(vec!["one".to_owned()]);
        let second = docs.put(vec!["two".to_owned(), String::new()]);
        assert_eq!(
            docs.get(&format!(" {first}")),
            Some(&["one".to_owned()][..])
        );
        assert_eq!(docs.get(&second).map(<[_]>::len), Some(2));
        assert_eq!(docs.get("one"), None);
        assert_eq!(docs.get("TonicCloudRunBuildDocs2"), None);
    }
}
