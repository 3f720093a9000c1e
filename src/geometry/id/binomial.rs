//! Binomial estimator: how many of the rows within one radius lie within a smaller one?
//!
//! In a locally uniform density a row within R of another lies within r·R, 0 < r < 1, with
//! probability r^d. Di Noia, Macocco, Glielmo, Laio and Mira, arXiv 2405.15132.

use ndarray::ArrayView2;

use super::{ErrorKind, Estimate, Estimator, Explained, Neighbours, Outcome, Reads};
use crate::geometry::special::{digamma, trigamma};
use crate::geometry::{Reason, stats};

/// Neighbours that set the larger radius unless said otherwise.
pub const BINOMIAL_K: usize = 20;

/// r, the smaller radius over the larger, unless said otherwise.
pub const BINOMIAL_RATIO: f64 = 0.5;

/// How the probability r^d is estimated from s successes in t trials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BinomialFit {
    /// Posterior under a flat prior, with a = 1 + s and b = 1 + t − s:
    /// d = (ψ(a) − ψ(a+b))/ln r, SE² = (ψ₁(a) − ψ₁(a+b))/ln² r.
    #[default]
    Bayes,
    /// d = ln(s/t)/ln r, SE² = (r^{−d} − 1)/(t ln² r).
    Mle,
}

/// Rows within the larger and the smaller radius, summed over the rows that were asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Counts {
    /// Others within r·R.
    pub(super) inner: u64,
    /// Others within R.
    pub(super) outer: u64,
    /// Rows asked.
    pub(super) rows: usize,
}

impl Counts {
    /// The dimension and its error, or why there is none.
    pub(super) fn dimension(self, ratio: f64, fit: BinomialFit) -> Result<(f64, f64), Reason> {
        let (inner, outer, log) = (self.inner as f64, self.outer as f64, libm::log(ratio));
        if self.inner == 0 {
            return Err(Reason::ZeroDistances);
        }
        let (id, variance) = match fit {
            BinomialFit::Mle => {
                let id = libm::log(inner / outer) / log;
                (id, (libm::pow(ratio, -id) - 1.0) / outer)
            }
            BinomialFit::Bayes => {
                let (a, b) = (1.0 + inner, 1.0 + outer - inner);
                let id = (digamma(a) - digamma(a + b)) / log;
                (id, trigamma(a) - trigamma(a + b))
            }
        };
        // Every row within R within r·R too: no dimension above 0 explains that.
        (id.is_finite() && id > 0.0)
            .then(|| (id, variance.sqrt() / -log))
            .ok_or(Reason::DegenerateRatios)
    }
}

/// Binomial dimension within a fixed `radius` R and `ratio`·R; both borders count as inside.
///
/// Rows whose table ends before R are left out: `n` is the rows asked.
///
/// Reasons for none: `too_few_neighbours` (no table reaches R), `zero_distances` (nothing within
/// r·R), `degenerate_ratios` (everything is).
///
/// # Panics
/// Unless 0 < `ratio` < 1.
pub fn binomial_radius(
    distances: ArrayView2<f64>,
    radius: f64,
    ratio: f64,
    fit: BinomialFit,
) -> Outcome {
    assert_ratio(ratio);
    let complete = distances.ncols() + 1 >= distances.nrows();
    let mut counts = Counts::default();
    for near in distances.rows() {
        let within = |radius: f64| near.iter().take_while(|&&r| r <= radius).count();
        let outer = within(radius);
        if outer < near.len() || complete {
            counts.outer += outer as u64;
            counts.inner += within(ratio * radius) as u64;
            counts.rows += 1;
        }
    }
    if counts.rows == 0 {
        return Err(Reason::TooFewNeighbours);
    }
    estimate(counts, ratio, fit, radius)
}

/// Binomial dimension within each row's `k`-th neighbour distance R_i and `ratio`·R_i.
///
/// The k-th neighbour itself sets the radius and is not counted: k − 1 trials a row.
///
/// Reasons for none: `too_few_rows` (k + 2), `too_few_neighbours` (also k < 2),
/// `zero_distances`, `degenerate_ratios`.
///
/// # Panics
/// Unless 0 < `ratio` < 1.
pub fn binomial_k(distances: ArrayView2<f64>, k: usize, ratio: f64, fit: BinomialFit) -> Outcome {
    assert_ratio(ratio);
    super::local::require(distances, k)?;
    if k < 2 {
        return Err(Reason::TooFewNeighbours);
    }
    let counts = distances
        .rows()
        .into_iter()
        .fold(Counts::default(), |counts, near| {
            counts.with_row(near, k, ratio)
        });
    let radius = stats::mean(&distances.column(k - 1).to_vec()).ok_or(Reason::TooFewRows)?;
    estimate(counts, ratio, fit, radius)
}

