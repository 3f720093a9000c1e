//! The plan of a search among rows in the memory of one device: which tiles meet, how long lists may
//! grow, when they are pruned. `share` does so block by block where not all rows are there at once.
//!
//! Every row has a list of as many entries as fit. Tiles meet by diagonals, so that all rows have
//! met equally many others at any time, and rows lie in visiting order, so that those met are a
//! sample of all. After some diagonals the lists are pruned and cuts rise: the more rows were met,
//! the fewer of the next ones pass. How many diagonals come next is guessed from how long the lists
//! are; if a list overflows, the lists are as before, and half as many diagonals are tried. One
//! diagonal always fits, whatever the data: pruning leaves half of each list free.

use rayon::prelude::*;

use super::machine::{Fault, Judged, Layout, Machine, Rounding};
use crate::neighbours::filter::Bound;
use crate::neighbours::points::{Points, Verdict};
use crate::neighbours::table::by_distance_then_row;
use crate::progress::Progress;

/// Rows whose exact distances set θ and check the bound.
const SAMPLES: usize = 16;

/// Distances of each that are compared with the processor's.
const COMPARED: usize = 64;

/// The longest lists that a device keeps: a block prunes one in its shared memory.
const LONGEST: usize = 4096;

/// The largest k that a device looks for.
pub(super) const MOST: usize = LONGEST / 4;

/// Entries that a list of the `k` nearest has room for: half of them after it was pruned, and what
/// one diagonal brings. Long lists are pruned less often.
pub(super) fn capacity(k: usize, tile: usize) -> usize {
    let long = (8 * k).next_power_of_two().min(LONGEST);
    long.max((8 * tile).next_power_of_two())
}

/// Roundings that a product of `width` bf16 values passes through on a tensor core, at most.
///
/// No order of its sums is documented. What was measured (Fasi, Higham, Mikaitis and Pranesh, PeerJ
/// Computer Science 7:e330, 2021) is blocks of 4, 8 or 16 products that are aligned with the sum so
/// far at the largest exponent, cut off 2^−23 below it, added, and cut off once more. With blocks
/// of 4 that are 6 cuts for 4 products, none larger than 2^−23, two roundings, of the sum of all
/// |products|: 3 a product. The sample checks it on every layer.
pub(super) fn steps(width: usize) -> usize {
    3 * width + 64
}

/// D² and row of the nearest of one row, nearest first.
pub(super) type List = Vec<(f64, u32)>;

/// The k nearest of the rows on the machine of every row that seeks, in the order of positions.
///
/// Where `farthest` has a D² for a row, those beyond it may be left out.
pub(super) fn nearest(
    machine: &mut dyn Machine,
    points: &Points<'_>,
    k: usize,
    farthest: &[f64],
    progress: &dyn Progress,
) -> Result<Vec<List>, Fault> {
    let layout = machine.layout().clone();
    progress.begin("bound", 1);
    let Rounding { measured, scale } = machine.round()?;
    let width = points.n_columns();
    let mut bound = Bound::new(&measured, width, steps(width));
    let sample = Sample::take(machine, points, scale)?;
    let farthest = |p: usize| match farthest.get(p - layout.seekers.start) {
        Some(squared) => squared * scale * scale,
        None => f64::INFINITY,
    };
    bound.fit(sample.typical(&layout, k, farthest).sqrt());
    let capacity = capacity(k, layout.tile);
    let mut thresholds = vec![f64::INFINITY; layout.order.len()];
    for p in layout.seekers.clone() {
        thresholds[p] = farthest(p);
    }
    // The sample takes whatever it meets first, so that there is something to check.
    for &p in &sample.positions {
        thresholds[p as usize] = f64::INFINITY;
    }
    machine.begin(&bound, k, capacity, &thresholds)?;
    progress.end();

    let diagonals = layout.diagonals();
    progress.begin("neighbours", diagonals as u64);
    let mut pace = Pace::new(&layout, capacity);
    let mut done = 0;
    while done < diagonals {
        let count = pace.next().min(diagonals - done);
        if machine.visit(done..done + count)? {
            if done == 0 {
                sample.check(machine, &bound)?;
            }
            done += count;
            progress.advance(count as u64);
            pace.pruned(count, machine.prune()?);
        } else if count == 1 {
            return Err(Fault("a list overflowed that had room".into()));
        } else {
            pace.overflowed(count);
        }
    }
    progress.end();
    let mut rows = Vec::with_capacity(layout.seekers.len());
    progress.begin("verdicts", layout.seekers.len() as u64);
    machine.judge(&mut |judged| {
        rows.extend(finish(judged, k));
        progress.advance(judged.positions.len() as u64);
    })?;
    progress.end();
    Ok(rows)
}

/// The nearest of each list, by distance and then by row.
fn finish(judged: &Judged, k: usize) -> Vec<List> {
    let bounds = judged.starts.par_windows(2);
    bounds
        .map(|ends| {
            #[allow(clippy::cast_possible_truncation)]
            let range = ends[0] as usize..ends[1] as usize;
            let (squared, rows) = (&judged.squared[range.clone()], &judged.rows[range]);
            let mut list: List = squared.iter().copied().zip(rows.iter().copied()).collect();
            list.sort_unstable_by(by_distance_then_row);
            list.truncate(k);
            list.shrink_to_fit();
            list
        })
        .collect()
}

