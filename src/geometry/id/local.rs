//! Dimensions of single neighbourhoods, and what they combine to.

use ndarray::{ArrayView1, ArrayView2};
use rayon::prelude::*;

use super::Estimate;
use crate::geometry::{Reason, stats};

/// A dimension for every row, and one for all of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Local {
    /// The combined dimension; `n` counts the rows that have one of their own.
    pub estimate: Estimate,
    /// Dimension at each row; `None` where it does not exist.
    pub values: Vec<Option<f64>>,
}

/// Local dimensions, or why there are none.
pub type LocalOutcome = Result<Local, Reason>;

/// How local dimensions become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Combine {
    /// Arithmetic mean.
    #[default]
    Mean,
    /// Median.
    Median,
}

impl Local {
    /// Combines one value a row, looked at over `k` neighbours of `distances`.
    ///
    /// Reasons for none: `zero_distances` if every row has its first neighbour at distance 0,
    /// `degenerate_ratios` if no row has a value for another reason.
    pub(super) fn combine(
        values: Vec<Option<f64>>,
        distances: ArrayView2<f64>,
        k: usize,
        rule: Combine,
    ) -> LocalOutcome {
        let present: Vec<f64> = values.iter().copied().flatten().collect();
        let id = match rule {
            Combine::Mean => stats::mean(&present),
            Combine::Median => stats::median(&present),
        };
        Self::new(id, values, distances, k)
    }

    /// The combined value `id` beside its rows.
    pub(super) fn new(
        id: Option<f64>,
        values: Vec<Option<f64>>,
        distances: ArrayView2<f64>,
        k: usize,
    ) -> LocalOutcome {
        let n_zero = count_zeros(distances);
        let n = values.iter().flatten().count();
        match id.filter(|id| id.is_finite()) {
            Some(id) => Ok(Self {
                estimate: Estimate {
                    n_zero,
                    distance: stats::mean(&distances.column(k - 1).to_vec()),
                    ..Estimate::new(id, n)
                },
                values,
            }),
            None if n_zero == distances.nrows() => Err(Reason::ZeroDistances),
            None => Err(Reason::DegenerateRatios),
        }
    }
}

/// `value` of the first `k` distances of every row whose first is above 0, rows in parallel.
///
/// `value` gets the row and its distances; what is not finite counts as none.
/// Reasons for none: `too_few_rows` (k + 2), `too_few_neighbours`.
pub(super) fn over_rows(
    distances: ArrayView2<f64>,
    k: usize,
    value: impl Fn(usize, ArrayView1<f64>) -> Option<f64> + Sync,
) -> Result<Vec<Option<f64>>, Reason> {
    require(distances, k)?;
    Ok((0..distances.nrows())
        .into_par_iter()
        .map(|row| {
            let near = distances.row(row);
            (near[0] > 0.0)
                .then(|| value(row, near.split_at(ndarray::Axis(0), k).0))
                .flatten()
                .filter(|value| value.is_finite())
        })
        .collect())
}

/// Whether `k` neighbours of each row are there to be looked at.
pub(super) fn require(distances: ArrayView2<f64>, k: usize) -> Result<(), Reason> {
    if distances.nrows() < k + 2 {
        Err(Reason::TooFewRows)
    } else if k == 0 || distances.ncols() < k {
        Err(Reason::TooFewNeighbours)
    } else {
        Ok(())
    }
}

fn count_zeros(distances: ArrayView2<f64>) -> usize {
    distances.column(0).iter().filter(|&&r| r <= 0.0).count()
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array};

    use super::*;

    #[test]
    fn rows_at_distance_zero_have_no_value_and_are_counted() {
        let distances = array![[0.0, 1.0], [1.0, 2.0], [2.0, 4.0], [3.0, 9.0]];
        let values = over_rows(distances.view(), 2, |_, near| Some(near[1] / near[0])).unwrap();
        assert_eq!(values, [None, Some(2.0), Some(2.0), Some(3.0)]);
        let mean = Local::combine(values.clone(), distances.view(), 2, Combine::Mean).unwrap();
        assert_eq!(
            (mean.estimate.id, mean.estimate.n, mean.estimate.n_zero),
            (7.0 / 3.0, 3, 1)
        );
        assert_eq!(mean.estimate.distance, Some(4.0));
        let median = Local::combine(values, distances.view(), 2, Combine::Median).unwrap();
        assert_eq!(median.estimate.id, 2.0);
    }

    #[test]
    fn what_is_missing_is_named() {
        let zeros = Array2::zeros((5, 2));
        let reason = |distances: &Array2<f64>, k| {
            over_rows(distances.view(), k, |_, _| Some(1.0))
                .and_then(|values| Local::combine(values, distances.view(), k, Combine::Mean))
                .unwrap_err()
        };
        assert_eq!(reason(&zeros, 2), Reason::ZeroDistances);
        assert_eq!(reason(&zeros, 3), Reason::TooFewNeighbours);
        assert_eq!(reason(&zeros, 0), Reason::TooFewNeighbours);
        assert_eq!(reason(&zeros, 4), Reason::TooFewRows);
    }
}
