//! Correlation dimension between two radii.

use ndarray::ArrayView2;

use super::{Estimate, Estimator, Explained, LayerView, Neighbours, Outcome, Reads, local};
use crate::geometry::{Reason, stats};

/// Neighbours that set the smaller and the larger radius unless said otherwise.
pub const CORR_INT_K: [usize; 2] = [10, 20];

/// R_1, R_2: the medians over rows of the k_1-th and k_2-th neighbour distance.
///
/// Reasons for none: `too_few_rows` (k_2 + 2), `too_few_neighbours`.
pub fn corr_int_radii(distances: ArrayView2<f64>, k: [usize; 2]) -> Result<[f64; 2], Reason> {
    local::require(distances, k[0])?;
    local::require(distances, k[1])?;
    let median = |k: usize| stats::median(&distances.column(k - 1).to_vec());
    match (median(k[0]), median(k[1])) {
        (Some(near), Some(far)) => Ok([near, far]),
        _ => Err(Reason::TooFewRows),
    }
}

/// Ordered pairs of rows closer than `radius`; `None` if a row's table ends before it.
///
/// A table of all N − 1 neighbours ends nowhere.
pub fn pairs_within(distances: ArrayView2<f64>, radius: f64) -> Option<u64> {
    let k = distances.ncols();
    let complete = k + 1 >= distances.nrows();
    let mut pairs = 0;
    for row in distances.rows() {
        let row = row.iter();
        let within = row.take_while(|&&r| r < radius).count();
        if within == k && !complete {
            return None;
        }
        pairs += within as u64;
    }
    Some(pairs)
}

/// Correlation dimension of `n_rows` rows from the ordered pairs closer than each radius:
///
/// ```text
/// d = ln(C(R_2)/C(R_1)) / ln(R_2/R_1)
/// ```
///
/// Reasons for none: `zero_distances` (R_1 = 0 or no pair within it), `degenerate_ratios`
/// (R_2 = R_1). Grassberger and Procaccia, Physica D 9, 189 (1983).
pub fn corr_int(radii: [f64; 2], pairs: [u64; 2], n_rows: usize) -> Outcome {
    if radii[0] <= 0.0 || pairs[0] == 0 {
        return Err(Reason::ZeroDistances);
    }
    let id = libm::log(pairs[1] as f64 / pairs[0] as f64) / libm::log(radii[1] / radii[0]);
    if !id.is_finite() || id <= 0.0 {
        return Err(Reason::DegenerateRatios);
    }
    Ok(Estimate {
        distance: Some(radii[0].midpoint(radii[1])),
        ..Estimate::new(id, n_rows)
    })
}

/// Between the radii of k/2 and k neighbours.
pub(super) static CORR_INT: Estimator = Estimator {
    name: "corr_int",
    flag: "corr-int",
    words: "Correlation dimension between two radii",
    reads: Reads::Neighbours(Neighbours {
        // Rows of dense places have more others within the larger radius, and are costly to count
        // afresh.
        stored: |k| k.saturating_mul(STORED),
        may_need_all: true,
        ..Neighbours::plain(CORR_INT_K[1], |view, k| by_neighbours(view, k).into())
    }),
    part_of: None,
    explained: &[Explained {
        variant: "corr_int",
        reads: "growth of pairs between two radii",
        k: Some(CORR_INT_K[1]),
        error: None,
        calibration: [Some(0.99), Some(0.91), Some(0.79), Some(0.65)],
    }],
};

/// Neighbours stored, over k.
const STORED: usize = 5;

/// The pairs closer than the radii of k/2 and k neighbours; counted afresh where the table ends
/// before them.
fn by_neighbours(view: &LayerView<'_>, k: usize) -> Outcome {
    let radii = corr_int_radii(view.distances, [k / 2, k])?;
    let [near, far] = radii.map(|radius| pairs_within(view.distances, radius));
    let pairs = match (near, far, view.pairs_within) {
        (Some(near), Some(far), _) => [near, far],
        (_, _, Some(pairs_within)) => pairs_within(radii),
        (_, _, None) => return Err(Reason::TooFewNeighbours),
    };
    corr_int(radii, pairs, view.distances.nrows())
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn eight_times_the_pairs_within_twice_the_radius_is_three_dimensions() {
        let id = corr_int([0.5, 1.0], [10, 80], 100).unwrap().id;
        assert!((id - 3.0).abs() < 1e-15);
        assert_eq!(
            corr_int([0.0, 1.0], [0, 8], 9).unwrap_err(),
            Reason::ZeroDistances
        );
        assert_eq!(
            corr_int([1.0, 1.0], [8, 8], 9).unwrap_err(),
            Reason::DegenerateRatios
        );
    }

    #[test]
    fn a_table_that_ends_inside_the_radius_cannot_count() {
        let table = array![[1.0, 2.0], [1.0, 3.0], [2.0, 4.0], [3.0, 5.0]];
        assert_eq!(pairs_within(table.view(), 2.0), Some(2));
        assert_eq!(pairs_within(table.view(), 2.5), None);
        let complete = array![[1.0, 2.0], [1.0, 3.0], [2.0, 3.0]];
        assert_eq!(pairs_within(complete.view(), 9.0), Some(6));
    }
}
