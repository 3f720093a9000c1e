//! Method of moments.

use ndarray::ArrayView2;

use super::{Combine, Estimator, Explained, Local, LocalOutcome, Neighbours, Reads, local};

/// Neighbours looked at unless said otherwise.
pub const MOM_K: usize = 100;

/// Dimension from the mean m of the distances u_1..u_k of every row: d_i = m/(u_k − m).
///
/// Reasons for none: `too_few_rows` (k + 2), `too_few_neighbours`, `zero_distances`,
/// `degenerate_ratios`. Amsaleg et al., Data Min. Knowl. Discov. 32, 1768 (2018).
pub fn mom(distances: ArrayView2<f64>, k: usize, combine: Combine) -> LocalOutcome {
    let values = local::over_rows(distances, k, |_, near| {
        let mean = near.sum() / k as f64;
        let rest = near[k - 1] - mean;
        (rest > 0.0).then_some(mean / rest)
    })?;
    Local::combine(values, distances, k, combine)
}

/// Averaged over rows.
pub(super) static MOM: Estimator = Estimator {
    name: "mom",
    flag: "mom",
    words: "Method of moments",
    reads: Reads::Neighbours(Neighbours::local(MOM_K, |view, k| {
        mom(view.distances, k, Combine::Mean).into()
    })),
    part_of: None,
    explained: &[Explained {
        variant: "mom",
        reads: "mean distance against the largest",
        k: Some(MOM_K),
        error: None,
        calibration: [Some(1.01), Some(0.91), Some(0.78), Some(0.64)],
    }],
};

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;

    #[test]
    fn distances_at_the_quantiles_of_a_ball_give_its_dimension() {
        let (d, k) = (3.0, 2000);
        let near = |j: usize| ((j as f64 + 1.0) / k as f64).powf(1.0 / d);
        let ball = Array2::from_shape_fn((k + 2, k), |(_, j)| near(j));
        let id = mom(ball.view(), k, Combine::Mean).unwrap().estimate.id;
        assert!((id - d).abs() < 0.01, "{id}");
    }

    #[test]
    fn neighbours_equally_far_have_no_dimension() {
        let equal = Array2::ones((9, 4));
        let reason = mom(equal.view(), 4, Combine::Mean).unwrap_err();
        assert_eq!(reason, crate::geometry::Reason::DegenerateRatios);
    }
}