impl Counts {
    /// These counts and those of one more row within its `k`-th neighbour.
    pub(super) fn with_row(self, near: ndarray::ArrayView1<f64>, k: usize, ratio: f64) -> Self {
        let limit = ratio * near[k - 1];
        let inner = near.iter().take(k - 1).take_while(|&&r| r < limit).count();
        Self {
            inner: self.inner + inner as u64,
            outer: self.outer + (k - 1) as u64,
            rows: self.rows + 1,
        }
    }
}

fn estimate(counts: Counts, ratio: f64, fit: BinomialFit, radius: f64) -> Outcome {
    let (id, error) = counts.dimension(ratio, fit)?;
    let estimate = Estimate {
        distance: Some(radius.midpoint(ratio * radius)),
        ..Estimate::new(id, counts.rows)
    };
    Ok(estimate.with_error(ErrorKind::Model, Some(error)))
}

fn assert_ratio(ratio: f64) {
    assert!(ratio > 0.0 && ratio < 1.0, "the smaller radius is a share");
}

/// Within half of the radius, posterior mean.
pub(super) static BINOMIAL: Estimator = Estimator {
    name: "binomial",
    flag: "binomial",
    words: "Binomial estimator",
    reads: Reads::Neighbours(Neighbours::plain(BINOMIAL_K, |view, k| {
        binomial_k(view.distances, k, BINOMIAL_RATIO, BinomialFit::Bayes).into()
    })),
    part_of: None,
    explained: &[Explained {
        variant: "binomial",
        reads: "neighbours within half the radius",
        k: Some(BINOMIAL_K),
        error: Some(ErrorKind::Model),
        calibration: [Some(1.00), Some(0.95), Some(0.89), None],
    }],
};

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array};

    use super::*;

    #[test]
    fn an_eighth_within_half_the_radius_is_three_dimensions() {
        let counts = Counts {
            inner: 100,
            outer: 800,
            rows: 10,
        };
        let (id, error) = counts.dimension(0.5, BinomialFit::Mle).unwrap();
        assert!((id - 3.0).abs() < 1e-14);
        assert!((error - (7.0f64 / 800.0).sqrt() / 2f64.ln()).abs() < 1e-14);
        let (bayes, _) = counts.dimension(0.5, BinomialFit::Bayes).unwrap();
        assert!((bayes - 3.0).abs() < 0.1);
    }

    #[test]
    fn borders_and_short_tables_are_treated_as_said() {
        let table = array![
            [0.5, 1.0, 2.0],
            [0.6, 1.0, 1.5],
            [0.5, 0.6, 0.9],
            [0.2, 0.3, 3.0],
            [1.0, 1.5, 2.0]
        ];
        let estimate = binomial_radius(table.view(), 1.0, 0.5, BinomialFit::Mle).unwrap();
        // Four tables reach beyond 1: 2 + 2 + 2 + 1 rows within it, 1 + 0 + 2 + 0 within 0.5.
        assert_eq!(estimate.n, 4);
        assert!((estimate.id - (7.0f64 / 3.0).log2()).abs() < 1e-14);
        assert_eq!(estimate.distance, Some(0.75));
    }

    #[test]
    fn data_without_an_answer_get_a_reason() {
        let equal = Array2::ones((6, 3));
        let reason =
            |radius| binomial_radius(equal.view(), radius, 0.5, BinomialFit::Bayes).unwrap_err();
        assert_eq!(reason(2.0), Reason::TooFewNeighbours);
        assert_eq!(reason(0.9), Reason::ZeroDistances);
        let inside = Array2::from_shape_fn((4, 3), |(_, j)| 0.1 * (j + 1) as f64);
        let all = binomial_radius(inside.view(), 1.0, 0.5, BinomialFit::Mle);
        assert_eq!(all.unwrap_err(), Reason::DegenerateRatios);
        assert_eq!(
            binomial_k(equal.view(), 1, 0.5, BinomialFit::Mle).unwrap_err(),
            Reason::TooFewNeighbours
        );
    }
}
