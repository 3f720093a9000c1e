//! Densities from the distance to one neighbour.

use ndarray::ArrayView2;
use rayon::prelude::*;

use super::{Densities, RowDensity, ln_unit_ball};
use crate::geometry::Reason;

/// The density of every row from the distance to its `k`-th neighbour, in `id` dimensions.
///
/// ```text
/// L_i = ln k − ln ω_d − d ln r_{i,k} − ln N        error 1/√k
/// ```
///
/// The k-th neighbour is counted, the row itself is not. A row with r_{i,k} = 0 has none.
///
/// Reasons for none: `too_few_neighbours` (k is 0 or beyond the table), `zero_distances`.
pub fn knn(distances: ArrayView2<f64>, k: usize, id: f64) -> Result<Densities, Reason> {
    let sizes = vec![Some(k); distances.nrows()];
    kstar_nn(distances, &sizes, id)
}

/// The same with a neighbourhood of its own for every row, k*; a row without one has no density.
///
/// Reasons for none: as [`knn`].
///
/// # Panics
/// Unless there is one size a row.
pub fn kstar_nn(
    distances: ArrayView2<f64>,
    sizes: &[Option<usize>],
    id: f64,
) -> Result<Densities, Reason> {
    let (n, k) = distances.dim();
    assert_eq!(sizes.len(), n, "one size a row");
    if sizes.iter().flatten().any(|&size| size == 0 || size > k) {
        return Err(Reason::TooFewNeighbours);
    }
    let row = |i: usize| {
        let kstar = sizes[i]?;
        ball(distances[(i, kstar - 1)], kstar, id, n)
    };
    let rows = (0..n).into_par_iter().map(row).collect();
    let densities = Densities {
        rows,
        n_fallback: 0,
    };
    densities.or_reason()
}

/// The density of `kstar` of `n` rows in a ball of radius `radius`.
pub(super) fn ball(radius: f64, kstar: usize, id: f64, n: usize) -> Option<RowDensity> {
    let size = kstar as f64;
    let log_density =
        libm::log(size) - ln_unit_ball(id) - id * libm::log(radius) - libm::log(n as f64);
    (radius > 0.0).then_some(RowDensity {
        log_density,
        error: size.sqrt().recip(),
        kstar,
    })
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn equally_spaced_rows_on_a_line_have_the_density_of_their_spacing() {
        // Two neighbours within 0.5 on either side of a row: 2 of 10 rows in a length of 1.
        let found = knn(array![[0.5, 0.5]].view(), 2, 1.0).unwrap().rows[0].unwrap();
        assert!((found.log_density - 2f64.ln()).abs() < 1e-14);
        assert!((found.error - 0.5f64.sqrt()).abs() < 1e-15);
    }

    #[test]
    fn a_row_without_a_volume_has_no_density_and_a_short_table_none_at_all() {
        let distances = array![[0.0, 1.0], [0.0, 0.0]];
        let found = knn(distances.view(), 2, 1.0).unwrap();
        assert!(found.rows[0].is_some() && found.rows[1].is_none());
        assert_eq!(found.n_missing(), 1);
        assert_eq!(knn(distances.view(), 1, 1.0), Err(Reason::ZeroDistances));
        for k in [0, 3] {
            assert_eq!(knn(distances.view(), k, 1.0), Err(Reason::TooFewNeighbours));
        }
    }
}
