//! Few thresholds a row: each is compared with all pairs, many pairs an instruction.

use std::ops::Range;

use super::super::filter::Operand;
use super::super::flags::{BLOCK, flag, for_each_flagged};
use super::targets::RowOfTile;

/// Room for the work on one pair of tiles.
#[derive(Default)]
pub(super) struct ByThreshold {
    /// What a product must exceed the cut by, for a pair that may be nearer.
    terms: Vec<f32>,
    /// The same for a pair that certainly is.
    sure_terms: Vec<f32>,
    /// Products less these terms, for one row.
    keys: Vec<f32>,
    sure_keys: Vec<f32>,
    /// groups × columns: how many thresholds of a group are certainly farther than the column.
    nearer: Vec<u32>,
    /// The first threshold that each undecided pair was counted at.
    counted: Vec<usize>,
}

impl ByThreshold {
    /// Prepares for the rows at `columns`.
    pub(super) fn begin(&mut self, operand: &Operand, columns: &Range<usize>, groups: usize) {
        self.terms.clear();
        self.terms
            .extend(columns.clone().map(|q| operand.bound.column_term(q)));
        self.sure_terms.clear();
        self.sure_terms
            .extend(columns.clone().map(|q| operand.bound.sure_term(q)));
        self.keys.resize(columns.len(), 0.0);
        self.sure_keys.resize(columns.len(), 0.0);
        self.nearer.clear();
        self.nearer.resize(groups * columns.len(), 0);
    }

    /// Adds what was counted to `nearer`, columns × groups.
    pub(super) fn add_to(&self, nearer: &mut [u32], groups: usize) {
        let width = self.keys.len();
        for group in 0..groups {
            let sums = &self.nearer[group * width..(group + 1) * width];
            for (column, &sum) in sums.iter().enumerate() {
                nearer[column * groups + group] += sum;
            }
        }
    }

    /// The first threshold that undecided pair `at` of the last row was counted at.
    pub(super) fn first_counted(&self, at: usize) -> usize {
        self.counted[at]
    }

    /// Counts, for each threshold, the pairs that are certainly nearer; pairs that may stand on
    /// either side of one go to `undecided`, each once.
    #[inline(always)]
    pub(super) fn place(
        &mut self,
        row: &RowOfTile<'_>,
        products: &[f32],
        (cuts, sure_cuts): (&[f32], &[f32]),
        before: &mut [u32],
        undecided: &mut Vec<usize>,
    ) {
        let width = products.len();
        subtract(products, &self.terms, &mut self.keys);
        subtract(products, &self.sure_terms, &mut self.sure_keys);
        if row.columns.contains(&row.position) {
            // A row is not its own neighbour: farther than everything.
            let itself = row.position - row.columns.start;
            self.keys[itself] = f32::NEG_INFINITY;
            self.sure_keys[itself] = f32::NEG_INFINITY;
        }
        for start in (0..width).step_by(BLOCK) {
            let block = start..(start + BLOCK).min(width);
            // Most pairs are farther than most thresholds: those that the nearest pair of a block
            // does not reach need no comparison.
            let nearest = largest(&self.keys[block.clone()]);
            let reached = cuts.partition_point(|&cut| cut > nearest);
            for place in reached..cuts.len() {
                let (cut, sure) = (cuts[place], sure_cuts[place]);
                let groups = &row.thresholds.groups_of[row.thresholds.columns[place] as usize];
                let mut sums = groups
                    .iter()
                    .map(|group| group * width + block.start..group * width + block.end);
                let keys = &self.keys[block.clone()];
                let sure_keys = &self.sure_keys[block.clone()];
                let (certain, possible) = match sums.next() {
                    None => count(keys, sure_keys, cut, sure),
                    Some(first) => {
                        count_and_add(keys, sure_keys, cut, sure, &mut self.nearer[first])
                    }
                };
                before[place] += certain;
                for group in sums {
                    add_sure(sure_keys, sure, &mut self.nearer[group]);
                }
                // Whoever is certainly nearer may be nearer, so equal counts leave nobody open.
                if certain != possible {
                    let flags: [u8; BLOCK] = flag(keys, sure_keys, |key, sure_key| {
                        (key >= cut) & (sure_key <= sure)
                    });
                    for_each_flagged(&flags, |lane| undecided.push(start + lane));
                }
            }
        }
        // A pair may be open at several thresholds.
        undecided.sort_unstable();
        undecided.dedup();
        self.counted.clear();
        for q in undecided {
            let sure_key = self.sure_keys[*q];
            let counted = sure_cuts.partition_point(|&sure| sure_key <= sure);
            self.counted.push(counted);
            *q += row.columns.start;
        }
    }
}

#[inline(always)]
fn subtract(products: &[f32], terms: &[f32], keys: &mut [f32]) {
    for ((key, product), term) in keys.iter_mut().zip(products).zip(terms) {
        *key = product - term;
    }
}

#[inline(always)]
fn largest(keys: &[f32]) -> f32 {
    let mut lanes = [f32::NEG_INFINITY; 16];
    let (vectors, tail) = keys.as_chunks::<16>();
    let larger = |a: f32, b: f32| if a > b { a } else { b };
    for vector in vectors {
        for (lane, &key) in lanes.iter_mut().zip(vector) {
            *lane = larger(key, *lane);
        }
    }
    let all = lanes.into_iter().chain(tail.iter().copied());
    all.fold(f32::NEG_INFINITY, larger)
}

/// How many pairs are certainly nearer, and how many may be.
#[inline(always)]
fn count(keys: &[f32], sure_keys: &[f32], cut: f32, sure: f32) -> (u32, u32) {
    let (mut certain, mut possible) = (0, 0);
    for (&key, &sure_key) in keys.iter().zip(sure_keys) {
        certain += u32::from(sure_key > sure);
        possible += u32::from(key >= cut);
    }
    (certain, possible)
}

/// The same, and adds each that is certainly nearer to its sum.
#[inline(always)]
fn count_and_add(
    keys: &[f32],
    sure_keys: &[f32],
    cut: f32,
    sure: f32,
    nearer: &mut [u32],
) -> (u32, u32) {
    let (mut certain, mut possible) = (0, 0);
    for ((&key, &sure_key), sum) in keys.iter().zip(sure_keys).zip(nearer) {
        let nearer = u32::from(sure_key > sure);
        *sum += nearer;
        certain += nearer;
        possible += u32::from(key >= cut);
    }
    (certain, possible)
}

#[inline(always)]
fn add_sure(sure_keys: &[f32], sure: f32, nearer: &mut [u32]) {
    for (sum, &sure_key) in nearer.iter_mut().zip(sure_keys) {
        *sum += u32::from(sure_key > sure);
    }
}
