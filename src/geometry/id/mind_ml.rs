//! MiND ML: likelihood of the nearest against the farthest of k + 1 neighbours.

use ndarray::ArrayView2;

use super::likelihood::{self, Term};
use super::{Estimate, Estimator, Explained, Neighbours, Orders, Outcome, Ratios, Reads, local};
use crate::geometry::Reason;
use crate::input::Matrix;
use crate::warning::WarningCode;

/// Neighbours inside the largest distance unless said otherwise.
pub const MIND_ML_K: usize = 20;

/// Which dimensions compete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MindVersion {
    /// All real numbers.
    #[default]
    Real,
    /// Whole numbers.
    Integer,
}

/// Maximum-likelihood dimension from ρ = u_1/u_{k+1}, the smallest of k relative distances:
///
/// ```text
/// ln L(d) = M ln(kd) + (d − 1) Σ ln ρ + (k − 1) Σ ln(1 − ρ^d),   0 < d ≤ `max_id`
/// ```
///
/// This is Gride's likelihood at orders (1, k + 1) without the bias correction, and is solved by
/// the same iteration. An estimate at `max_id` (the number of columns is a natural choice) is
/// noted as `bound_hit`.
///
/// Reasons for none: `too_few_rows` (k + 3), `too_few_neighbours`, `zero_distances`,
/// `degenerate_ratios`. Rozza et al., Mach. Learn. 89, 37 (2012).
pub fn mind_ml(
    distances: ArrayView2<f64>,
    k: usize,
    max_id: usize,
    version: MindVersion,
) -> Outcome {
    local::require(distances, k + 1)?;
    let orders = Orders::new(1, k + 1).ok_or(Reason::TooFewNeighbours)?;
    let (near, far) = (distances.column(0).to_vec(), distances.column(k).to_vec());
    let ratios = Ratios::new(&near, &far);
    ratios.require(2)?;
    let mut terms: Vec<Term> = ratios
        .ascending()
        .into_iter()
        .map(|x| Term::new(x, orders))
        .collect();
    terms.retain(Term::is_possible);
    let free = likelihood::root(&terms, terms.len() as f64).ok_or(Reason::NotConverged)?;
    let max = max_id as f64;
    let id = match version {
        MindVersion::Real => free.min(max),
        MindVersion::Integer => whole(&terms, free).min(max),
    };
    Ok(Estimate {
        distance: ratios.distance,
        n_zero: ratios.n_zero,
        n_tied: ratios.n_tied,
        note: (id >= max).then_some(WarningCode::BoundHit),
        ..Estimate::new(id, terms.len())
    })
}

/// The likelier of the two whole numbers (from 1) around the maximum `free`: there is only one.
fn whole(terms: &[Term], free: f64) -> f64 {
    let below = free.floor().max(1.0);
    let gain = likelihood::log_likelihood(terms, below + 1.0)
        .zip(likelihood::log_likelihood(terms, below))
        // Each of the M rows counts here, one of them does not in Gride's likelihood.
        .map(|(above, at)| above - at + libm::log1p(1.0 / below));
    match gain {
        Some(gain) if gain > 0.0 => below + 1.0,
        _ => below,
    }
}

/// Among real numbers, at most the number of columns.
pub(super) static MIND_ML: Estimator = Estimator {
    name: "mind_ml",
    flag: "mind-ml",
    words: "MiND ML",
    reads: Reads::Neighbours(Neighbours {
        // The farthest neighbour lies outside k.
        stored: |k| k.saturating_add(1),
        ..Neighbours::plain(MIND_ML_K, |view, k| {
            let most = view.data.map_or(usize::MAX, Matrix::n_columns);
            mind_ml(view.distances, k, most, MindVersion::Real).into()
        })
    }),
    part_of: None,
    explained: &[Explained {
        variant: "mind_ml",
        reads: "nearest against farthest of k + 1",
        k: Some(MIND_ML_K),
        error: None,
        calibration: [Some(1.00), Some(0.96), Some(0.87), Some(0.75)],
    }],
};

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;

    /// Rows whose ratios are the quantiles of MiND's own law: P(ρ^d > v) = (1 − v)^k.
    fn quantiles(d: f64, k: usize, n: usize) -> Array2<f64> {
        Array2::from_shape_fn((n, k + 1), |(i, j)| {
            let share = (i as f64 + 0.5) / n as f64;
            let nearest = (1.0 - share.powf(1.0 / k as f64)).powf(1.0 / d);
            nearest + (1.0 - nearest) * j as f64 / k as f64
        })
    }

    #[test]
    fn quantiles_of_its_own_law_give_the_dimension() {
        for d in [1.5, 6.0] {
            let data = quantiles(d, 10, 2000);
            let id = mind_ml(data.view(), 10, 100, MindVersion::Real).unwrap().id;
            assert!((id / d - 1.0).abs() < 1e-3, "{id}");
        }
        let whole = mind_ml(
            quantiles(5.8, 10, 2000).view(),
            10,
            100,
            MindVersion::Integer,
        );
        assert_eq!(whole.unwrap().id, 6.0);
    }

    #[test]
    fn the_bound_is_noted() {
        let estimate = mind_ml(quantiles(6.0, 10, 2000).view(), 10, 4, MindVersion::Real).unwrap();
        assert_eq!(
            (estimate.id, estimate.note),
            (4.0, Some(WarningCode::BoundHit))
        );
    }
}
