//! Levina–Bickel maximum likelihood.

use super::ratios::ln_ratio;
use ndarray::ArrayView2;

use super::{ErrorKind, Estimator, Explained, Local, LocalOutcome, Neighbours, Reads, local};
use crate::geometry::stats;

/// Neighbours looked at unless said otherwise.
pub const MLE_K: usize = 20;

/// How the local likelihoods become one dimension.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MleVersion {
    /// Harmonic mean, which pools the likelihoods (MacKay and Ghahramani's correction, 2005).
    #[default]
    Harmonic,
    /// Arithmetic mean, as Levina and Bickel wrote it.
    Mean,
    /// Median.
    Median,
    /// Harmonic mean with k − 2 in place of k − 1, which removes the bias of a single row.
    Unbiased,
}

/// Maximum-likelihood dimension from the `k` nearest neighbours of every row.
///
/// With u_1 ≤ … ≤ u_k the distances of a row,
///
/// ```text
/// m_i = (k − 1) / Σ_j ln(u_k/u_j)        SE = d/√(M(k − 1))
/// ```
///
/// combined over M rows by `version`. The error ignores that neighbourhoods overlap. A row whose
/// neighbours are all equally far has no dimension of its own, but its logarithms (all zero)
/// take part in the harmonic mean.
///
/// Reasons for none: `too_few_rows` (k + 2), `too_few_neighbours`, `zero_distances`,
/// `degenerate_ratios`. Levina and Bickel, NIPS 17 (2004).
pub fn mle(distances: ArrayView2<f64>, k: usize, version: MleVersion) -> LocalOutcome {
    let free = match version {
        MleVersion::Unbiased => k as f64 - 2.0,
        _ => k as f64 - 1.0,
    };
    let inverses = local::over_rows(distances, k, |_, near| {
        let far = near[k - 1];
        let logs: f64 = near.iter().map(|&u| ln_ratio(u, far)).sum();
        Some(logs / free)
    })?;
    let values: Vec<Option<f64>> = inverses
        .iter()
        .map(|inverse| inverse.filter(|x| *x > 0.0).map(f64::recip))
        .collect();
    let present: Vec<f64> = values.iter().copied().flatten().collect();
    let id = match version {
        MleVersion::Mean => stats::mean(&present),
        MleVersion::Median => stats::median(&present),
        MleVersion::Harmonic | MleVersion::Unbiased => {
            let pooled: Vec<f64> = inverses.into_iter().flatten().collect();
            stats::mean(&pooled).map(f64::recip)
        }
    };
    let local = Local::new(id, values, distances, k)?;
    let information = local.estimate.n as f64 * (k as f64 - 1.0);
    let error = local.estimate.id / information.sqrt();
    Ok(Local {
        estimate: local.estimate.with_error(ErrorKind::Model, Some(error)),
        ..local
    })
}

/// Pooled as MacKay and Ghahramani do.
pub(super) static MLE: Estimator = Estimator {
    name: "mle",
    flag: "mle",
    words: "Levina–Bickel maximum likelihood",
    reads: Reads::Neighbours(Neighbours::local(MLE_K, |view, k| {
        mle(view.distances, k, MleVersion::Harmonic).into()
    })),
    part_of: None,
    explained: &[
        Explained {
            variant: "mle",
            reads: "logarithms of distances, pooled",
            k: Some(MLE_K),
            error: Some(ErrorKind::Model),
            calibration: [Some(1.00), Some(0.94), Some(0.85), Some(0.72)],
        },
        Explained {
            variant: "mle_mean",
            reads: "the same, averaged over rows",
            k: Some(MLE_K),
            error: Some(ErrorKind::Model),
            calibration: [Some(1.05), Some(1.00), Some(0.90), Some(0.76)],
        },
    ],
};

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;
    use crate::geometry::Reason;

    #[test]
    fn every_version_is_its_closed_form() {
        let distances = array![
            [1.0, 2.0, 4.0],
            [1.0, 1.0, 2.0],
            [1.0, 4.0, 4.0],
            [2.0, 2.0, 4.0],
            [3.0, 6.0, 12.0]
        ];
        let id = |version| mle(distances.view(), 3, version).unwrap().estimate.id * 2f64.ln();
        // The sums of logarithms are 3, 2, 2, 2, 3 times ln 2.
        assert!((id(MleVersion::Harmonic) - 10.0 / 12.0).abs() < 1e-15);
        assert!((id(MleVersion::Mean) - (2.0 / 3.0 * 2.0 + 3.0) / 5.0).abs() < 1e-15);
        assert!((id(MleVersion::Median) - 1.0).abs() < 1e-15);
        assert!((id(MleVersion::Unbiased) - 5.0 / 12.0).abs() < 1e-15);
    }

    #[test]
    fn neighbours_equally_far_have_no_dimension() {
        let equal = ndarray::Array2::from_elem((6, 3), 2.0);
        assert_eq!(
            mle(equal.view(), 3, MleVersion::Harmonic),
            Err(Reason::DegenerateRatios)
        );
        assert_eq!(
            mle(equal.view(), 3, MleVersion::Mean),
            Err(Reason::DegenerateRatios)
        );
        assert_eq!(
            mle(equal.view(), 1, MleVersion::Unbiased),
            Err(Reason::DegenerateRatios)
        );
    }
}
