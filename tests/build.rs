//! Generates the code that the tests of this crate use.

use std::path::PathBuf;
use tonic_cloud_run_build::Error;

fn main() -> Result<(), Error> {
    names()?;
    well_known()?;
    println!("cargo:rerun-if-changed=names/protos");
    blessing();
    Ok(())
}

/// Golden code that is about to be replaced need not compile.
fn blessing() {
    println!("cargo:rerun-if-env-changed=BLESS");
    println!("cargo:rustc-check-cfg=cfg(blessing)");
    if std::env::var_os("BLESS").is_some() {
        println!("cargo:rustc-cfg=blessing");
    }
}

/// Everything that can be called in an unlucky way, clients and servers.
fn names() -> Result<(), Error> {
    tonic_cloud_run_build::configure()
        .build_server(true)
        .generate_default_stubs(true)
        .include_file("names.rs")
        .compile_protos(&protos("names/protos"), &["names/protos"])
}

/// Google's well-known types generated rather than taken from prost, and one proto given three times, by different paths.
fn well_known() -> Result<(), Error> {
    let out = PathBuf::from(std::env::var_os("OUT_DIR").unwrap_or_default()).join("well_known");
    if let Err(error) = std::fs::create_dir_all(&out) {
        println!("cargo:warning={}: {error}", out.display());
    }
    let proto = PathBuf::from("names/protos/well_known.proto");
    let absolute = proto.canonicalize().unwrap_or_default();
    tonic_cloud_run_build::configure()
        .build_server(true)
        .compile_well_known_types(true)
        .out_dir(&out)
        .include_file("mod.rs")
        .compile_protos(
            &[
                proto,
                absolute,
                "./names/../names/protos/well_known.proto".into(),
            ],
            &["./names/protos"],
        )
}

/// All protos below a folder, in the order of their paths.
fn protos(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from(folder)];
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder).into_iter().flatten().flatten();
        for path in entries.map(|entry| entry.path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path
                .extension()
                .is_some_and(|extension| extension == "proto")
            {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}
