//! What is generated, byte for byte: `golden/*/*.proto` and the code beside them, which is also compiled, as part of this crate.
//! `BLESS=1 cargo test -p tests --test golden` writes it anew.

// Tests panic.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use tonic_cloud_run_build::{Builder, configure};

type Choose = fn(Builder) -> Builder;

/// Folders, and the options that their code is generated with.
const CASES: &[(&str, Choose)] = &[
    ("shapes", |builder| builder),
    ("documented", |builder| builder),
    ("renamed", |builder| builder.build_server(true)),
    ("options", with_options),
];

/// Every option that changes code.
fn with_options(builder: Builder) -> Builder {
    builder
        .build_server(true)
        .extern_path(".other", "crate::golden::other")
        .type_attribute("Page", "#[derive(PartialOrd)]")
        .message_attribute("Book", "#[must_use]")
        .enum_attribute("Kind", "#[non_exhaustive]")
        .field_attribute("Book.page", "#[doc(alias = \"sheet\")]")
        .boxed("Book.page")
        .btree_map("Book.kinds")
        .bytes("Book.cover")
        .skip_debug(["Secret"])
        .retain_enum_prefix(true)
        .enable_type_names(true)
        .type_name_domain(".", "types.example.com")
        .disable_comments([".golden.options.Book", "Library.GetBook"])
        .emit_package(false)
        .client_mod_attribute("golden.options", "#[doc(alias = \"golden\")]")
        .client_attribute("Library", "#[doc(alias = \"books\")]")
        .server_mod_attribute("Reader", "#[cfg(test)]")
        .server_attribute(".golden.options.Library", "#[must_use]")
        .trait_attribute("golden.options.Library", "#[doc(alias = \"lend\")]")
        .use_arc_self(true)
        .generate_default_stubs(true)
}

#[test]
fn code_is_as_expected() {
    let mut wrong = Vec::new();
    for (case, options) in CASES {
        let folder = format!("golden/{case}");
        let out = tempfile::tempdir().unwrap();
        let builder = configure().out_dir(out.path()).emit_rerun_if_changed(false);
        options(builder)
            .compile_protos(&[format!("{folder}/{case}.proto")], &[&folder])
            .unwrap();
        if std::env::var_os("BLESS").is_some() {
            bless(Path::new(&folder), out.path());
        }
        wrong.extend(differences(
            &code_in(Path::new(&folder)),
            &code_in(out.path()),
        ));
    }
    assert!(
        wrong.is_empty(),
        "{}\n(BLESS=1 takes what is generated for right)",
        wrong.join("\n")
    );
}

#[test]
fn every_case_is_tested() {
    let entries = std::fs::read_dir("golden")
        .unwrap()
        .map(|entry| entry.unwrap());
    let folders = entries.filter(|entry| entry.path().is_dir());
    let folders: BTreeSet<String> = folders
        .map(|folder| folder.file_name().into_string().unwrap())
        .collect();
    let cases: BTreeSet<String> = CASES.iter().map(|(case, _)| (*case).to_owned()).collect();
    assert_eq!(folders, cases);
}

/// The time stamps of files say when they changed last.
#[test]
fn what_does_not_change_is_not_written() {
    let out = tempfile::tempdir().unwrap();
    let generate = || {
        configure()
            .out_dir(out.path())
            .emit_rerun_if_changed(false)
            .include_file("mod.rs")
            .file_descriptor_set_path(out.path().join("set.binpb"))
            .compile_protos(&["golden/shapes/shapes.proto"], &["golden/shapes"])
            .unwrap();
    };
    generate();
    let long_ago = std::time::SystemTime::UNIX_EPOCH;
    let names = ["golden.shapes.rs", "mod.rs", "set.binpb"];
    for name in names {
        let file = std::fs::File::options()
            .append(true)
            .open(out.path().join(name))
            .unwrap();
        file.set_modified(long_ago).unwrap();
    }
    generate();
    for name in names {
        let modified = std::fs::metadata(out.path().join(name))
            .unwrap()
            .modified()
            .unwrap();
        assert_eq!(modified, long_ago, "{name} was written again");
    }
}

/// What cargo reads is printed by a process of its own.
#[test]
fn cargo_is_told_of_every_file_that_was_read() {
    const CHILD: &str = "GOLDEN_PRINTS_FOR_CARGO";
    if std::env::var_os(CHILD).is_some() {
        let out = tempfile::tempdir().unwrap();
        configure()
            .out_dir(out.path())
            .emit_rerun_if_changed(true)
            .compile_protos(&["golden/options/options.proto"], &["golden/options"])
            .unwrap();
        return;
    }
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "cargo_is_told_of_every_file_that_was_read",
            "--nocapture",
        ])
        .env(CHILD, "1")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let told: Vec<&str> = text
        .lines()
        .filter_map(|line| line.split("cargo:").nth(1))
        .collect();
    assert_eq!(
        told,
        [
            "rerun-if-env-changed=TONIC_CLOUD_RUN_PROTOC",
            "rerun-if-changed=golden/options/options.proto",
            "rerun-if-changed=golden/options/other.proto",
        ]
    );
}

#[test]
fn a_descriptor_set_makes_the_same_code() {
    let out = tempfile::tempdir().unwrap();
    let set = out.path().join("set.binpb");
    configure()
        .out_dir(out.path())
        .emit_rerun_if_changed(false)
        .file_descriptor_set_path(&set)
        .compile_protos(
            &["golden/documented/documented.proto"],
            &["golden/documented"],
        )
        .unwrap();
    let code = code_in(out.path());
    for attempt in [
        |builder: Builder, set: &Path| builder.compile_fds_file(set),
        |builder: Builder, set: &Path| builder.compile_fds_bytes(std::fs::read(set).unwrap()),
        |builder: Builder, set: &Path| {
            builder
                .file_descriptor_set_path(set)
                .skip_protoc_run()
                .compile_protos(&["ignored.proto"], &["ignored"])
        },
    ] {
        let again = tempfile::tempdir().unwrap();
        attempt(
            configure()
                .out_dir(again.path())
                .emit_rerun_if_changed(false),
            &set,
        )
        .unwrap();
        assert_eq!(code_in(again.path()), code);
    }
}

/// The generated code in a folder, by file name.
fn code_in(folder: &Path) -> BTreeMap<String, String> {
    let entries = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let code = entries.filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    code.map(|path| {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        (name, std::fs::read_to_string(path).unwrap())
    })
    .collect()
}

fn bless(golden: &Path, generated: &Path) {
    for name in code_in(golden).keys() {
        std::fs::remove_file(golden.join(name)).unwrap();
    }
    for (name, text) in code_in(generated) {
        std::fs::write(golden.join(name), text).unwrap();
    }
}

fn differences(
    expected: &BTreeMap<String, String>,
    generated: &BTreeMap<String, String>,
) -> Vec<String> {
    let names: BTreeSet<&String> = expected.keys().chain(generated.keys()).collect();
    let differs = |name: &String| match (expected.get(name), generated.get(name)) {
        (Some(expected), Some(generated)) if expected == generated => None,
        (Some(expected), Some(generated)) => {
            let pairs = expected.lines().zip(generated.lines());
            let line = pairs.take_while(|(one, other)| one == other).count() + 1;
            Some(format!("{name} differs from line {line} on"))
        }
        (None, _) => Some(format!("{name} is generated, but not expected")),
        (_, None) => Some(format!("{name} is expected, but not generated")),
    };
    names.into_iter().filter_map(differs).collect()
}
