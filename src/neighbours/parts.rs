//! Measures where the time of a table goes: each part by itself, products and all else apart.

use std::time::{Duration, Instant};

use serde::Serialize;

use super::filter::{Demand, Kernel, median, pack};
use super::points::Points;
use super::processor::table_rows;
use super::sweep::visit_all;
use super::visiting::{Asking, visiting_order};
use crate::progress::Silent;

/// Seconds of each part of a table, measured by itself.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct BenchedParts {
    /// Rounding and packing rows, and trying the kernel on a sample of them.
    pub packing: f64,
    /// Products of all pairs.
    pub products: f64,
    /// Comparing products with thresholds, and lists of candidates: the sweep with products that
    /// are read from memory.
    pub lists: f64,
    /// Exact distances of the candidates.
    pub verdicts: f64,
}

/// Bytes of stored products for `n` rows.
pub(super) fn stored_bytes(n: u64) -> u64 {
    // A tile of 512 rows meets itself in squares.
    2 * n.saturating_mul(n.saturating_add(512))
}

/// Medians of `rounds` tables of the `k` nearest rows by `kernel`.
///
/// `lists` is what the sweep takes with stored products, which are read from memory, four bytes a
/// pair; `products` is what it takes beyond that when they are multiplied.
pub(super) fn measure_parts(
    points: &Points<'_>,
    k: usize,
    kernel: Kernel,
    rounds: usize,
) -> BenchedParts {
    let n = points.n_rows();
    let (k, asking) = (k.min(n.saturating_sub(1)), Asking::new(n, n, None, None));
    let packed = || pack(points, visiting_order(n), kernel, &Demand::Nearest(k), None);
    let stored = packed().with_stored_products();
    visit_all(points, &stored, k, &asking, &Silent);
    let times = (0..rounds.max(1)).map(|_| {
        let (packing, operand) = timed(packed);
        let (visits, tiles) = timed(|| visit_all(points, &operand, k, &asking, &Silent));
        let (lists, _) = timed(|| visit_all(points, &stored, k, &asking, &Silent));
        let (verdicts, _) = timed(|| table_rows(points, &operand, k, tiles));
        [packing, visits.saturating_sub(lists), lists, verdicts]
    });
    let times: Vec<[Duration; 4]> = times.collect();
    let of = |part: usize| {
        median(
            times
                .iter()
                .map(|round| round[part].as_secs_f64())
                .collect(),
        )
    };
    BenchedParts {
        packing: of(0),
        products: of(1),
        lists: of(2),
        verdicts: of(3),
    }
}

fn timed<R>(work: impl FnOnce() -> R) -> (Duration, R) {
    let start = Instant::now();
    let result = work();
    (start.elapsed(), result)
}
