//! Recomputes random rows of a run by the definition, every distance in f64.

use std::collections::BTreeMap;
use std::ops::Range;

use ndarray::{Array2, ArrayView1};
use rayon::prelude::*;

use super::file::{self, Payload};
use super::key::Key;
use super::plan::Plan;
use super::run::Run;
use super::search::{Block, PlannedSought};
use super::unit::{Layer, read_rows};
use super::work::Work;
use crate::error::{Error, Result};
use crate::neighbours::{NeighbourTable, Points, RankCounts, squared_distance};
use crate::progress::Progress;
use crate::random::SplitMix64;

/// What was recomputed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    /// Rows.
    pub rows: usize,
    /// Units that they are of.
    pub units: usize,
}

/// Recomputes `count` random rows, of random units, and compares them bit by bit.
///
/// # Errors
/// [`Error::Identity`] for a row that is another; as [`Run::finished`] and [`Run::work`].
pub fn verify(
    run: &Run,
    works: &[Work],
    count: usize,
    seed: u64,
    progress: &dyn Progress,
) -> Result<Verified> {
    run.finished()?;
    let plan = &run.plan;
    let drawn = draw(plan, count, seed);
    progress.begin("rows by definition", count as u64);
    for (&unit, rows) in &drawn {
        let (search, block) = plan.unit(unit);
        let matrix = read_rows(works, search)?;
        let points = Points::new(&matrix, plan.distance(), &search.layer)?;
        let path = file::place(run.folder(), unit);
        let part = file::read(&path, &Key::expected(plan, unit));
        let (_, part) = part.map_err(|fault| fault.error(&path))?;
        let layer = Layer::new(plan, works, &points);
        let targets = match &search.sought {
            PlannedSought::Ranks { count, .. } => {
                Some(layer.targets(run.folder(), search, *count)?)
            }
            _ => None,
        };
        for &row in rows {
            let right = match (&part, &search.sought, &targets) {
                (Payload::Table(table), ..) => is_table(table, row - block.start, &points, row),
                (Payload::Orders(distances), PlannedSought::Orders(orders), _) => {
                    let found = distances.column(row - block.start);
                    are_distances(found, orders, &points, row)
                }
                (Payload::Ranks(counts), _, Some(targets)) => {
                    are_ranks(counts, targets, block, &points, row)
                }
                _ => false,
            };
            if !right {
                return Err(wrong(&path, &search.layer, row));
            }
            progress.advance(1);
        }
    }
    progress.end();
    Ok(Verified {
        rows: count,
        units: drawn.len(),
    })
}

/// Random rows of random units.
fn draw(plan: &Plan, count: usize, seed: u64) -> BTreeMap<usize, Vec<usize>> {
    let mut random = SplitMix64::new(seed);
    let mut drawn: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for _ in 0..count {
        let unit = below(&mut random, plan.units());
        let (_, block) = plan.unit(unit);
        let row = block.start + below(&mut random, block.end - block.start);
        drawn.entry(unit).or_default().push(row);
    }
    drawn
}

/// Whether row `at` of a table holds the nearest of `row`.
fn is_table(table: &NeighbourTable, at: usize, points: &Points<'_>, row: usize) -> bool {
    let sorted = sorted(points, row);
    (0..table.k()).all(|place| {
        let (squared, other) = sorted[place];
        table.indices[[at, place]] == other
            && table.distances[[at, place]].to_bits() == squared.sqrt().to_bits()
    })
}

/// Whether these are the distances of `row` at `orders`.
fn are_distances(
    found: ArrayView1<'_, f64>,
    orders: &[usize],
    points: &Points<'_>,
    row: usize,
) -> bool {
    let sorted = sorted(points, row);
    let mut each = orders.iter().zip(found);
    found.len() == orders.len()
        && each.all(|(&order, distance)| {
            let squared = sorted[order - 1].0;
            distance.to_bits() == squared.sqrt().to_bits()
        })
}

/// Whether the ranks of the targets of `row` are right, and how often it stood before others'.
fn are_ranks(
    counts: &RankCounts,
    (targets, groups): &(Array2<u32>, Vec<Range<usize>>),
    block: &Block,
    points: &Points<'_>,
    row: usize,
) -> bool {
    let sorted = sorted(points, row);
    let rank = |target: u32| 1 + sorted.iter().take_while(|one| one.1 != target).count();
    let ranks = counts.ranks.row(row - block.start);
    let mut each = targets.row(row).into_iter().zip(ranks);
    let ranks_fit = ranks.len() == targets.ncols()
        && each.all(|(&target, &found)| found as usize == rank(target));
    let stood = nearer(points, row, block.start..block.end, targets, groups);
    ranks_fit && counts.nearer.row(row).iter().eq(&stood)
}

/// A number below `count`, which is not 0.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn below(random: &mut SplitMix64, count: usize) -> usize {
    ((random.uniform() * count as f64) as usize).min(count - 1)
}

fn wrong(path: &std::path::Path, layer: &str, row: usize) -> Error {
    Error::Identity {
        path: path.to_owned(),
        fact: format!("row {row} of layer {layer} is not what its definition gives"),
        remedy: "delete the file, run repgeo shard, and find out what wrote it".into(),
    }
}

fn values(points: &Points<'_>, row: usize) -> Vec<f64> {
    let mut values = vec![0.0; points.n_columns()];
    points.row(row, &mut values);
    values
}

/// All other rows by their squared distance from `row`, equal ones by number.
fn sorted(points: &Points<'_>, row: usize) -> Vec<(f64, u32)> {
    let from = values(points, row);
    let others = (0..points.n_rows()).into_par_iter();
    let mut all: Vec<(f64, u32)> = others
        .filter(|&other| other != row)
        .map(|other| {
            let squared = squared_distance(&from, &values(points, other));
            (squared, u32::try_from(other).unwrap_or(u32::MAX))
        })
        .collect();
    all.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    all
}

/// How often `row` stood before a target of the rows `block`, by group.
fn nearer(
    points: &Points<'_>,
    row: usize,
    block: Range<usize>,
    targets: &Array2<u32>,
    groups: &[Range<usize>],
) -> Vec<u64> {
    let own = values(points, row);
    let number = u32::try_from(row).unwrap_or(u32::MAX);
    let of_row = |from: usize| -> Vec<u64> {
        let values_of = values(points, from);
        let distance = squared_distance(&values_of, &own);
        let before: Vec<bool> = targets
            .row(from)
            .iter()
            .map(|&target| {
                let squared = squared_distance(&values_of, &values(points, target as usize));
                (distance, number) < (squared, target)
            })
            .collect();
        let of_group = |columns: &Range<usize>| {
            let stood = before[columns.clone()].iter().filter(|before| **before);
            stood.count() as u64
        };
        groups.iter().map(of_group).collect()
    };
    let rows = block.into_par_iter().filter(|&from| from != row);
    rows.map(of_row).reduce(
        || vec![0; groups.len()],
        |mut sums, more| {
            sums.iter_mut()
                .zip(more)
                .for_each(|(sum, more)| *sum += more);
            sums
        },
    )
}
