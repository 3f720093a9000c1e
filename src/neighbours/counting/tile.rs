//! The rows of one tile: their thresholds, and what was counted.

use std::ops::Range;

use super::super::filter::Operand;
use super::super::points::{Points, Verdict};
use super::targets::{RankCounts, Targets, Way, scaled};

/// The thresholds of the rows of one tile, and what was counted so far.
pub(super) struct Tile {
    pub(super) positions: Range<usize>,
    /// Thresholds of each row.
    pub(super) wanted: usize,
    /// rows × wanted: the exact D² of the targets, ascending with ties by row.
    pub(super) squared: Vec<f64>,
    /// The row of each of them.
    pub(super) rows: Vec<u32>,
    /// Its column among the targets.
    pub(super) columns: Vec<u32>,
    /// `Bound::cut` of each: a pair below it is certainly farther.
    pub(super) cuts: Vec<f32>,
    /// The same for `Bound::sure_cut`: a pair above it is certainly nearer.
    pub(super) sure: Vec<f32>,
    pub(super) way: Way,
    /// rows × wanted: how many pairs stand before this threshold, counted from the threshold before
    /// it ([`Way::Pair`]) or all of them ([`Way::Threshold`]).
    pub(super) before: Vec<u32>,
    /// rows × groups.
    pub(super) nearer: Vec<u64>,
}

/// What all tiles are made of.
pub(super) struct Whose<'a, 't> {
    pub(super) points: &'a Points<'a>,
    /// Of rows from `start` on.
    pub(super) targets: &'a Targets<'t>,
    pub(super) start: usize,
    pub(super) order: &'a [u32],
    pub(super) operand: Option<&'a Operand<'a>>,
}

impl Tile {
    /// The tile at `positions`; its rows have no thresholds unless it asks.
    pub(super) fn new(whose: &Whose<'_, '_>, positions: Range<usize>, asks: bool) -> Self {
        let Whose {
            points,
            targets,
            start,
            order,
            operand,
        } = *whose;
        let wanted = if asks { targets.rows.ncols() } else { 0 };
        let size = positions.len() * wanted;
        let mut tile = Self {
            positions: positions.clone(),
            wanted,
            squared: Vec::with_capacity(size),
            rows: Vec::with_capacity(size),
            columns: Vec::with_capacity(size),
            cuts: Vec::new(),
            sure: Vec::new(),
            way: Way::of(targets),
            before: vec![0; size],
            nearer: vec![0; positions.len() * targets.groups.len()],
        };
        if !asks {
            return tile;
        }
        let mut verdict = Verdict::new(points);
        for p in positions {
            let row = order[p];
            verdict.stand_at(row as usize);
            let judged = verdict.judge(targets.rows.row(row as usize - start).to_vec());
            let mut thresholds: Vec<(f64, u32, u32)> = judged
                .into_iter()
                .zip(0..)
                .map(|((squared, target), column)| (squared, target, column))
                .collect();
            thresholds.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            for (squared, target, column) in thresholds {
                assert_ne!(target, row, "a row has no rank from itself");
                tile.squared.push(squared);
                tile.rows.push(target);
                tile.columns.push(column);
                if let Some(operand) = operand {
                    let threshold = scaled(operand, squared);
                    tile.cuts.push(operand.bound.cut(p, threshold));
                    if tile.way == Way::Threshold {
                        tile.sure.push(operand.bound.sure_cut(p, threshold));
                    }
                }
            }
        }
        tile
    }

    /// Turns counts into ranks, at the place of their rows, of which `start` is the first.
    pub(super) fn finish(self, order: &[u32], start: usize, counts: &mut RankCounts) {
        let groups = counts.nearer.ncols();
        for (r, p) in self.positions.enumerate() {
            let row = order[p] as usize;
            let own = r * self.wanted..(r + 1) * self.wanted;
            let mut sum = 0;
            for (&column, &before) in self.columns[own.clone()].iter().zip(&self.before[own]) {
                sum = match self.way {
                    Way::Pair => sum + before,
                    Way::Threshold => before,
                };
                counts.ranks[[row - start, column as usize]] = 1 + sum;
            }
            let nearer = &self.nearer[r * groups..(r + 1) * groups];
            for (out, &nearer) in counts.nearer.row_mut(row).iter_mut().zip(nearer) {
                *out = nearer;
            }
        }
    }
}
