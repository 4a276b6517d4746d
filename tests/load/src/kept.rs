//! What has held is kept until the command changes: on a busy host the cases can be measured one by one, and the page is written when all are there.

use core::hash::Hasher as _;
use std::fs;
use std::hash::DefaultHasher;
use std::path::{Path, PathBuf};

use e2e::{Machine, Outcome, bountybox};

use crate::case::ALL;
use crate::report::{CELLS, cells};
use crate::verdict::Row;

/// Rows of one build of the command, as the cells of their table.
#[derive(Debug)]
pub(crate) struct Kept(PathBuf);

impl Kept {
    /// Those of the command as it is now.
    pub(crate) fn of_this_build() -> Outcome<Self> {
        let mut hasher = DefaultHasher::new();
        hasher.write(&fs::read(bountybox())?);
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/load").join(format!("{:016x}", hasher.finish()));
        fs::create_dir_all(&folder)?;
        Ok(Self(folder))
    }

    /// Keeps what holds in place of an older one. What does not hold leaves none, unless the host may just have been busy.
    pub(crate) fn take(&self, row: &Row) -> Outcome {
        let file = self.file(row.machine, row.case);
        if row.holds() {
            fs::write(file, serde_json::to_string(&cells(row))?)?;
        } else if !row.only_waited() && file.exists() {
            fs::remove_file(file)?;
        }
        Ok(())
    }

    /// All cases on both machines, if they are there.
    pub(crate) fn whole(&self) -> Outcome<Option<Vec<[String; CELLS]>>> {
        let mut rows = Vec::new();
        for machine in [Machine::Kvm, Machine::Process] {
            for case in ALL {
                let Ok(text) = fs::read_to_string(self.file(machine.name(), case.name)) else { return Ok(None) };
                rows.push(serde_json::from_str(&text)?);
            }
        }
        Ok(Some(rows))
    }

    fn file(&self, machine: &str, case: &str) -> PathBuf {
        self.0.join(format!("{machine}-{case}.json"))
    }
}
