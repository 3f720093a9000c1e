//! k*: the largest neighbourhood over which the density of a row may be called constant.

use ndarray::ArrayView2;
use rayon::prelude::*;

use crate::geometry::Reason;
use crate::geometry::special::chi_squared_upper_quantile;

/// Significance of a change in density unless said otherwise.
pub const KSTAR_ALPHA: f64 = 1e-6;

/// The smallest neighbourhood that is tested.
const FIRST: usize = 3;

/// How the significance is divided between tests (Bonferroni).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Correction {
    /// It is not.
    #[default]
    None,
    /// By the number of rows.
    Rows,
    /// The h-th test of a row, from 0, by h + 1.
    Tests,
    /// By both.
    RowsAndTests,
}

/// The neighbourhood size k* of every row, for intrinsic dimension `id`.
///
/// For K = 3, 4, …, k − 2 row i is compared with its (K+1)-th neighbour q:
///
/// ```text
/// Δ = d (ln r_{i,K} − ln r_{q,K})        2 Δ ln L = 4K ln cosh(Δ/2)
/// ```
///
/// k* is the first K at which that exceeds the upper `alpha` quantile of χ² with one degree of
/// freedom, or k − 1. A stricter test can only enlarge it. A row for which a distance of 0 would
/// have to be compared has none.
///
/// Reasons for none: `too_few_neighbours` (k < 5). Rodriguez et al., J. Chem. Theory Comput. 14,
/// 1206 (2018).
pub fn kstar(
    distances: ArrayView2<f64>,
    indices: ArrayView2<u32>,
    id: f64,
    alpha: f64,
    correction: Correction,
) -> Result<Vec<Option<usize>>, Reason> {
    let (n, k) = distances.dim();
    if k < FIRST + 2 {
        return Err(Reason::TooFewNeighbours);
    }
    let thresholds = thresholds(n, k - 1 - FIRST, alpha, correction);
    let size = |i: usize| {
        for (size, &threshold) in (FIRST..=k - 2).zip(&thresholds) {
            let q = indices[(i, size)] as usize;
            let (own, other) = (distances[(i, size - 1)], distances[(q, size - 1)]);
            if own <= 0.0 || other <= 0.0 {
                return None;
            }
            if 4.0 * size as f64 * ln_cosh(id * libm::log(own / other) / 2.0) > threshold {
                return Some(size);
            }
        }
        Some(k - 1)
    };
    Ok((0..n).into_par_iter().map(size).collect())
}

/// The threshold of each of `n_tests` successive tests of one row.
fn thresholds(n_rows: usize, n_tests: usize, alpha: f64, correction: Correction) -> Vec<f64> {
    let per_row = match correction {
        Correction::Rows | Correction::RowsAndTests => alpha / n_rows as f64,
        Correction::None | Correction::Tests => alpha,
    };
    match correction {
        Correction::None | Correction::Rows => vec![chi_squared_upper_quantile(per_row); n_tests],
        Correction::Tests | Correction::RowsAndTests => (1..=n_tests)
            .map(|test| chi_squared_upper_quantile(per_row / test as f64))
            .collect(),
    }
}

/// ln cosh x, which neither overflows nor cancels.
fn ln_cosh(x: f64) -> f64 {
    let x = x.abs();
    if x < 1e-4 {
        return x * x / 2.0;
    }
    x + libm::log1p(libm::exp(-2.0 * x)) - std::f64::consts::LN_2
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;

    /// All neighbours of points on a line.
    fn line(points: &[f64]) -> (Array2<f64>, Array2<u32>) {
        let n = points.len();
        let (mut distances, mut indices) = (Array2::zeros((n, n - 1)), Array2::zeros((n, n - 1)));
        for i in 0..n {
            let mut others: Vec<usize> = (0..n).filter(|&j| j != i).collect();
            let far = |&j: &usize| (points[j] - points[i]).abs();
            others.sort_by(|a, b| far(a).total_cmp(&far(b)));
            for (rank, j) in others.into_iter().enumerate() {
                distances[(i, rank)] = far(&j);
                indices[(i, rank)] = j as u32;
            }
        }
        (distances, indices)
    }

    const CLUSTERS: [f64; 6] = [0.01, 0.12, 0.23, 4.0, 4.11, 4.22];

    #[test]
    fn a_lax_test_stops_at_once_and_a_strict_one_at_the_end() {
        let (distances, indices) = line(&CLUSTERS);
        let sizes = |alpha| {
            kstar(
                distances.view(),
                indices.view(),
                1.0,
                alpha,
                Correction::None,
            )
            .unwrap()
        };
        assert_eq!(sizes(1.0), [Some(3); 6]);
        assert_eq!(sizes(1e-300), [Some(4); 6]);
    }

    #[test]
    fn no_unit_changes_a_neighbourhood() {
        let points: Vec<f64> = (0..60).map(|i| f64::from(i).powi(2) / 7.0).collect();
        let (distances, indices) = line(&points);
        let sizes = |unit: f64| {
            let scaled = distances.mapv(|r| r * unit);
            kstar(scaled.view(), indices.view(), 34.0, 1e-3, Correction::None).unwrap()
        };
        assert_eq!(sizes(2f64.powi(40)), sizes(1.0));
        assert_eq!(sizes(2f64.powi(-40)), sizes(1.0));
    }

    #[test]
    fn corrections_only_enlarge() {
        let points: Vec<f64> = (0..80).map(|i| f64::from(i).powi(2) / 7.0).collect();
        let (distances, indices) = line(&points);
        let total = |correction| -> usize {
            let sizes = kstar(distances.view(), indices.view(), 1.0, 0.05, correction).unwrap();
            sizes.into_iter().flatten().sum()
        };
        assert!(total(Correction::None) < total(Correction::Tests));
        assert!(total(Correction::Tests) < total(Correction::Rows));
        assert!(total(Correction::Rows) <= total(Correction::RowsAndTests));
    }

    #[test]
    fn short_tables_and_zero_distances_have_none() {
        let (distances, indices) = line(&CLUSTERS[..5]);
        let sizes = kstar(
            distances.view(),
            indices.view(),
            1.0,
            1e-6,
            Correction::None,
        );
        assert_eq!(sizes, Err(Reason::TooFewNeighbours));
        let (distances, indices) = line(&[0.0; 7]);
        let sizes = kstar(
            distances.view(),
            indices.view(),
            1.0,
            1e-6,
            Correction::None,
        );
        assert_eq!(sizes.unwrap(), [None; 7]);
    }

    #[test]
    fn ln_cosh_is_right_from_nothing_to_infinity() {
        assert_eq!(ln_cosh(0.0), 0.0);
        assert!((ln_cosh(-1.0) - 1f64.cosh().ln()).abs() < 1e-15);
        assert!((ln_cosh(1e300) / 1e300 - 1.0).abs() < 1e-15);
        assert!((ln_cosh(1e-3) / 5e-7 - 1.0).abs() < 1e-6);
    }
}
