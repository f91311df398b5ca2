//! Files and folders that are not where they should be.

use crate::{Attempt, Folder};
use std::process::Command;
use tonic_cloud_run_build::{Error, configure};

const PROTO: &str = "reject/fine/library.proto";
const INCLUDE: &str = "reject/fine";

pub(crate) const ATTEMPTS: &[(&str, Attempt)] = &[
    ("no_protos", |folder| {
        folder.builder().compile_protos(&[] as &[&str], &[INCLUDE])
    }),
    ("no_includes", |folder| {
        folder.builder().compile_protos(&[PROTO], &[] as &[&str])
    }),
    ("no_such_files", |folder| {
        folder.builder().compile_protos(
            &[
                "reject/fine/none.proto",
                "nowhere/none.proto",
                PROTO,
                "library.proto",
                "",
            ],
            &[INCLUDE],
        )
    }),
    ("no_such_includes", |folder| {
        folder.builder().compile_protos(
            &[PROTO, "reject/places"],
            &["reject/nowhere", INCLUDE, PROTO],
        )
    }),
    ("not_included", |folder| {
        folder
            .builder()
            .compile_protos(&["reject/places/below/library.proto"], &[INCLUDE])
    }),
    ("hidden", |folder| {
        folder.builder().compile_protos(
            &["reject/places/below/library.proto"],
            &["reject/places/other", "reject/places/below"],
        )
    }),
    ("out_dir_missing", |folder| {
        let missing = folder.path().join("missing");
        folder
            .builder()
            .out_dir(missing)
            .compile_protos(&[PROTO], &[INCLUDE])
    }),
    ("out_dir_is_a_file", |_| {
        configure()
            .emit_rerun_if_changed(false)
            .out_dir(PROTO)
            .compile_protos(&[PROTO], &[INCLUDE])
    }),
    ("out_dir_not_writable", not_writable),
    ("include_file_not_writable", |folder| {
        folder
            .builder()
            .include_file("missing/mod.rs")
            .compile_protos(&[PROTO], &[INCLUDE])
    }),
    ("descriptor_set_not_writable", |folder| {
        folder
            .builder()
            .file_descriptor_set_path(folder.path().join("missing/set.binpb"))
            .compile_protos(&[PROTO], &[INCLUDE])
    }),
];

/// Cargo sets `OUT_DIR` for tests too: a process of its own does without.
#[test]
fn out_dir_is_asked_for() {
    const CHILD: &str = "REJECT_WITHOUT_OUT_DIR";
    if std::env::var_os(CHILD).is_some() {
        let builder = configure().emit_rerun_if_changed(false);
        let error = builder.compile_protos(&[PROTO], &[INCLUDE]).unwrap_err();
        println!("{error}");
        return;
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "places::out_dir_is_asked_for", "--nocapture"])
        .env(CHILD, "1")
        .env_remove("OUT_DIR")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let error = text
        .split("cannot generate")
        .nth(1)
        .and_then(|text| text.split("\ntest ").next())
        .unwrap();
    assert_eq!(
        crate::compare("out_dir_not_set", &format!("cannot generate{error}")),
        None
    );
}

/// A folder stands where the file has to go: that is refused to everyone, root included.
fn not_writable(folder: &Folder) -> Result<(), Error> {
    std::fs::create_dir(folder.path().join("reject.rs")).unwrap();
    folder.builder().compile_protos(&[PROTO], &[INCLUDE])
}
