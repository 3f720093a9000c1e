//! The plan of a divided run: the analysis as it was typed, its searches, and how they are cut.

use std::collections::HashMap;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::Xxh3;

use super::cost::{Cost, Forecast};
use super::ranges::ranges;
use super::search::{Block, PlannedSearch, PlannedSought};
use super::work::{Foreseen, Work};
use crate::cache::fingerprint;
use crate::error::{Error, Result};
use crate::input::{Matrix, Values};
use crate::neighbours::{Metric, SearchOptions};
use crate::progress::Progress;
use crate::storage::write_atomically;

/// Version of the plan's file; others are not used.
const FORMAT: &str = "repgeo-plan/1";

/// Version of what a search finds: of distances, their order and their ties, by any kernel.
const VERDICT: u32 = 1;

/// Blocks of a layer at most: more are finer than any machine needs.
const MOST_BLOCKS: usize = 100_000;

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

/// What a plan is made of beside its searches.
pub struct Head {
    /// Where the analysis was typed.
    pub directory: PathBuf,
    /// The analysis, word by word.
    pub command: Vec<String>,
    /// The distance.
    pub metric: Metric,
    /// How searches are made here, for the forecast.
    pub search: SearchOptions,
}

/// How finely the work is cut.
#[derive(Debug, Clone, Copy)]
pub struct Cut {
    /// Minutes that a unit may take here.
    pub target_minutes: f64,
    /// Tasks at most of one array.
    pub max_array: usize,
    /// Rows of a block, whatever it takes.
    pub block_rows: Option<usize>,
}

/// Makes the plan of some works, with what it will take.
///
/// # Errors
/// [`Error::Usage`] if nothing is to be searched; whatever reading layers gives.
pub fn plan(
    works: &[Work],
    head: Head,
    cut: &Cut,
    progress: &dyn Progress,
) -> Result<(Plan, Forecast)> {
    let mut maker = Maker {
        metric: head.metric,
        search: head.search,
        cut,
        costs: HashMap::new(),
        forecast: Forecast::default(),
    };
    let (mut tables, mut ranks) = (Vec::new(), Vec::new());
    for (at, work) in works.iter().enumerate() {
        let first = tables.len();
        let counts = work.foresee(progress, &mut |foreseen| {
            tables.push(maker.search(at, foreseen)?);
            Ok(())
        })?;
        for (count, search) in counts.into_iter().enumerate() {
            let sought = PlannedSought::Ranks {
                count,
                targets: search.targets,
                groups: search.groups,
            };
            let of_layer =
                |table: &&PlannedSearch| table.right == search.right && table.at == search.layer;
            let table: &PlannedSearch = tables[first..]
                .iter()
                .find(of_layer)
                .expect("ranks are counted in layers that have a table");
            ranks.push(maker.ranks(works, table, sought)?);
        }
    }
    if tables.is_empty() {
        return Err(Error::Usage(
            "no layer has neighbours to search for, so there is nothing to divide; run the \
             analysis itself"
                .into(),
        ));
    }
    tables.append(&mut ranks);
    let units: usize = tables.iter().map(|search| search.blocks.len()).sum();
    let mut plan = Plan {
        format: FORMAT.to_owned(),
        repgeo: env!("CARGO_PKG_VERSION").to_owned(),
        verdict: VERDICT,
        metric: head.metric.name().to_owned(),
        units_a_task: units.div_ceil(cut.max_array.max(1)).max(1),
        searches: tables,
        directory: head.directory,
        command: head.command,
        id: String::new(),
    };
    plan.id = plan.fingerprint();
    Ok((plan, maker.forecast))
}

/// Where the plan lies in the folder of its run.
pub(super) fn place(folder: &Path) -> PathBuf {
    folder.join("plan.json")
}

