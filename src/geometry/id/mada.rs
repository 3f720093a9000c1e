//! MADA: manifold-adaptive dimension.

use super::ratios::ln_ratio;
use ndarray::ArrayView2;

use super::{Combine, Estimator, Explained, Local, LocalOutcome, Neighbours, Reads, local};

/// Neighbours looked at unless said otherwise.
pub const MADA_K: usize = 20;

/// Dimension from how far the neighbourhood must grow to hold twice as many rows:
///
/// ```text
/// d_i = ln 2 / ln(u_k / u_{⌊k/2⌋})
/// ```
///
/// Reasons for none: `too_few_rows` (k + 2), `too_few_neighbours` (also k < 2),
/// `zero_distances`, `degenerate_ratios`. Farahmand, Szepesvári and Audibert, ICML (2007).
pub fn mada(distances: ArrayView2<f64>, k: usize, combine: Combine) -> LocalOutcome {
    if k < 2 {
        return Err(crate::geometry::Reason::TooFewNeighbours);
    }
    let values = local::over_rows(distances, k, |_, near| {
        let growth = ln_ratio(near[k / 2 - 1], near[k - 1]);
        (growth > 0.0).then(|| std::f64::consts::LN_2 / growth)
    })?;
    Local::combine(values, distances, k, combine)
}

/// Averaged over rows.
pub(super) static MADA: Estimator = Estimator {
    name: "mada",
    flag: "mada",
    words: "Manifold-adaptive dimension",
    reads: Reads::Neighbours(Neighbours::local(MADA_K, |view, k| {
        mada(view.distances, k, Combine::Mean).into()
    })),
    part_of: None,
    explained: &[Explained {
        variant: "mada",
        reads: "growth from k/2 to k neighbours",
        k: Some(MADA_K),
        error: None,
        calibration: [Some(1.07), Some(1.00), Some(0.90), Some(0.75)],
    }],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twice_the_rows_at_twice_the_distance_is_one_dimension() {
        let line = ndarray::Array2::from_shape_fn((9, 4), |(_, j)| (j + 1) as f64);
        let local = mada(line.view(), 4, Combine::Mean).unwrap();
        assert!((local.estimate.id - 1.0).abs() < 1e-15);
        assert!(mada(line.view(), 1, Combine::Mean).is_err());
    }
}
