//! Generates code for a tree of protos, a folder at a time, and for a sample of its folders together, to be compiled.
//!
//! ```text
//! corpus PROTOS OUT SAMPLE...
//! ```
//!
//! `PROTOS` is where imports start. Code goes to folders in `OUT/each`, that of the folders in `SAMPLE`, and of those below them, to
//! `OUT/sample`. What cannot be generated is printed, and anything but protobuf editions is a failure.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tonic_cloud_run_build::{Error, configure};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [root, out, sample @ ..] = arguments.as_slice() else {
        eprintln!("usage: corpus PROTOS OUT SAMPLE...");
        return ExitCode::FAILURE;
    };
    let folders = folders(Path::new(root));
    let failures = each(Path::new(root), &Path::new(out).join("each"), &folders);
    let sampled = together(
        Path::new(root),
        &Path::new(out).join("sample"),
        &folders,
        sample,
    );
    if failures == 0 && sampled {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// The protos of each folder.
fn folders(root: &Path) -> BTreeMap<PathBuf, Vec<PathBuf>> {
    let mut found: BTreeMap<PathBuf, Vec<PathBuf>> = BTreeMap::new();
    let mut waiting = vec![root.to_owned()];
    while let Some(folder) = waiting.pop() {
        let entries = std::fs::read_dir(&folder).into_iter().flatten().flatten();
        for path in entries.map(|entry| entry.path()) {
            if path.is_dir() {
                waiting.push(path);
            } else if path
                .extension()
                .is_some_and(|extension| extension == "proto")
            {
                found.entry(folder.clone()).or_default().push(path);
            }
        }
    }
    for protos in found.values_mut() {
        protos.sort();
    }
    found
}

/// Says what cannot be generated, and how many folders that are.
fn each(root: &Path, out: &Path, folders: &BTreeMap<PathBuf, Vec<PathBuf>>) -> usize {
    let mut failures = 0;
    let mut of_editions = 0;
    let mut generated = Counts::default();
    for (number, protos) in folders.values().enumerate() {
        let out = out.join(number.to_string());
        match generate(root, &out, protos) {
            Ok(()) => generated.add(protos, &out),
            Err(error) if is_of_editions(&error) => of_editions += 1,
            Err(error) => {
                failures += 1;
                println!("{error}\n");
            }
        }
    }
    let Counts {
        protos,
        clients,
        rpcs,
        lines,
    } = generated;
    println!(
        "{} folders: {protos} protos became {clients} clients with {rpcs} methods, and servers, in {lines} lines of Rust, imports included; \
         {of_editions} folders were refused for protobuf editions, {failures} for other reasons",
        folders.len()
    );
    failures
}

/// One tree of modules, so that what the folders share is compiled once.
fn together(
    root: &Path,
    out: &Path,
    folders: &BTreeMap<PathBuf, Vec<PathBuf>>,
    sample: &[String],
) -> bool {
    let wanted: BTreeSet<PathBuf> = sample.iter().map(|folder| root.join(folder)).collect();
    let is_wanted = |folder: &Path| wanted.iter().any(|wanted| folder.starts_with(wanted));
    let chosen = folders.iter().filter(|(folder, _)| is_wanted(folder));
    let protos: Vec<PathBuf> = chosen.flat_map(|(_, protos)| protos.clone()).collect();
    if let Err(error) = generate(root, out, &protos) {
        println!("the sample: {error}");
        return false;
    }
    let mut counts = Counts::default();
    counts.add(&protos, out);
    println!(
        "the sample: {} protos, {} clients with {} methods, {} lines of Rust",
        counts.protos, counts.clients, counts.rpcs, counts.lines
    );
    true
}

fn generate(root: &Path, out: &Path, protos: &[PathBuf]) -> Result<(), Error> {
    if let Err(error) = std::fs::create_dir_all(out) {
        println!("{}: {error}", out.display());
    }
    configure()
        .out_dir(out)
        .build_server(true)
        .include_file("mod.rs")
        .emit_rerun_if_changed(false)
        .compile_protos(protos, &[root])
}

fn is_of_editions(error: &Error) -> bool {
    error
        .faults()
        .iter()
        .all(|fault| fault.message().contains("editions"))
}

#[derive(Default)]
struct Counts {
    protos: usize,
    clients: usize,
    rpcs: usize,
    lines: usize,
}

impl Counts {
    fn add(&mut self, protos: &[PathBuf], out: &Path) {
        self.protos += protos.len();
        let entries = std::fs::read_dir(out).into_iter().flatten().flatten();
        for path in entries.map(|entry| entry.path()) {
            let text = std::fs::read_to_string(path).unwrap_or_default();
            self.lines += text.lines().count();
            self.clients += text.matches("::tonic_cloud_run::codegen::Client,").count();
            self.rpcs += text.matches("static METHOD:").count();
        }
    }
}
