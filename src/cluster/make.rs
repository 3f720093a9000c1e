//! Makes the plan of an analysis: lists its searches, measures what they take, cuts them.

use std::collections::HashMap;
use std::ops::Range;
use std::path::PathBuf;

use super::cost::{Cost, Forecast};
use super::plan::Plan;
use super::ranges::{numbers, ranges};
use super::search::{Block, PlannedSearch, PlannedSought};
use super::work::{Foreseen, Work};
use crate::cache::fingerprint;
use crate::error::{Error, Result};
use crate::input::{Matrix, Values};
use crate::neighbours::{Metric, SearchOptions};
use crate::progress::Progress;

/// Blocks of a layer at most: more are finer than any machine needs.
const MOST_BLOCKS: usize = 100_000;

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
    let plan = Plan::new(
        head.directory,
        head.command,
        head.metric,
        tables,
        units.div_ceil(cut.max_array.max(1)).max(1),
    );
    Ok((plan, maker.forecast))
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
        let rows = table.rows.as_deref().map(numbers);
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
