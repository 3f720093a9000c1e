//! The plan of a rank count on a device.
//!
//! The wanted distances are exact beforehand, so they are thresholds that never move: every pair is
//! multiplied once and placed between two thresholds of the row that seeks. Where the bound cannot
//! tell, the exact distance does. Far from the nearest rows distances lie dense, so rows are split
//! into two parts of bf16, which leaves far fewer pairs to it than one.
//!
//! The sample's rows are counted from exact distances too, and must agree; and all that rows stand
//! before is all that stands before rows, whoever counts it.

use ndarray::Array2;
use rayon::prelude::*;

use super::cut::Search;
use super::machine::{Aim, Counts, Cuts, Fault, Layout, Machine, Rounding, Thresholds};
use super::plan::{Sample, steps};
use super::share::Job;
use crate::neighbours::counting::{RankCounts, Targets};
use crate::neighbours::filter::Bound;
use crate::neighbours::points::{Points, Verdict};
use crate::progress::Progress;

/// The ranks of the targets of some rows.
pub(super) struct Ranking<'a, 't> {
    pub(super) search: Search<'a>,
    /// Of rows from `start` on.
    pub(super) targets: &'a Targets<'t>,
    pub(super) start: usize,
}

/// What was counted for some rows: their ranks by column less 1, and how often each row of the layer
/// stood before one.
pub(super) struct Ranked {
    ranks: Array2<u32>,
    nearer: Array2<u64>,
}

impl Job for Ranking<'_, '_> {
    type Found = Ranked;

    fn search(&self) -> &Search<'_> {
        &self.search
    }

    fn aim(&self) -> Aim {
        let (wanted, groups) = (self.targets.rows.ncols(), self.targets.groups.len());
        Aim::Ranks { wanted, groups }
    }

    fn nothing(&self, seekers: &[u32]) -> Ranked {
        let (wanted, groups) = (self.targets.rows.ncols(), self.targets.groups.len());
        Ranked {
            ranks: Array2::zeros((seekers.len(), wanted)),
            nearer: Array2::zeros((self.search.points.n_rows(), groups)),
        }
    }

    fn meet(
        &self,
        machine: &mut dyn Machine,
        seekers: &[u32],
        found: &mut Ranked,
        progress: &dyn Progress,
    ) -> Result<(), Fault> {
        let points = self.search.points;
        let (thresholds, columns) = self.thresholds(seekers);
        let counts = count(machine, points, &thresholds, progress)?;
        let wanted = thresholds.wanted.max(1);
        let each = counts.before.chunks(wanted).zip(columns.chunks(wanted));
        for (mut ranks, (before, columns)) in found.ranks.rows_mut().into_iter().zip(each) {
            let mut sum = 0;
            for (&count, &column) in before.iter().zip(columns) {
                sum += count;
                ranks[column as usize] += sum;
            }
        }
        let layout = machine.layout();
        let groups = thresholds.groups.max(1);
        let targets = &layout.order[layout.targets.clone()];
        for (&row, nearer) in targets.iter().zip(counts.nearer.chunks(groups)) {
            let mut sums = found.nearer.row_mut(row as usize);
            sums.iter_mut()
                .zip(nearer)
                .for_each(|(sum, more)| *sum += more);
        }
        Ok(())
    }
}

impl Ranking<'_, '_> {
    /// The thresholds of some rows, and the column of each among the targets.
    fn thresholds(&self, seekers: &[u32]) -> (Thresholds, Vec<u32>) {
        let (wanted, groups) = (self.targets.rows.ncols(), self.targets.groups.len());
        let of = |verdict: &mut Verdict<'_>, &row: &u32| {
            verdict.stand_at(row as usize);
            let targets = self.targets.rows.row(row as usize - self.start);
            let judged = verdict.judge(targets.to_vec());
            let mut sorted: Vec<(f64, u32, u32)> = judged
                .into_iter()
                .zip(0..)
                .map(|((squared, target), column)| (squared, target, column))
                .collect();
            sorted.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            for &(_, target, _) in &sorted {
                assert_ne!(target, row, "a row has no rank from itself");
            }
            sorted
        };
        let points = self.search.points;
        let lists: Vec<_> = seekers
            .par_iter()
            .map_init(|| Verdict::new(points), of)
            .collect();
        let mut thresholds = Thresholds {
            wanted,
            groups,
            squared: Vec::with_capacity(seekers.len() * wanted),
            rows: Vec::with_capacity(seekers.len() * wanted),
            beyond: vec![0; seekers.len() * wanted * groups],
        };
        let mut columns = Vec::with_capacity(seekers.len() * wanted);
        for (s, list) in lists.iter().enumerate() {
            let mut sums = vec![0; groups];
            for (t, &(_, _, column)) in list.iter().enumerate().rev() {
                for (sum, group) in sums.iter_mut().zip(self.targets.groups) {
                    *sum += u32::from(group.contains(&(column as usize)));
                }
                let at = (s * wanted + t) * groups;
                thresholds.beyond[at..at + groups].copy_from_slice(&sums);
            }
            for &(squared, row, column) in list {
                thresholds.squared.push(squared);
                thresholds.rows.push(row);
                columns.push(column);
            }
        }
        (thresholds, columns)
    }

    /// All that was counted, from what was counted for some rows each.
    pub(super) fn join(&self, parts: Vec<(Vec<u32>, Ranked)>) -> RankCounts {
        let (n, groups) = (self.search.points.n_rows(), self.targets.groups.len());
        let mut counts = RankCounts {
            ranks: Array2::zeros(self.targets.rows.dim()),
            nearer: Array2::zeros((n, groups)),
        };
        for (seekers, part) in parts {
            for (&row, before) in seekers.iter().zip(part.ranks.rows()) {
                let mut ranks = counts.ranks.row_mut(row as usize - self.start);
                ranks
                    .iter_mut()
                    .zip(before)
                    .for_each(|(rank, before)| *rank = 1 + before);
            }
            counts.nearer += &part.nearer;
        }
        counts
    }
}

