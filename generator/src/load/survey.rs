//! After a failure: every file that can be reached, and everything in them that cannot be read.

use super::diagnostic;
use super::disk::Disk;
use crate::error::Faults;
use crate::fault::{Fault, Position};
use protox::file::{File, FileResolver};
use std::collections::BTreeSet;

/// The names of all files below `roots`, imports before what imports them.
pub(super) fn survey(disk: &Disk, roots: &[String], faults: &mut Faults) -> Vec<String> {
    let mut survey = Survey {
        disk,
        faults,
        visited: BTreeSet::new(),
        order: Vec::new(),
    };
    for root in roots {
        survey.visit(root);
    }
    survey.order
}

struct Survey<'a> {
    disk: &'a Disk,
    faults: &'a mut Faults,
    visited: BTreeSet<String>,
    order: Vec<String>,
}

impl Survey<'_> {
    /// Whether there is such a file, good or bad.
    fn visit(&mut self, name: &str) -> bool {
        if !self.visited.insert(name.to_owned()) {
            return true;
        }
        let file = match self.disk.open_file(name) {
            Ok(file) => file,
            Err(error) if error.is_file_not_found() => {
                self.visited.remove(name);
                return false;
            }
            Err(error) => {
                self.faults.extend(diagnostic::faults(&error, self.disk));
                return true;
            }
        };
        for (index, import) in file.file_descriptor_proto().dependency.iter().enumerate() {
            if !self.visit(import) {
                self.faults.push(
                    Fault::new(format!("import '{import}' not found"))
                        .in_file(self.disk.place(name))
                        .at(position(&file, index))
                        .help(format!(
                            "add the folder that it starts at to the includes, which are: {}",
                            self.disk.includes()
                        )),
                );
            }
        }
        self.order.push(name.to_owned());
        true
    }
}

/// Of an import.
fn position(file: &File, index: usize) -> Option<Position> {
    const DEPENDENCY: i32 = 3;
    Position::in_file(
        file.file_descriptor_proto(),
        &[DEPENDENCY, i32::try_from(index).ok()?],
    )
}
