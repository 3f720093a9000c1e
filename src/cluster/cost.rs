//! Measures what a search of a block takes on this machine, on some rows of the layer itself.

use std::time::Instant;

use ndarray::Array2;

use super::search::{PlannedSearch, PlannedSought};
use crate::error::Result;
use crate::input::Matrix;
use crate::neighbours::{
    Metric, Points, SearchOptions, Targets, count_ranks_of_rows, order_distances_of_rows,
    table_of_rows,
};
use crate::progress::Silent;

/// Rows that stand for all in a measurement; what a block takes grows with them.
const SAMPLE: usize = 50_000;

/// Pairs of rows, times columns, of the smaller of two measurements: some tenths of a second.
const PAIRS: f64 = 1e10;

/// Seconds of a search of m among n rows: fixed + pair·(m·n − m²/2), since pairs inside the block are
/// scored once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Cost {
    fixed: f64,
    pair: f64,
    n: f64,
}

impl Cost {
    /// Measures two blocks of different heights.
    pub(super) fn measure(
        matrix: &Matrix,
        layer: &str,
        metric: Metric,
        sought: &PlannedSought,
        options: &SearchOptions,
    ) -> Result<Self> {
        let n = matrix.n_rows();
        let step = n.div_ceil(SAMPLE).max(1);
        let rows: Vec<u32> = (0..n)
            .step_by(step)
            .filter_map(|row| u32::try_from(row).ok())
            .collect();
        let some = matrix.select(&rows);
        let points = Points::new(&some, metric, layer)?;
        let sampled = rows.len();
        let work = PAIRS * rayon::current_num_threads() as f64;
        let height = work / (sampled as f64 * matrix.n_columns().max(1) as f64);
        // A few tiles at least, and less than the whole.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let small = (height as usize).max(256).min(sampled.div_ceil(4)).max(1);
        let large = (3 * small).min(sampled);
        let time = |m: usize| -> Result<f64> {
            let start = Instant::now();
            search(&points, m, sought, options)?;
            Ok(start.elapsed().as_secs_f64())
        };
        // The first search of a process also waits for its pages and its threads.
        time(small.min(64))?;
        let (few, many) = (time(small)?, time(large)?);
        let pairs = |m: usize| {
            let m = m as f64;
            m * sampled as f64 - m * m / 2.0
        };
        let more = pairs(large) - pairs(small);
        let pair = if more > 0.0 {
            ((many - few) / more).max(0.0)
        } else {
            0.0
        };
        let fixed = (few - pair * pairs(small)).max(0.0);
        Ok(Self {
            // What does not grow with the block grows with the layer.
            fixed: fixed * n as f64 / sampled.max(1) as f64,
            pair,
            n: n as f64,
        })
    }

    /// Seconds of a block of `m` rows.
    fn seconds(&self, m: usize) -> f64 {
        let m = m as f64;
        self.fixed + self.pair * (m * self.n - m * m / 2.0)
    }

    /// Rows of a block that takes about `seconds`.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    pub(super) fn rows_in(&self, seconds: f64) -> usize {
        // Cheaper than all rows together, so the whole layer may fit.
        if self.seconds(self.n as usize) <= seconds {
            return self.n as usize;
        }
        // m·n − m²/2 = pairs; the smaller root.
        let pairs = ((seconds - self.fixed) / self.pair.max(f64::MIN_POSITIVE)).max(0.0);
        let rows = self.n - (self.n * self.n - 2.0 * pairs).max(0.0).sqrt();
        rows as usize
    }
}

/// The search that a unit makes of the first `m` rows, with made-up targets for ranks.
fn search(
    points: &Points<'_>,
    m: usize,
    sought: &PlannedSought,
    options: &SearchOptions,
) -> Result<()> {
    let n = points.n_rows();
    match sought {
        PlannedSought::Table(k) => {
            table_of_rows(points, 0..m, *k, options, &Silent)?;
        }
        PlannedSought::Orders(orders) => {
            order_distances_of_rows(points, 0..m, orders, options, &Silent)?;
        }
        PlannedSought::Ranks {
            targets, groups, ..
        } => {
            let step = (n / (targets + 1)).max(1);
            let rows = Array2::from_shape_fn((m, *targets), |(row, target)| {
                let away = 1 + (target * step) % (n - 1).max(1);
                u32::try_from((row + away) % n).unwrap_or(0)
            });
            let width = targets / groups.max(&1);
            let groups: Vec<_> = (0..*groups)
                .map(|group| group * width..(group + 1) * width)
                .collect();
            let targets = Targets {
                rows: rows.view(),
                groups: &groups,
            };
            count_ranks_of_rows(points, 0..m, &targets, options, &Silent)?;
        }
    }
    Ok(())
}

/// What a plan takes on machines like this one.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Forecast {
    /// Searches of a layer for a block of rows.
    pub units: usize,
    /// Floating-point operations of the products.
    pub operations: f64,
    /// Bytes of layers that units read, all together.
    pub bytes_read: f64,
    /// Bytes that they write.
    pub bytes_written: f64,
    /// Bytes that the unit which needs most holds beside its mapped layer.
    pub memory: f64,
    /// Seconds of all units on this machine with these threads, one after the other.
    pub seconds: f64,
    /// Seconds of the longest.
    pub longest: f64,
    /// Seconds that the same searches take uncut.
    pub uncut: f64,
}

impl Forecast {
    pub(super) fn add(&mut self, search: &PlannedSearch, cost: &Cost) {
        let (n, d) = (search.n as f64, search.columns as f64);
        self.uncut += cost.seconds(search.n);
        for block in &search.blocks {
            let m = block.end - block.start;
            let seconds = cost.seconds(m);
            let m = m as f64;
            // Bytes that a row leaves, and that the lists of a row take meanwhile.
            let (a_row, every, lists) = match &search.sought {
                PlannedSought::Table(k) => (12.0 * *k as f64, 0.0, 36.0 * *k as f64),
                PlannedSought::Orders(orders) => {
                    let deepest = orders.last().copied().unwrap_or(0) as f64;
                    (8.0 * orders.len() as f64, 0.0, 12.0 * deepest)
                }
                PlannedSought::Ranks {
                    targets, groups, ..
                } => (
                    4.0 * *targets as f64,
                    4.0 * *groups as f64,
                    26.0 * *targets as f64,
                ),
            };
            self.units += 1;
            self.operations += d * (2.0 * m * n - m * m);
            self.bytes_read += n * d * search.width as f64;
            self.bytes_written += m * a_row + n * every;
            self.memory = self
                .memory
                .max(n * (64.0 + 4.0 * d) + m * lists + 2.0 * n * every);
            self.seconds += seconds;
            self.longest = self.longest.max(seconds);
        }
    }
}
