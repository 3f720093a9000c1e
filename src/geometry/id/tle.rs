//! TLE: tight local estimation, which also uses the distances between neighbours.

use ndarray::{ArrayView1, ArrayView2};

use super::neighbourhood::Neighbourhood;
use super::ratios::ln_ratio;
use super::{Combine, Estimator, Explained, Local, LocalOutcome, Neighbours, Reads, local};
use crate::input::Matrix;

/// Neighbours looked at unless said otherwise.
pub const TLE_K: usize = 20;

/// Pairs whose relative distance is below this are taken for duplicates.
const EPSILON: f64 = 1e-4;

/// Dimension from all pairs of each row's `k` nearest neighbours.
///
/// With r = u_k and v the distance of neighbours i ≠ j, the ball of radius r about the row is
/// moved through i, so that j lies on its border after shrinking by S_ij/r:
///
/// ```text
/// S_ij = r (√(A² + 4v²(r² − u_i²)) − A) / (2(r² − u_i²)),   A = u_i² + v² − u_j²
/// ```
///
/// T_ij is the same of the reflected neighbour, with 2u_i² + 2u_j² − v² in place of v². Of the
/// k² pairs (those with the row itself included) q with S or T below 1e-4 r are dropped:
///
/// ```text
/// d = −2(k² − q) / ( Σ_{i≠j} [ln(S_ij/r) + ln(T_ij/r)] + 2 Σ_j ln(u_j/r) )
/// ```
///
/// The peers' threshold is 1e-4 in the unit of the data; a relative one is scale-free.
///
/// `data` must hold the rows of the table in the metric of its distances (unit rows for cosine).
/// Reasons for none: `too_few_rows` (k + 2), `too_few_neighbours`, `zero_distances`,
/// `degenerate_ratios`. Amsaleg et al., SIAM Int. Conf. Data Mining (2019).
pub fn tle(
    distances: ArrayView2<f64>,
    indices: ArrayView2<u32>,
    data: &Matrix,
    k: usize,
    combine: Combine,
) -> LocalOutcome {
    let values = local::over_rows(distances, k, |row, near| {
        let rows = indices.row(row);
        let neighbours = Neighbourhood::gather(data, rows.split_at(ndarray::Axis(0), k).0);
        dimension(near, &neighbours)
    })?;
    Local::combine(values, distances, k, combine)
}

/// The dimension of one neighbourhood with distances `near` from its row.
fn dimension(near: ArrayView1<f64>, neighbours: &Neighbourhood) -> Option<f64> {
    let k = near.len();
    let far = near[k - 1];
    let squares: Vec<f64> = near.iter().map(|u| (u / far).powi(2)).collect();
    let mut logs: f64 = near.iter().map(|&u| -2.0 * ln_ratio(u, far)).sum();
    let mut product = 1.0f64;
    let mut kept = k;
    let mut distances = neighbours.squared_distances().into_iter();
    for j in 0..k {
        for (i, squared) in (0..j).zip(&mut distances) {
            let between = squared / (far * far);
            let reflected = (2.0 * squares[i] + 2.0 * squares[j] - between).max(0.0);
            for (own, other) in [(squares[i], squares[j]), (squares[j], squares[i])] {
                let direct = shrinkage(own, other, between);
                let mirrored = shrinkage(own, other, reflected);
                if direct >= EPSILON && mirrored >= EPSILON {
                    // One logarithm for many factors, long before the product leaves f64.
                    product *= direct * mirrored;
                    if !(1e-200..1e200).contains(&product) {
                        logs += libm::log(product);
                        product = 1.0;
                    }
                    kept += 1;
                }
            }
        }
    }
    logs += libm::log(product);
    (logs < 0.0).then(|| -2.0 * kept as f64 / logs)
}

/// S_ij/r from the squares of u_i, u_j and v in units of r = 1.
///
/// The root is rationalised where A > 0, which holds at u_i = r too.
fn shrinkage(own: f64, other: f64, between: f64) -> f64 {
    let a = own + between - other;
    let rest = (1.0 - own).max(0.0);
    let root = (a * a + 4.0 * between * rest).sqrt();
    if a > 0.0 {
        2.0 * between / (root + a)
    } else if rest > 0.0 {
        (root - a) / (2.0 * rest)
    } else {
        0.0
    }
}

/// Averaged over rows.
pub(super) static TLE: Estimator = Estimator {
    name: "tle",
    flag: "tle",
    words: "Tight local estimation",
    reads: Reads::Neighbours(Neighbours {
        needs_coordinates: true,
        ..Neighbours::local(TLE_K, |view, k| {
            let (distances, indices) = (view.distances, view.indices);
            view.with_rows(|data| tle(distances, indices, data, k, Combine::Mean))
                .into()
        })
    }),
    part_of: None,
    explained: &[Explained {
        variant: "tle",
        reads: "distances among neighbours too",
        k: Some(TLE_K),
        error: None,
        calibration: [Some(1.08), Some(1.03), Some(0.92), Some(0.75)],
    }],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shrinkage_solves_its_quadratic_and_reaches_the_border() {
        for (own, other, between) in [(0.5, 0.3, 0.1), (0.2, 0.9, 0.3), (1.0, 0.5, 0.4)] {
            let s: f64 = shrinkage(own, other, between);
            let a = own + between - other;
            assert!(((1.0 - own) * s * s + a * s - between).abs() < 1e-15, "{s}");
        }
        assert_eq!(shrinkage(0.25, 0.25, 0.0), 0.0);
        assert_eq!(shrinkage(1.0, 1.0, 0.0), 0.0);
    }
}
