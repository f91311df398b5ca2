//! Files on disk, written only when they change: cargo rebuilds what includes them when their time stamps change.

use crate::error::Error;
use crate::fault::Fault;
use crate::format::Sources;
use crate::load::Loaded;
use crate::options::Options;
use std::fs;
use std::path::{Path, PathBuf};

pub(crate) fn write(sources: &Sources, loaded: &Loaded, options: &Options) -> Result<(), Error> {
    let folder = folder(options.output.out_dir.as_deref())?;
    for (path, text) in sources {
        if_changed(&folder.join(path), text.as_bytes())?;
    }
    match &options.input.file_descriptor_set_path {
        Some(path) if !options.input.skip_protoc_run => Ok(if_changed(path, &loaded.encoded)?),
        _ => Ok(()),
    }
}

fn folder(chosen: Option<&Path>) -> Result<PathBuf, Fault> {
    let folder = match chosen {
        Some(folder) => folder.to_owned(),
        None => std::env::var_os("OUT_DIR").map(PathBuf::from).ok_or_else(|| {
            Fault::new("the environment variable OUT_DIR is not set")
                .help("cargo sets it for build scripts: call this from build.rs, or choose a folder with `out_dir`")
        })?,
    };
    if folder.is_dir() {
        return Ok(folder);
    }
    let what = if folder.exists() {
        "code is to be written to this folder, but it is none"
    } else {
        "code is to be written to this folder, but it does not exist"
    };
    Err(Fault::new(what)
        .in_file(folder.display().to_string())
        .help("create it, or choose another one with `out_dir`"))
}

fn if_changed(path: &Path, content: &[u8]) -> Result<(), Fault> {
    if fs::read(path).is_ok_and(|present| present == content) {
        return Ok(());
    }
    fs::write(path, content).map_err(|error| {
        Fault::new(format!("cannot write this file: {error}"))
            .in_file(path.display().to_string())
            .help("its folder must exist, and both must be writable")
    })
}
