//! Does one unit: reads its layer, checks that it is the planned one, searches its block.

use std::cell::OnceCell;
use std::ops::Range;
use std::path::Path;

use ndarray::{Array2, s};

use super::file::{self, Payload};
use super::key::{Key, fingerprint_of_targets};
use super::make::block_content;
use super::plan::Plan;
use super::ranges::numbers;
use super::search::{PlannedSearch, PlannedSought};
use super::shards::table_of;
use super::work::{Analysis, Work};
use crate::cache::{check_content, fingerprint};
use crate::error::{Error, Result};
use crate::input::Matrix;
use crate::neighbours::{
    Points, SearchOptions, Targets, count_ranks_of_rows, order_distances_of_rows, table_of_rows,
};
use crate::profile::imbalance::ImbalanceSearches;
use crate::progress::Progress;

/// What became of a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// It was whole already.
    Found,
    /// It was done, where nothing or something else was.
    Made,
}

/// The rows of a planned search, which are what they were.
///
/// # Errors
/// [`Error::InputChanged`]; whatever reading gives.
pub(super) fn read_rows(works: &[Work], search: &PlannedSearch) -> Result<Matrix> {
    let rows = search.rows.as_deref().map(numbers);
    let work = works.get(search.work).ok_or_else(|| gone(search))?;
    let matrix = work.read(search.right, search.at, &search.layer, rows.as_deref())?;
    let changed = |fact: String| Error::InputChanged {
        what: format!("layer {}", search.layer),
        fact,
    };
    let (n, columns) = (matrix.n_rows(), matrix.n_columns());
    if (n, columns) != (search.n, search.columns) {
        return Err(changed(format!(
            "it has {n} rows of {columns} columns, and had {} of {} when the run was planned",
            search.n, search.columns
        )));
    }
    if fingerprint(&matrix) != search.content {
        let differs = search
            .blocks
            .iter()
            .find(|block| block_content(&matrix, block.start..block.end) != block.content);
        return Err(changed(match differs {
            Some(block) => format!(
                "rows {}..{} of those that take part are not what they were when the run was planned",
                block.start, block.end
            ),
            None => "its type is not what it was when the run was planned".into(),
        }));
    }
    Ok(matrix)
}

fn gone(search: &PlannedSearch) -> Error {
    Error::InputChanged {
        what: format!("layer {}", search.layer),
        fact: "the analysis has no such dump any more".into(),
    }
}

/// A layer of the plan with all its rows at hand.
pub(super) struct Layer<'a> {
    plan: &'a Plan,
    works: &'a [Work],
    points: &'a Points<'a>,
    /// Those of a count of ranks, once they were needed: all blocks of a layer share them.
    targets: OnceCell<AllTargets>,
}

/// Targets of all rows, and their groups.
type AllTargets = (Array2<u32>, Vec<Range<usize>>);

impl<'a> Layer<'a> {
    pub(super) fn new(plan: &'a Plan, works: &'a [Work], points: &'a Points<'a>) -> Self {
        Self {
            plan,
            works,
            points,
            targets: OnceCell::new(),
        }
    }

    /// Searches the block of `unit` and writes what it found.
    pub(super) fn make(
        &self,
        folder: &Path,
        unit: usize,
        options: &SearchOptions,
        progress: &dyn Progress,
    ) -> Result<()> {
        let (search, block) = self.plan.unit(unit);
        let rows = block.start..block.end;
        let mut key = Key::expected(self.plan, unit);
        let points = self.points;
        let payload = match &search.sought {
            PlannedSought::Table(k) => {
                Payload::Table(table_of_rows(points, rows, *k, options, progress)?)
            }
            PlannedSought::Orders(orders) => {
                order_distances_of_rows(points, rows, orders, options, progress)?.into()
            }
            PlannedSought::Ranks { count, .. } => {
                let (all, groups) = self.targets(folder, search, *count)?;
                let targets = Targets {
                    rows: all.slice(s![rows.clone(), ..]),
                    groups,
                };
                key.targets = fingerprint_of_targets(&targets);
                Payload::Ranks(count_ranks_of_rows(
                    points, rows, &targets, options, progress,
                )?)
            }
        };
        check_content(points.matrix(), &search.content, &search.layer)?;
        file::write(&file::place(folder, unit), &key, &payload)
    }

    /// The targets of a count of ranks, from the tables of other layers.
    pub(super) fn targets(
        &self,
        folder: &Path,
        search: &PlannedSearch,
        count: usize,
    ) -> Result<&AllTargets> {
        if let Some(known) = self.targets.get() {
            return Ok(known);
        }
        let found = self.seek_targets(folder, search, count)?;
        Ok(self.targets.get_or_init(|| found))
    }

    fn seek_targets(
        &self,
        folder: &Path,
        search: &PlannedSearch,
        count: usize,
    ) -> Result<AllTargets> {
        let work = self.works.get(search.work).ok_or_else(|| gone(search))?;
        let Analysis::Imbalance(options) = &work.analysis else {
            return Err(gone(search));
        };
        let rows_of = |right: bool| {
            let of_side =
                |other: &&PlannedSearch| other.work == search.work && other.right == right;
            let found = self.plan.searches.iter().find(of_side);
            found.and_then(|found| found.rows.as_deref().map(numbers))
        };
        let comparison = work.comparison_of([rows_of(false), rows_of(true)])?;
        let searches = ImbalanceSearches::new(&comparison, options)?;
        let planned = searches.ranks().get(count).is_some_and(|ranks| {
            let PlannedSought::Ranks {
                targets, groups, ..
            } = search.sought
            else {
                return false;
            };
            let found = (ranks.right, ranks.layer, ranks.targets, ranks.groups);
            found == (search.right, search.at, targets, groups)
        });
        if !planned {
            return Err(Error::InputChanged {
                what: format!("layer {}", search.layer),
                fact: "it is compared with other layers than when the run was planned".into(),
            });
        }
        searches.targets(count, &|right, at, k| {
            let is_it = |other: &&(usize, &PlannedSearch)| {
                let other = other.1;
                (other.work, other.right, other.at) == (search.work, right, at)
                    && other.sought == PlannedSought::Table(k)
            };
            let all = self.plan.searches.iter().enumerate();
            let (place, _) = all
                .clone()
                .find(|one| is_it(&one))
                .ok_or_else(|| gone(search))?;
            table_of(self.plan, folder, place)
        })
    }
}
