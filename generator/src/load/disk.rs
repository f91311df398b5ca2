//! The protos on disk: found below the include folders, and remembered when read.

use crate::error::{Error, Faults};
use crate::fault::Fault;
use protox::file::{File, FileResolver, GoogleFileResolver, IncludeFileResolver};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// Faults in what was asked for, before anything is read.
pub(super) fn check(protos: &[PathBuf], includes: &[PathBuf]) -> Result<(), Error> {
    let mut faults = Faults::default();
    if protos.is_empty() {
        faults.push(Fault::new("no protos are given").help(
            "name at least one `.proto` file, such as \"protos/bookstore/v1/bookstore.proto\"",
        ));
    }
    for include in includes {
        if !include.is_dir() {
            let what = if include.exists() {
                "this include path is not a folder"
            } else {
                "this include folder does not exist"
            };
            faults.push(
                Fault::new(what)
                    .in_file(include.display().to_string())
                    .help(format!(
                        "includes are folders that imports start at, relative to {}",
                        here()
                    )),
            );
        }
    }
    for proto in protos {
        if proto.is_dir() {
            faults.push(
                Fault::new("this is a folder, not a proto")
                    .in_file(proto.display().to_string())
                    .help(
                        "name the `.proto` files in it one by one; folders belong in the includes",
                    ),
            );
        }
    }
    faults.or(())
}

/// Where relative paths start, for messages.
pub(super) fn here() -> String {
    std::env::current_dir().map_or_else(
        |_| "the current folder".to_owned(),
        |folder| folder.display().to_string(),
    )
}

/// Google's well-known files come with protox; others are found in the include folders, first come first served.
#[derive(Clone, Debug)]
pub(super) struct Disk {
    includes: Rc<[PathBuf]>,
    google: Rc<GoogleFileResolver>,
    read: Rc<RefCell<BTreeMap<String, PathBuf>>>,
}

impl Disk {
    pub(super) fn new(includes: &[PathBuf]) -> Self {
        Self {
            includes: includes.into(),
            google: Rc::new(GoogleFileResolver::new()),
            read: Rc::default(),
        }
    }

    /// What was read so far, by import name.
    pub(super) fn read(&self) -> BTreeMap<String, PathBuf> {
        self.read.borrow().clone()
    }

    /// Where the import `name` was read from, for messages.
    pub(super) fn place(&self, name: &str) -> String {
        match self.read.borrow().get(name) {
            Some(path) => path.display().to_string(),
            None => name.to_owned(),
        }
    }

    /// The include folders, for messages.
    pub(super) fn includes(&self) -> String {
        let folders: Vec<String> = self
            .includes
            .iter()
            .map(|include| format!("`{}`", include.display()))
            .collect();
        if folders.is_empty() {
            "none is given".to_owned()
        } else {
            folders.join(", ")
        }
    }

    /// The name that imports know the proto by, whatever way it and the includes are spelled.
    pub(super) fn name(&self, proto: &Path) -> Result<String, Fault> {
        if proto.as_os_str().is_empty() {
            return Err(
                Fault::new("one of the protos is an empty path").help("name a `.proto` file")
            );
        }
        let place = proto.display().to_string();
        let name = self
            .spelled(proto)
            .or_else(|| self.real(proto))
            .or_else(|| plain(proto));
        let found = name.as_deref().and_then(|name| self.find(name));
        match (name, found) {
            (Some(name), None) if self.google.open_file(&name).is_ok() => Ok(name),
            (Some(_), Some(other)) if proto.exists() && !is_same_file(&other, proto) => {
                Err(Fault::new(format!("this proto is hidden by `{}`", other.display()))
                    .in_file(place)
                    .help("the first include folder that has a file of this name wins: change their order, or name the other file"))
            }
            (Some(name), Some(_)) => Ok(name),
            (_, None) if proto.exists() => Err(Fault::new("this proto is below none of the include folders")
                .in_file(place)
                .help(format!("add the folder that its package starts at to the includes, which are: {}", self.includes()))),
            (_, None) => Err(Fault::new("there is no such file")
                .in_file(place)
                .help(format!("paths are relative to {}", here()))),
            (None, Some(_)) => Err(Fault::new("this is no path of a file").in_file(place)),
        }
    }

    fn find(&self, name: &str) -> Option<PathBuf> {
        let mut candidates = self.includes.iter().map(|include| include.join(name));
        candidates.find(|path| path.exists())
    }

    fn spelled(&self, proto: &Path) -> Option<String> {
        let mut includes = self.includes.iter().cloned();
        includes.find_map(|include| IncludeFileResolver::new(include).resolve_path(proto))
    }

    /// With links, `..` and absolute paths resolved.
    fn real(&self, proto: &Path) -> Option<String> {
        let proto = proto.canonicalize().ok()?;
        let mut includes = self
            .includes
            .iter()
            .filter_map(|include| include.canonicalize().ok());
        includes.find_map(|include| IncludeFileResolver::new(include).resolve_path(&proto))
    }
}

/// A proto may be given by the name that imports use.
fn plain(proto: &Path) -> Option<String> {
    IncludeFileResolver::new(PathBuf::new()).resolve_path(proto)
}

fn is_same_file(one: &Path, other: &Path) -> bool {
    match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}

/// The compiler is given import names only, so nothing is to be resolved.
impl FileResolver for Disk {
    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        // A copy in an include folder may be newer than what protox can read.
        if let Ok(well_known) = self.google.open_file(name) {
            return Ok(well_known);
        }
        match self.find(name) {
            Some(path) => {
                self.read.borrow_mut().insert(name.to_owned(), path.clone());
                open(name, &path)
            }
            None => Err(protox::Error::file_not_found(name)),
        }
    }
}

/// protox knows no byte order mark; editors on Windows write one, and protoc skips it.
fn open(name: &str, path: &Path) -> Result<File, protox::Error> {
    const BYTE_ORDER_MARK: &str = "\u{feff}";
    match std::fs::read_to_string(path) {
        Ok(text) if text.starts_with(BYTE_ORDER_MARK) => {
            File::from_source(name, text.trim_start_matches(BYTE_ORDER_MARK))
        }
        _ => File::open(name, path),
    }
}