/// How many diagonals come next.
struct Pace {
    capacity: usize,
    met: usize,
    /// Diagonals done.
    done: usize,
    longest: usize,
    /// Lowered by every overflow.
    courage: f64,
    /// Set by an overflow: no more than this.
    limit: usize,
}

impl Pace {
    fn new(layout: &Layout, capacity: usize) -> Self {
        Self {
            capacity,
            met: layout.met(),
            done: 0,
            longest: 0,
            courage: 1.0,
            limit: usize::MAX,
        }
    }

    fn next(&self) -> usize {
        let room = self.capacity.saturating_sub(self.longest);
        let safe = room / self.met;
        // What d diagonals left of the longest list, as many may bring again; of 10⁶ rows some get
        // nearly twice as many.
        let share = room as f64 / self.longest.max(1) as f64;
        let hopeful = 0.5 * self.courage * self.done as f64 * share;
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let hopeful = hopeful as usize;
        safe.max(hopeful).clamp(1, self.limit)
    }

    fn pruned(&mut self, count: usize, longest: usize) {
        self.done += count;
        self.longest = longest;
        self.courage = (2.0 * self.courage).min(1.0);
        self.limit = usize::MAX;
    }

    fn overflowed(&mut self, count: usize) {
        self.courage *= 0.25;
        self.limit = count / 2;
    }
}

/// A few rows that seek, with their exact distances.
pub(super) struct Sample {
    pub(super) positions: Vec<u32>,
    /// positions × rows that may be found.
    pub(super) squared: Vec<f64>,
    pub(super) targets: usize,
    /// What distances are multiplied by in scores.
    scale: f64,
}

impl Sample {
    pub(super) fn take(
        machine: &mut dyn Machine,
        points: &Points<'_>,
        scale: f64,
    ) -> Result<Self, Fault> {
        let layout = machine.layout().clone();
        let step = layout.seekers.len().div_ceil(SAMPLES).max(1);
        #[allow(clippy::cast_possible_truncation)]
        let positions: Vec<u32> = layout
            .seekers
            .clone()
            .step_by(step)
            .map(|p| p as u32)
            .collect();
        let squared = machine.scan(&positions)?;
        hold_to_verdicts(points, &layout, &positions, &squared)?;
        Ok(Self {
            positions,
            squared,
            scale,
            targets: layout.targets.len(),
        })
    }

    /// The middle one of the sampled rows' k-th smallest D², or of what is known to be no less.
    fn typical(&self, layout: &Layout, k: usize, farthest: impl Fn(usize) -> f64 + Sync) -> f64 {
        let mut of_order: Vec<f64> = self
            .positions
            .par_iter()
            .zip(self.squared.par_chunks(self.targets))
            .map(|(&p, squared)| {
                let scaled = squared.iter().map(|d| d * self.scale * self.scale);
                let mut squared: Vec<f64> = scaled.collect();
                if layout.is_symmetric() {
                    squared.remove(p as usize);
                }
                let at = k.clamp(1, squared.len()) - 1;
                let nearest = *squared.select_nth_unstable_by(at, f64::total_cmp).1;
                nearest.min(farthest(p as usize))
            })
            .collect();
        of_order.sort_unstable_by(f64::total_cmp);
        of_order[of_order.len() / 2]
    }

    /// Holds the bound to the exact distances of what the first diagonals put on the lists.
    fn check(&self, machine: &mut dyn Machine, bound: &Bound) -> Result<(), Fault> {
        for (&p, squared) in self.positions.iter().zip(self.squared.chunks(self.targets)) {
            let p = p as usize;
            for (score, q) in machine.entries(p)? {
                let (q, score) = (q as usize, f64::from(score));
                let exact = squared[q] * self.scale * self.scale;
                if !(bound.lower(p, q, score) <= exact && exact <= bound.upper(p, q, score)) {
                    return Err(Fault("its products break their bound".into()));
                }
            }
        }
        Ok(())
    }
}

/// Compares some distances of a device, bit for bit, with verdicts of the processor: rows that did
/// not arrive as they were sent would give other numbers without a word.
fn hold_to_verdicts(
    points: &Points<'_>,
    layout: &Layout,
    samples: &[u32],
    squared: &[f64],
) -> Result<(), Fault> {
    let targets = layout.targets.len();
    let step = targets.div_ceil(COMPARED).max(1);
    let same = samples
        .par_iter()
        .zip(squared.par_chunks(targets))
        .enumerate();
    let same = same.all(|(at, (&p, squared))| {
        // Each sample looks at other rows.
        let others: Vec<usize> = (at % step..targets).step_by(step).collect();
        let mut verdict = Verdict::new(points);
        verdict.stand_at(layout.order[p as usize] as usize);
        let judged = verdict.judge(others.iter().map(|&q| layout.order[q]).collect());
        let mut pairs = others.iter().zip(judged);
        pairs.all(|(&q, (exact, _))| exact.to_bits() == squared[q].to_bits())
    });
    if same {
        Ok(())
    } else {
        Err(Fault("its distances are not the processor's".into()))
    }
}