/// Counts the rows on the machine that may be found before each threshold.
fn count(
    machine: &mut dyn Machine,
    points: &Points<'_>,
    thresholds: &Thresholds,
    progress: &dyn Progress,
) -> Result<Counts, Fault> {
    let layout = machine.layout().clone();
    progress.begin("bound", 1);
    let Rounding { measured, scale } = machine.split()?;
    // Three products, and a thirty-second more for rows in two parts (`filter/amx`).
    let width = 3 * points.n_columns();
    let roundings = steps(width);
    let mut bound = Bound::new(&measured, width, roundings + roundings.div_ceil(32) + 1);
    let sample = Sample::take(machine, points, scale)?;
    bound.fit(typical(thresholds, scale).sqrt());
    machine.begin_count(thresholds, &Cuts::new(&bound, &layout, thresholds, scale))?;
    progress.end();
    let tiles = layout.tiles();
    progress.begin("ranks", tiles as u64);
    // How many tiles' undecided pairs fit is found out; those that were counted stay counted.
    let (mut done, mut counted, mut height) = (0, 0, tiles);
    while done < tiles {
        let end = (done + height).min(tiles);
        let again = end <= counted;
        if machine.place(done..end, again)? {
            machine.decide()?;
            progress.advance((end - done) as u64);
            (done, counted) = (end, counted.max(end));
            height *= 2;
        } else if end - done == 1 {
            return Err(Fault("pairs of one tile had no room".into()));
        } else {
            counted = counted.max(end);
            height = (end - done) / 2;
        }
        // What is ahead is counted up to a tile, or not at all.
        if done < counted {
            height = height.min(counted - done);
        }
    }
    progress.end();
    let counts = machine.counts()?;
    hold(&sample, &layout, thresholds, &counts)?;
    Ok(counts)
}

/// The middle one of the thresholds in the middle, in the units of scores.
fn typical(thresholds: &Thresholds, scale: f64) -> f64 {
    let each = thresholds.squared.chunks(thresholds.wanted.max(1));
    let mut middle: Vec<f64> = each.map(|list| list[list.len() / 2]).collect();
    middle.sort_unstable_by(f64::total_cmp);
    middle
        .get(middle.len() / 2)
        .map_or(0.0, |squared| squared * scale * scale)
}

impl Cuts {
    fn new(bound: &Bound, layout: &Layout, thresholds: &Thresholds, scale: f64) -> Self {
        let of = |cut: &dyn Fn(usize, f64) -> f32| -> Vec<f32> {
            let lists = thresholds.squared.chunks(thresholds.wanted.max(1));
            let each = layout.seekers.clone().zip(lists);
            let all = each.flat_map(|(p, list)| list.iter().map(move |&squared| (p, squared)));
            all.map(|(p, squared)| cut(p, squared * scale * scale))
                .collect()
        };
        let targets = || layout.targets.clone();
        Self {
            cuts: of(&|p, squared| bound.cut(p, squared)),
            sure: of(&|p, squared| bound.sure_cut(p, squared)),
            terms: targets().map(|q| bound.column_term(q)).collect(),
            sure_terms: targets().map(|q| bound.sure_term(q)).collect(),
        }
    }
}

/// Holds what was counted to the sample's exact distances, and both sides of it to each other.
fn hold(
    sample: &Sample,
    layout: &Layout,
    thresholds: &Thresholds,
    counts: &Counts,
) -> Result<(), Fault> {
    let (wanted, groups) = (thresholds.wanted, thresholds.groups);
    let names = &layout.order[layout.targets.clone()];
    for (&p, squared) in sample
        .positions
        .iter()
        .zip(sample.squared.chunks(sample.targets))
    {
        let s = p as usize - layout.seekers.start;
        let own = s * wanted..(s + 1) * wanted;
        let mut before = vec![0; wanted];
        for (q, (&name, &squared)) in names.iter().zip(squared).enumerate() {
            let itself = layout.is_symmetric() && q == p as usize;
            let place = thresholds.place(s, squared, name);
            if !itself && place < wanted {
                before[place] += 1;
            }
        }
        if before != counts.before[own] {
            return Err(Fault(
                "its ranks are not those of the exact distances".into(),
            ));
        }
    }
    for group in 0..groups {
        let stood: u64 = counts.nearer.iter().skip(group).step_by(groups).sum();
        let each = counts.before.iter().zip(thresholds.beyond.chunks(groups));
        let before: u64 = each
            .map(|(&count, beyond)| u64::from(count) * u64::from(beyond[group]))
            .sum();
        if stood != before {
            return Err(Fault("its counts contradict each other".into()));
        }
    }
    Ok(())
}

impl Thresholds {
    /// The first threshold of row `s` that a row `name` at this D² stands before; `wanted` if none.
    pub(super) fn place(&self, s: usize, squared: f64, name: u32) -> usize {
        let own = s * self.wanted..(s + 1) * self.wanted;
        let (all, rows) = (&self.squared[own.clone()], &self.rows[own]);
        let nearer = all.partition_point(|&threshold| threshold < squared);
        let ties = all[nearer..].iter().zip(&rows[nearer..]);
        let before = ties.take_while(|&(&threshold, &row)| threshold <= squared && row <= name);
        nearer + before.count()
    }
}
