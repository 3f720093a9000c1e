//! The plan of a divided run: the analysis as it was typed, its searches, and how they are cut.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::Xxh3;

use super::search::{Block, PlannedSearch};
use crate::error::{Error, Result};
use crate::neighbours::Metric;
use crate::storage::write_atomically;

/// Version of the plan's file; others are not used.
const FORMAT: &str = "repgeo-plan/1";

/// Version of what a search finds: of distances, their order and their ties, by any kernel.
const VERDICT: u32 = 1;

/// The plan, as it stands in `plan.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Version of the file.
    pub format: String,
    /// The program that made it.
    pub repgeo: String,
    /// Version of what a search finds.
    pub verdict: u32,
    /// Where the analysis was typed; its paths begin there.
    pub directory: PathBuf,
    /// The analysis, word by word.
    pub command: Vec<String>,
    /// The distance.
    pub metric: String,
    /// Tables and orders first, then counts of ranks.
    pub searches: Vec<PlannedSearch>,
    /// Units that one task does.
    pub units_a_task: usize,
    /// Fingerprint of all of the above.
    pub id: String,
}

/// Where the plan lies in the folder of its run.
pub(super) fn place(folder: &Path) -> PathBuf {
    folder.join("plan.json")
}

impl Plan {
    /// The plan of these searches, tables and orders before ranks.
    pub(super) fn new(
        directory: PathBuf,
        command: Vec<String>,
        metric: Metric,
        searches: Vec<PlannedSearch>,
        units_a_task: usize,
    ) -> Self {
        let mut plan = Self {
            format: FORMAT.to_owned(),
            repgeo: env!("CARGO_PKG_VERSION").to_owned(),
            verdict: VERDICT,
            directory,
            command,
            metric: metric.name().to_owned(),
            searches,
            units_a_task,
            id: String::new(),
        };
        plan.id = plan.fingerprint();
        plan
    }

