//! Protos that are wrong in themselves, a folder each.

use crate::{Attempt, Folder};
use std::path::PathBuf;
use tonic_cloud_run_build::Error;

pub(crate) const ATTEMPTS: &[(&str, Attempt)] = &[
    ("syntax", |folder| compile(folder, "reject/syntax")),
    ("missing_import", |folder| {
        compile(folder, "reject/missing_import")
    }),
    ("unknown_type", |folder| {
        compile(folder, "reject/unknown_type")
    }),
    ("twice", |folder| compile(folder, "reject/twice")),
    ("editions", |folder| compile(folder, "reject/editions")),
    ("circle", |folder| compile(folder, "reject/circle")),
    ("broken_import", |folder| {
        compile(folder, "reject/broken_import")
    }),
    ("collisions", |folder| compile(folder, "reject/collisions")),
    ("not_utf8", |folder| compile(folder, "reject/not_utf8")),
];

/// All protos in a folder, in the order of their names.
pub(crate) fn compile(folder: &Folder, protos: &str) -> Result<(), Error> {
    let entries = std::fs::read_dir(protos).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut found: Vec<PathBuf> = paths.filter(|path| path.is_file()).collect();
    found.sort();
    folder.builder().compile_protos(&found, &[protos])
}
