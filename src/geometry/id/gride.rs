//! Gride: the dimension at any scale, from the ratio of two neighbours of chosen orders.
//!
//! Denti, Doimo, Laio and Mira, Sci. Rep. 12, 20005 (2022). In a locally uniform density the
//! ratio μ = r_n2 / r_n1 has the density
//!
//! ```text
//! f(μ | d) = d (μ^d − 1)^{n2−n1−1} / ( B(n2−n1, n1) μ^{(n2−1)d + 1} ),   μ ≥ 1
//! ```

use super::likelihood::{self, Term};
use super::{ErrorKind, Estimate, Estimator, Explained, Orders, Outcome, Ratios, Reads, jackknife};
use crate::geometry::Reason;
use crate::warning::WarningCode;

/// Gride intrinsic dimension from ratios of the neighbours `orders`.
///
/// Ties (μ = 1) are left out unless n2 = n1 + 1, since their likelihood is zero; then outliers,
/// μ ≥ q50 + 20 (q95 − q50). With M ratios left, d solves
///
/// ```text
/// (M − 1)/d = Σ [ (n2−1) − (n2−n1−1)/(1 − μ^{−d}) ] ln μ
/// ```
///
/// (M − 1 instead of M: for n1 = 1, n2 = 2 this is TwoNN's (M − 1)/Σ ln μ), and
///
/// ```text
/// SE^{−2} = M/d² + (n2−n1−1) Σ (ln μ)² / (4 sinh²(d ln μ / 2))
/// ```
///
/// The error ignores that rows share neighbours, the more of them the larger the order: fresh
/// samples spread up to 1.8 times as wide at n1 = 32 (`docs/methods.md`, Calibration).
///
/// Reasons for none: `too_few_rows` (n2 + 1 rows, 3 ratios), `zero_distances`,
/// `degenerate_ratios` (only ties), `not_converged`.
pub fn gride(ratios: &Ratios, orders: Orders) -> Outcome {
    if ratios.n_rows <= orders.n2() {
        return Err(Reason::TooFewRows);
    }
    ratios.require(3)?;
    let sample = Sample::of(&ratios.ascending(), orders);
    if sample.kept.len() < 3 {
        return Err(Reason::TooFewRows);
    }
    let id = sample.dimension().ok_or(Reason::NotConverged)?;
    let estimate = Estimate {
        distance: ratios.distance,
        n_zero: ratios.n_zero,
        n_tied: ratios.n_tied,
        n_filtered: sample.n_filtered,
        note: sample.note,
        ..Estimate::new(id, sample.kept.len())
    };
    Ok(estimate.with_error(
        ErrorKind::Model,
        Some(likelihood::std_error(&sample.kept, id)),
    ))
}

/// Jackknife error of [`gride`] over `n_blocks` blocks of rows; see [`jackknife()`].
pub fn gride_blocks(ratios: &Ratios, orders: Orders, n_blocks: usize) -> Option<f64> {
    jackknife(&ratios.ln_mu, n_blocks, |ascending| {
        Sample::of(ascending, orders).dimension()
    })
}

/// Log-likelihood of the dimension `id` under the ratios that [`gride`] uses:
///
/// ```text
/// (M−1) ln d + Σ (n2−n1−1) ln(μ^d − 1) − Σ ln B(n2−n1, n1) − Σ ((n2−1)d + 1) ln μ
/// ```
///
/// The M − 1 follows the estimating equation. `None` where it is not finite.
pub fn gride_log_likelihood(ratios: &Ratios, orders: Orders, id: f64) -> Option<f64> {
    likelihood::log_likelihood(&Sample::of(&ratios.ascending(), orders).kept, id)
}

/// The ratios that enter and what was left out.
struct Sample {
    kept: Vec<Term>,
    n_filtered: usize,
    note: Option<WarningCode>,
}

impl Sample {
    fn of(ascending: &[f64], orders: Orders) -> Self {
        let term = |&x: &f64| Term::new(x, orders);
        let mut kept: Vec<Term> = ascending.iter().map(term).collect();
        kept.retain(Term::is_possible);
        let n = kept.len();
        let filtered = likelihood::drop_outliers(&mut kept);
        Self {
            n_filtered: n - kept.len(),
            note: (!filtered).then_some(WarningCode::FilterSkipped),
            kept,
        }
    }