    /// Writes the plan into a folder that holds none.
    ///
    /// # Errors
    /// [`Error::Usage`] if there is another plan; [`Error::Write`].
    pub fn write(&self, folder: &Path) -> Result<()> {
        let path = place(folder);
        match Self::read(folder) {
            Ok(other) if other == *self => return Ok(()),
            Err(Error::Read { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {}
            _ => {
                return Err(Error::Usage(format!(
                    "{} holds another plan; name another folder with -o, or run repgeo clean first",
                    folder.display()
                )));
            }
        }
        fs::create_dir_all(folder.join("shards")).map_err(|source| Error::Write {
            path: folder.to_owned(),
            source,
        })?;
        let text = serde_json::to_string_pretty(self).expect("a plan is plain data");
        write_atomically(&path, (text + "\n").as_bytes())
    }

    /// Reads the plan of a run and checks that it is what was written, by a program like this one.
    ///
    /// # Errors
    /// [`Error::Read`]; [`Error::Identity`] for a plan that was edited or is of another version.
    pub fn read(folder: &Path) -> Result<Self> {
        let path = place(folder);
        let text = fs::read(&path).map_err(|source| Error::Read {
            path: path.clone(),
            source,
        })?;
        let refuse = |fact: String| Error::Identity {
            path: path.clone(),
            fact,
            remedy: "plan anew in another folder".into(),
        };
        let plan: Self = serde_json::from_slice(&text)
            .map_err(|error| refuse(format!("it is no plan ({error})")))?;
        if plan.id != plan.fingerprint() {
            return Err(refuse("it was edited after it was made".into()));
        }
        let ours = (FORMAT, env!("CARGO_PKG_VERSION"), VERDICT);
        let theirs = (plan.format.as_str(), plan.repgeo.as_str(), plan.verdict);
        if theirs != ours {
            return Err(refuse(format!(
                "repgeo {} made it, and this is {}",
                plan.repgeo, ours.1
            )));
        }
        Ok(plan)
    }

    /// The plan's identity: a function of everything else in it.
    fn fingerprint(&self) -> String {
        let bare = Self {
            id: String::new(),
            ..self.clone()
        };
        let text = serde_json::to_vec(&bare).expect("a plan is plain data");
        let mut hash = Xxh3::new();
        hash.update(&text);
        format!("{:032x}", hash.digest128())
    }

    /// Number of units.
    pub fn units(&self) -> usize {
        self.searches.iter().map(|search| search.blocks.len()).sum()
    }

    /// Units before the first count of ranks.
    fn units_of_tables(&self) -> usize {
        let tables = self.searches.iter().filter(|search| !search.is_ranks());
        tables.map(|search| search.blocks.len()).sum()
    }

    /// The search and the block of a unit.
    ///
    /// # Panics
    /// If there is no such unit.
    pub fn unit(&self, unit: usize) -> (&PlannedSearch, &Block) {
        let (search, block) = self.place_of(unit);
        let search = &self.searches[search];
        (search, &search.blocks[block])
    }

    /// The places of the search and of the block of a unit.
    pub(super) fn place_of(&self, unit: usize) -> (usize, usize) {
        let mut left = unit;
        for (at, search) in self.searches.iter().enumerate() {
            if left < search.blocks.len() {
                return (at, left);
            }
            left -= search.blocks.len();
        }
        panic!("unit {unit} of {}", self.units());
    }

    /// The units of a search.
    pub(super) fn units_of(&self, search: usize) -> Range<usize> {
        let before = &self.searches[..search];
        let start = before.iter().map(|search| search.blocks.len()).sum();
        start..start + self.searches[search].blocks.len()
    }

    /// The tasks of each phase: tables, then ranks.
    pub fn tasks(&self) -> [Range<usize>; 2] {
        let tables = self.units_of_tables();
        let first = tables.div_ceil(self.units_a_task);
        let ranks = (self.units() - tables).div_ceil(self.units_a_task);
        [0..first, first..first + ranks]
    }

    /// The units of a task; no task has units of both phases.
    pub fn units_of_task(&self, task: usize) -> Range<usize> {
        let [tables, ranks] = self.tasks();
        let (units, from, task) = if task < tables.end {
            (0..self.units_of_tables(), tables.start, task)
        } else {
            (self.units_of_tables()..self.units(), ranks.start, task)
        };
        let start = units.start + (task - from) * self.units_a_task;
        start.min(units.end)..(start + self.units_a_task).min(units.end)
    }

    /// The task that a unit belongs to.
    pub fn task_of(&self, unit: usize) -> usize {
        let tables = self.units_of_tables();
        match unit.checked_sub(tables) {
            None => unit / self.units_a_task,
            Some(unit) => self.tasks()[1].start + unit / self.units_a_task,
        }
    }

    /// The distance.
    ///
    /// # Panics
    /// If the plan was not read or made here.
    pub(super) fn distance(&self) -> Metric {
        let is_it = |metric: &Metric| metric.name() == self.metric;
        let found = Metric::ALL.into_iter().find(is_it);
        found.expect("a plan whose fingerprint fits names a metric")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::search::PlannedSought;

    /// A plan of no layers, with these numbers of blocks of tables and of ranks.
    fn made_up(tables: &[usize], ranks: &[usize], units_a_task: usize) -> Plan {
        let search = |sought: PlannedSought, blocks: usize| PlannedSearch {
            work: 0,
            right: false,
            at: 0,
            layer: "a".into(),
            n: 10,
            columns: 1,
            width: 4,
            rows: None,
            content: String::new(),
            sought,
            blocks: (0..blocks)
                .map(|at| Block {
                    start: at,
                    end: at + 1,
                    content: String::new(),
                })
                .collect(),
        };
        let counted = |count| PlannedSought::Ranks {
            count,
            targets: 2,
            groups: 1,
        };
        let of_tables = tables.iter().map(|&n| search(PlannedSought::Table(2), n));
        let of_ranks = ranks.iter().enumerate();
        let of_ranks = of_ranks.map(|(count, &n)| search(counted(count), n));
        Plan {
            format: FORMAT.into(),
            repgeo: "0".into(),
            verdict: VERDICT,
            directory: PathBuf::new(),
            command: Vec::new(),
            metric: "euclidean".into(),
            searches: of_tables.chain(of_ranks).collect(),
            units_a_task,
            id: String::new(),
        }
    }

    #[test]
    fn every_unit_is_in_one_task_and_no_task_in_two_phases() {
        for (tables, ranks) in [
            (&[1][..], &[][..]),
            (&[3, 4], &[]),
            (&[3, 4], &[5, 1, 2]),
            (&[7], &[7]),
        ] {
            for units_a_task in [1, 2, 3, 100] {
                let plan = made_up(tables, ranks, units_a_task);
                let [first, second] = plan.tasks();
                assert_eq!(first.end, second.start);
                let mut seen = Vec::new();
                for task in 0..second.end {
                    let units = plan.units_of_task(task);
                    assert!(!units.is_empty() && units.len() <= units_a_task);
                    for unit in units {
                        assert_eq!(plan.task_of(unit), task);
                        let (search, _) = plan.unit(unit);
                        assert_eq!(search.is_ranks(), second.contains(&task));
                        let (place, block) = plan.place_of(unit);
                        assert_eq!(plan.units_of(place).start + block, unit);
                        seen.push(unit);
                    }
                }
                assert_eq!(seen, (0..plan.units()).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn a_plan_is_what_its_identity_says() {
        let folder = tempfile::tempdir().unwrap();
        let mut plan = made_up(&[2], &[1], 1);
        plan.repgeo = env!("CARGO_PKG_VERSION").into();
        plan.id = plan.fingerprint();
        plan.write(folder.path()).unwrap();
        assert_eq!(Plan::read(folder.path()).unwrap(), plan);
        // The same again is no other plan; one of other numbers is.
        plan.write(folder.path()).unwrap();
        let other = made_up(&[3], &[1], 1);
        assert!(matches!(other.write(folder.path()), Err(Error::Usage(_))));
        let mut later = plan.clone();
        later.verdict += 1;
        later.id = later.fingerprint();
        let text = serde_json::to_string(&later).unwrap();
        fs::write(place(folder.path()), text).unwrap();
        let refused = Plan::read(folder.path()).unwrap_err();
        assert_eq!(refused.exit_code(), 5, "{refused}");
    }
}