impl Plan {
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

/// Makes searches, and adds up what they take.
struct Maker<'a> {
    metric: Metric,
    search: SearchOptions,
    cut: &'a Cut,
    /// Measured once for layers of one shape and purpose.
    costs: HashMap<String, Cost>,
    forecast: Forecast,
}

impl Maker<'_> {
    fn search(&mut self, work: usize, foreseen: Foreseen) -> Result<PlannedSearch> {
        let Foreseen {
            search,
            layer,
            rows,
            matrix,
        } = foreseen;
        let sought = PlannedSought::from(search.sought);
        let content = fingerprint(&matrix);
        let cost = self.cost(&matrix, &layer, &sought)?;
        let height = self.height(&cost, matrix.n_rows());
        let mut planned = PlannedSearch {
            work,
            right: search.right,
            at: search.layer,
            layer,
            n: matrix.n_rows(),
            columns: matrix.n_columns(),
            width: width(&matrix),
            rows: rows.map(|rows| ranges(&rows)),
            content,
            sought,
            blocks: Vec::new(),
        };
        planned.blocks = blocks(&matrix, height);
        self.forecast.add(&planned, &cost);
        Ok(planned)
    }

    /// A count of ranks in the layer of `table`, cut as finely as that takes.
    fn ranks(
        &mut self,
        works: &[Work],
        table: &PlannedSearch,
        sought: PlannedSought,
    ) -> Result<PlannedSearch> {
        let rows = table.rows.as_deref().map(super::ranges::numbers);
        let matrix =
            works[table.work].read(table.right, table.at, &table.layer, rows.as_deref())?;
        let cost = self.cost(&matrix, &table.layer, &sought)?;
        let height = self.height(&cost, table.n);
        let planned = PlannedSearch {
            blocks: blocks(&matrix, height),
            sought,
            ..table.clone()
        };
        self.forecast.add(&planned, &cost);
        Ok(planned)
    }

    fn cost(&mut self, matrix: &Matrix, layer: &str, sought: &PlannedSought) -> Result<Cost> {
        let shape = (matrix.n_rows(), matrix.n_columns(), width(matrix));
        // Counts of a layer differ in their place alone.
        let kind = match sought {
            PlannedSought::Ranks { targets, .. } => format!("{shape:?} ranks {targets}"),
            other => format!("{shape:?} {other:?}"),
        };
        if let Some(cost) = self.costs.get(&kind) {
            return Ok(*cost);
        }
        let cost = Cost::measure(matrix, layer, self.metric, sought, &self.search)?;
        self.costs.insert(kind, cost);
        Ok(cost)
    }

    /// Rows of a block.
    fn height(&self, cost: &Cost, n: usize) -> usize {
        let height = match self.cut.block_rows {
            Some(rows) => rows,
            // As many blocks as that makes, all of one height.
            None => {
                let highest = cost.rows_in(60.0 * self.cut.target_minutes).max(1);
                n.div_ceil(n.div_ceil(highest).max(1))
            }
        };
        height.clamp(n.div_ceil(MOST_BLOCKS).max(1), n.max(1))
    }
}

/// Bytes of a value.
fn width(matrix: &Matrix) -> usize {
    match matrix.values() {
        Values::F16(_) | Values::Bf16(_) => 2,
        Values::F32(_) => 4,
        Values::F64(_) => 8,
    }
}

/// All rows in blocks of up to `height`.
fn blocks(matrix: &Matrix, height: usize) -> Vec<Block> {
    let n = matrix.n_rows();
    let starts = (0..n).step_by(height);
    starts
        .map(|start| {
            let end = (start + height).min(n);
            Block {
                start,
                end,
                content: block_content(matrix, start..end),
            }
        })
        .collect()
}

/// Fingerprint of some rows.
pub(super) fn block_content(matrix: &Matrix, rows: Range<usize>) -> String {
    let rows: Vec<u32> = rows.filter_map(|row| u32::try_from(row).ok()).collect();
    fingerprint(&matrix.select(&rows))
}
