//! Many thresholds a row: every pair that is near enough seeks its place among them.

use std::ops::Range;

use super::super::filter::Operand;
use super::super::flags::{BLOCK, flag, for_each_flagged};
use super::targets::{RowOfTile, Thresholds, scaled};

/// Room for the work on one pair of tiles.
#[derive(Default)]
pub(super) struct ByPair {
    terms: Vec<f32>,
    /// (thresholds + 1) × groups: how many thresholds of each group are not before this one.
    beyond: Vec<u32>,
}

impl ByPair {
    /// Prepares for the rows at `columns`.
    pub(super) fn begin(&mut self, operand: &Operand, columns: &Range<usize>) {
        self.terms.clear();
        self.terms
            .extend(columns.clone().map(|q| operand.bound.column_term(q)));
    }

    /// Prepares for one row.
    pub(super) fn sum_groups(&mut self, thresholds: &Thresholds<'_>) {
        let groups = thresholds.groups;
        self.beyond.clear();
        self.beyond
            .resize((thresholds.columns.len() + 1) * groups, 0);
        for (place, &column) in thresholds.columns.iter().enumerate().rev() {
            let (here, after) = self.beyond.split_at_mut((place + 1) * groups);
            let here = &mut here[place * groups..];
            here.copy_from_slice(&after[..groups]);
            for &group in &thresholds.groups_of[column as usize] {
                here[group] += 1;
            }
        }
    }

    /// Counts every pair that its score can place: `before` the threshold it comes to stand before,
    /// and in `nearer` (columns × groups); the others go to `undecided`.
    #[inline(always)]
    #[allow(clippy::too_many_arguments)]
    pub(super) fn place(
        &mut self,
        operand: &Operand,
        row: &RowOfTile<'_>,
        products: &[f32],
        cuts: &[f32],
        before: &mut [u32],
        nearer: &mut [u32],
        undecided: &mut Vec<usize>,
    ) {
        let (p, groups) = (row.position, row.thresholds.groups);
        let Some(&farthest) = cuts.last() else {
            return;
        };
        for start in (0..products.len()).step_by(BLOCK) {
            let block = start..(start + BLOCK).min(products.len());
            let flags: [u8; BLOCK] = flag(
                &products[block.clone()],
                &self.terms[block],
                |product, term| product - term >= farthest,
            );
            for_each_flagged(&flags, |lane| {
                let c = start + lane;
                let q = row.columns.start + c;
                if q == p {
                    return;
                }
                let key = products[c] - self.terms[c];
                // Thresholds before this one are certainly nearer than the pair.
                let place = cuts.partition_point(|&cut| key < cut);
                let Some(&squared) = row.thresholds.squared.get(place) else {
                    return;
                };
                let score = operand.bound.score(p, q, products[c]);
                if operand.bound.upper(p, q, score) >= scaled(operand, squared) {
                    undecided.push(q);
                    return;
                }
                before[place] += 1;
                let sums = &mut nearer[c * groups..(c + 1) * groups];
                let beyond = &self.beyond[place * groups..(place + 1) * groups];
                sums.iter_mut()
                    .zip(beyond)
                    .for_each(|(sum, count)| *sum += count);
            });
        }
    }
}
