//! What is refused, and in what words: the exact text of every error is in `reject/*.txt`. `BLESS=1 cargo test -p tests` writes it anew.

// Tests panic.
#![allow(clippy::unwrap_used)]

mod descriptor_sets;
mod options;
mod places;
mod protos;

use std::path::{Path, PathBuf};
use tonic_cloud_run_build::{Builder, Error, configure};

/// Something that must fail.
type Attempt = fn(&Folder) -> Result<(), Error>;

#[test]
fn errors_say_what_they_should() {
    let tables = [
        protos::ATTEMPTS,
        places::ATTEMPTS,
        options::ATTEMPTS,
        descriptor_sets::ATTEMPTS,
    ];
    let mut wrong = Vec::new();
    for (name, attempt) in tables.into_iter().flatten() {
        let folder = Folder::new();
        match attempt(&folder) {
            Ok(()) => wrong.push(format!("{name}: was not refused")),
            Err(error) => wrong.extend(compare(name, &folder.anonymous(&error))),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn debug_and_display_are_one() {
    let error = protos::compile(&Folder::new(), "reject/syntax").unwrap_err();
    assert_eq!(format!("{error:?}"), error.to_string());
}

#[test]
fn faults_can_be_taken_apart() {
    let error = protos::compile(&Folder::new(), "reject/unknown_type").unwrap_err();
    let fault = &error.faults()[0];
    assert_eq!(fault.file(), Some("reject/unknown_type/library.proto"));
    assert_eq!((fault.line(), fault.column()), (Some(6), Some(40)));
    assert_eq!(fault.message(), "name 'Bok' is not defined");
}

/// Compares with what is expected, or makes it so.
fn compare(name: &str, text: &str) -> Option<String> {
    let path = PathBuf::from(format!("reject/{name}.txt"));
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    (expected != text).then(|| format!("{name}: expected\n{expected}\nbut it was\n{text}"))
}

/// Where an attempt writes to.
struct Folder {
    folder: tempfile::TempDir,
}

impl Folder {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn builder(&self) -> Builder {
        configure()
            .out_dir(self.path())
            .emit_rerun_if_changed(false)
    }

    /// Without what differs between machines.
    fn anonymous(&self, error: &Error) -> String {
        let here = std::env::current_dir().unwrap();
        format!("{error}\n")
            .replace(&self.path().display().to_string(), "{out_dir}")
            .replace(&here.display().to_string(), "{here}")
    }
}