    fn dimension(&self) -> Option<f64> {
        likelihood::root(&self.kept, self.kept.len() as f64 - 1.0)
    }
}

/// At the orders that options say.
pub static GRIDE: Estimator = Estimator {
    name: "gride",
    flag: "gride",
    words: "Generalised ratios of neighbour distances, over scales",
    reads: Reads::Ratios,
    part_of: None,
    explained: &[
        Explained {
            variant: "gride_1",
            reads: "ratio of neighbours 2 and 1",
            k: Some(2),
            error: Some(ErrorKind::Model),
            calibration: [Some(1.00), Some(0.97), Some(0.91), Some(0.80)],
        },
        Explained {
            variant: "gride_2",
            reads: "of neighbours 4 and 2",
            k: Some(4),
            error: Some(ErrorKind::Model),
            calibration: [Some(1.00), Some(0.97), Some(0.89), Some(0.77)],
        },
        Explained {
            variant: "gride_4",
            reads: "of neighbours 8 and 4",
            k: Some(8),
            error: Some(ErrorKind::Model),
            calibration: [Some(1.00), Some(0.95), Some(0.87), Some(0.75)],
        },
        Explained {
            variant: "gride_8",
            reads: "of neighbours 16 and 8",
            k: Some(16),
            error: Some(ErrorKind::Model),
            calibration: [Some(1.00), Some(0.94), Some(0.84), Some(0.71)],
        },
        Explained {
            variant: "gride_16",
            reads: "of neighbours 32 and 16",
            k: Some(32),
            error: Some(ErrorKind::Model),
            calibration: [Some(0.99), Some(0.92), Some(0.81), Some(0.68)],
        },
        Explained {
            variant: "gride_32",
            reads: "of neighbours 64 and 32",
            k: Some(64),
            error: Some(ErrorKind::Model),
            calibration: [Some(0.99), Some(0.89), Some(0.77), Some(0.63)],
        },
    ],
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::id::{Fit, two_nn};
    use crate::random::SplitMix64;

    fn orders(n1: usize) -> Orders {
        Orders::doubled(n1).unwrap()
    }

    /// Ratios drawn from Gride's own law: of n2 uniform volumes the n1-th over the largest.
    fn drawn(d: f64, orders: Orders, n: usize) -> Ratios {
        let mut random = SplitMix64::new(3);
        let far = vec![1.0; n];
        let near: Vec<f64> = far
            .iter()
            .map(|_| {
                let mut volumes: Vec<f64> = (1..orders.n2()).map(|_| random.uniform()).collect();
                volumes.sort_unstable_by(f64::total_cmp);
                volumes[orders.n1() - 1].powf(1.0 / d)
            })
            .collect();
        Ratios::new(&near, &far)
    }

    #[test]
    fn at_the_first_order_gride_is_the_likelihood_of_two_nn() {
        let ratios = drawn(3.0, Orders::FIRST, 300);
        let gride = gride(&ratios, Orders::FIRST).unwrap();
        let two_nn = two_nn(&ratios, Fit::Mle).unwrap();
        assert_eq!(gride.n_filtered, 0);
        assert!((gride.id / two_nn.id - 1.0).abs() < 1e-14);
        let (a, b) = (gride.std_error.unwrap(), two_nn.std_error.unwrap());
        assert!((a / b - 1.0).abs() < 1e-14);
    }

    #[test]
    fn the_estimate_solves_the_estimating_equation() {
        for n1 in [2, 8, 64] {
            let ratios = drawn(7.0, orders(n1), 400);
            let d = gride(&ratios, orders(n1)).unwrap().id;
            let (a, b) = ((2 * n1 - 1) as f64, (n1 - 1) as f64);
            let sum: f64 = ratios
                .ln_mu
                .iter()
                .map(|x| (a - b / (1.0 - (-d * x).exp())) * x)
                .sum();
            assert!((399.0 / d / sum - 1.0).abs() < 1e-11, "n1 = {n1}");
        }
    }

    #[test]
    fn gride_recovers_the_dimension_of_its_own_law_at_every_order() {
        for d in [0.5, 5.0, 200.0] {
            for n1 in [1, 4, 32] {
                let estimate = gride(&drawn(d, orders(n1), 4000), orders(n1)).unwrap();
                let error = estimate.std_error.unwrap();
                assert!(
                    (estimate.id - d).abs() < 4.0 * error,
                    "{d} {n1} {estimate:?}"
                );
            }
        }
    }

    #[test]
    fn orders_need_not_double() {
        let orders = Orders::new(3, 20).unwrap();
        let estimate = gride(&drawn(4.0, orders, 2000), orders).unwrap();
        assert!((estimate.id - 4.0).abs() < 4.0 * estimate.std_error.unwrap());
    }

    #[test]
    fn extreme_dimensions_stay_within_floating_point() {
        let base = drawn(1.0, orders(8), 500);
        let reference = gride(&base, orders(8)).unwrap().id;
        for d in [1e-3, 1e6, 1e12] {
            let mut ratios = base.clone();
            ratios.ln_mu.iter_mut().for_each(|x| *x /= d);
            let estimate = gride(&ratios, orders(8)).unwrap();
            assert!(
                (estimate.id / d / reference - 1.0).abs() < 1e-3,
                "{d} {estimate:?}"
            );
            assert!(estimate.std_error.unwrap().is_finite());
        }
    }

    #[test]
    fn the_log_likelihood_peaks_where_its_derivative_vanishes() {
        let (ratios, orders) = (drawn(4.0, orders(4), 200), orders(4));
        let d = gride(&ratios, orders).unwrap().id;
        let at = |d: f64| gride_log_likelihood(&ratios, orders, d).unwrap();
        assert!(at(d) > at(d * 1.001) && at(d) > at(d * 0.999));
        let curvature = (at(d * 1.01) - 2.0 * at(d) + at(d * 0.99)) / (0.01 * d).powi(2);
        let error = gride(&ratios, orders).unwrap().std_error.unwrap();
        assert!((-curvature * error * error - 1.0).abs() < 0.02);
    }

    #[test]
    fn ties_are_left_out_where_their_likelihood_is_zero() {
        let mut ratios = drawn(3.0, orders(2), 100);
        let clean = gride(&ratios, orders(2)).unwrap();
        ratios.ln_mu.extend([0.0; 7]);
        ratios.n_tied = 7;
        let tied = gride(&ratios, orders(2)).unwrap();
        assert_eq!((tied.id, tied.n, tied.n_tied), (clean.id, 100, 7));
    }

    #[test]
    fn a_wild_ratio_is_filtered_and_equal_ratios_skip_the_filter() {
        let mut ratios = drawn(3.0, orders(2), 100);
        let clean = gride(&ratios, orders(2)).unwrap();
        ratios.ln_mu.push(50.0);
        let filtered = gride(&ratios, orders(2)).unwrap();
        assert_eq!(filtered.n_filtered, 1);
        assert!((filtered.id / clean.id - 1.0).abs() < 1e-12);
        let equal = Ratios::new(&[1.0; 9], &[2.0; 9]);
        let estimate = gride(&equal, Orders::FIRST).unwrap();
        assert!((estimate.id - 8.0 / (9.0 * 2f64.ln())).abs() < 1e-14);
        assert_eq!(estimate.note, Some(WarningCode::FilterSkipped));
    }

    #[test]
    fn data_without_an_answer_get_a_reason() {
        let reason =
            |near: &[f64], far: &[f64], n1| gride(&Ratios::new(near, far), orders(n1)).unwrap_err();
        assert_eq!(reason(&[1.0; 4], &[2.0; 4], 2), Reason::TooFewRows);
        assert_eq!(reason(&[0.0; 9], &[0.0; 9], 2), Reason::ZeroDistances);
        assert_eq!(reason(&[1.0; 9], &[1.0; 9], 1), Reason::DegenerateRatios);
        assert_eq!(reason(&[1.0; 9], &[1.0; 9], 2), Reason::DegenerateRatios);
        // Two equal rows and a third one, duplicates kept.
        assert_eq!(reason(&[0.0, 0.0, 1.0], &[1.0; 3], 1), Reason::TooFewRows);
    }
}
