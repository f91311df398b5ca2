//! Generates the code that the tests of this crate use.

use std::path::PathBuf;
use tonic_cloud_run_build::Error;

fn main() -> Result<(), Error> {
    names()?;
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
