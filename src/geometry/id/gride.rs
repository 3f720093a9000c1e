//! Gride: the dimension at any scale, from the ratio of two neighbours of chosen orders.
//!
//! Denti, Doimo, Laio and Mira, Sci. Rep. 12, 20005 (2022). In a locally uniform density the
//! ratio μ = r_n2 / r_n1 has the density
//!
//! ```text
//! f(μ | d) = d (μ^d − 1)^{n2−n1−1} / ( B(n2−n1, n1) μ^{(n2−1)d + 1} ),   μ ≥ 1
//! ```
//!
//! Everything below is written in u = d ln μ, which neither overflows nor cancels.

use super::{ErrorKind, Estimate, Orders, Outcome, Ratios, jackknife};
use crate::geometry::special::ln_beta;
use crate::geometry::{Reason, stats};
use crate::warning::WarningCode;

/// The outlier filter keeps μ < q50 + REACH·(q95 − q50).
const REACH: f64 = 20.0;

/// Relative change of d at which Newton's iteration stops.
const TOLERANCE: f64 = 1e-12;

/// Newton converges quadratically; far fewer iterations are ever needed.
const MAX_ITERATIONS: usize = 1000;

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
/// The error ignores that rows share neighbours and is far too small at large orders.
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
        n_zero: ratios.n_zero,
        n_tied: ratios.n_tied,
        n_filtered: sample.n_filtered,
        note: sample.note,
        ..Estimate::new(id, sample.kept.len())
    };
    Ok(estimate.with_error(ErrorKind::Model, Some(sample.std_error(id))))
}

/// Jackknife error of [`gride`] over `n_blocks` blocks of rows; see [`jackknife`].
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
    let total = Sample::of(&ratios.ascending(), orders).log_likelihood(id);
    Some(total).filter(|total| total.is_finite())
}

/// The ratios that enter, ascending, and what was left out.
struct Sample {
    kept: Vec<Term>,
    n_filtered: usize,
    note: Option<WarningCode>,
}

/// One ratio and the exponents of its density.
#[derive(Clone, Copy)]
struct Term {
    /// ln μ.
    x: f64,
    /// n2 − 1.
    steps: f64,
    /// n2 − n1 − 1, the rows between the two neighbours.
    between: f64,
}

impl Sample {
    fn of(ascending: &[f64], orders: Orders) -> Self {
        let between = orders.n2() - orders.n1() - 1;
        let ties = ascending.partition_point(|&x| between > 0 && x <= 0.0);
        let untied = &ascending[ties..];
        let (kept, note) = match outlier_limit(untied) {
            Some(limit) => (untied.partition_point(|&x| x.exp() < limit), None),
            None => (untied.len(), Some(WarningCode::FilterSkipped)),
        };
        let term = |&x: &f64| Term {
            x,
            steps: (orders.n2() - 1) as f64,
            between: between as f64,
        };
        Self {
            kept: untied[..kept].iter().map(term).collect(),
            n_filtered: untied.len() - kept,
            note,
        }
    }

    fn dimension(&self) -> Option<f64> {
        root(&self.kept)
    }

    /// SE = d / √(M + Σ (n2−n1−1) (u / (2 sinh(u/2)))²).
    fn std_error(&self, id: f64) -> f64 {
        let [information] = stats::sums(&self.kept, |term| {
            let half = id * term.x / 2.0;
            let ratio = if half > 0.0 { half / half.sinh() } else { 1.0 };
            [1.0 + term.between * ratio * ratio]
        });
        id / information.sqrt()
    }

    fn log_likelihood(&self, id: f64) -> f64 {
        let [total] = stats::sums(&self.kept, |term| {
            let &Term { x, steps, between } = term;
            let u = id * x;
            // ln(μ^d − 1) = u + ln(1 − e^{−u})
            let above = if between > 0.0 {
                between * (u + (-(-u).exp_m1()).ln())
            } else {
                0.0
            };
            [above - ln_beta(between + 1.0, steps - between) - (steps * id + 1.0) * x]
        });
        (self.kept.len() as f64 - 1.0) * id.ln() + total
    }
}

/// q50 + 20·(q95 − q50) of μ; `None` where the ratios have no spread or leave f64's range.
fn outlier_limit(ascending: &[f64]) -> Option<f64> {
    if ascending.is_empty() {
        return None;
    }
    let mus: Vec<f64> = ascending.iter().map(|x| x.exp()).collect();
    let median = stats::quantile(&mus, 0.5);
    let spread = stats::quantile(&mus, 0.95) - median;
    let limit = median + REACH * spread;
    (spread > 0.0 && limit.is_finite()).then_some(limit)
}

/// The root of the estimating equation, for each term its own orders.
///
/// Multiplied by d it reads H(d) = (M − 1) − Σ [a u − b φ(u)] = 0 with a = n2 − 1,
/// b = n2 − n1 − 1 and φ(u) = u / (1 − e^{−u}). φ is convex with slope between 1/2 and 1, so H
/// is convex and falls without end: Newton's iteration from d = 0 approaches the only root from
/// below and cannot overshoot. No bracket is needed. `None` below two terms or if all ln μ = 0.
fn root(terms: &[Term]) -> Option<f64> {
    let free = terms.len() as f64 - 1.0;
    let mut d = 0.0;
    for _ in 0..MAX_ITERATIONS {
        let [value, slope] = stats::sums(terms, |&Term { x, steps, between }| {
            let u = d * x;
            let (phi, phi_slope) = if between > 0.0 { phi(u) } else { (0.0, 0.0) };
            [steps * u - between * phi, x * (steps - between * phi_slope)]
        });
        let step = (free - value) / slope;
        d += step;
        if !d.is_finite() || d <= 0.0 {
            return None;
        }
        if step.abs() <= TOLERANCE * d {
            return Some(d);
        }
    }
    None
}

/// φ(u) = u / (1 − e^{−u}) and its derivative, for u ≥ 0.
fn phi(u: f64) -> (f64, f64) {
    if u < 1e-3 {
        let square = u * u;
        return (
            1.0 + u / 2.0 + square / 12.0 * (1.0 - square / 60.0),
            0.5 + u / 6.0 * (1.0 - square / 30.0),
        );
    }
    let fall = -(-u).exp_m1();
    (u / fall, (fall - u * (1.0 - fall)) / (fall * fall))
}

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

    #[test]
    fn phi_is_smooth_where_its_series_takes_over() {
        let (below, above) = (phi(1e-3 * (1.0 - 1e-9)), phi(1e-3));
        assert!((below.0 - above.0).abs() < 1e-11);
        assert!((below.1 - above.1).abs() < 1e-9);
        assert_eq!(phi(0.0), (1.0, 0.5));
        assert_eq!(phi(1e300), (1e300, 1.0));
    }
}
