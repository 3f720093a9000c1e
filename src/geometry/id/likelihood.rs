//! The likelihood of a ratio of two neighbour distances, each row with its own orders.
//!
//! Written in u = d ln μ, which neither overflows nor cancels.

use super::Orders;
use crate::geometry::special::ln_beta;
use crate::geometry::stats;

/// The outlier filter keeps μ < q50 + REACH·(q95 − q50).
const REACH: f64 = 20.0;

/// Relative change of d at which Newton's iteration stops.
const TOLERANCE: f64 = 1e-12;

/// Newton converges quadratically; far fewer iterations are ever needed.
const MAX_ITERATIONS: usize = 1000;

/// One ratio and the exponents of its density.
#[derive(Debug, Clone, Copy)]
pub(super) struct Term {
    /// ln μ.
    x: f64,
    /// n2 − 1.
    steps: f64,
    /// n2 − n1 − 1, the rows between the two neighbours.
    between: f64,
}

impl Term {
    /// The logarithm `x` of a ratio of the neighbours `orders`.
    pub(super) fn new(x: f64, orders: Orders) -> Self {
        Self {
            x,
            steps: (orders.n2() - 1) as f64,
            between: (orders.n2() - orders.n1() - 1) as f64,
        }
    }

    /// Whether the likelihood is above zero: a tie is impossible with rows in between.
    pub(super) fn is_possible(&self) -> bool {
        self.x > 0.0 || self.between <= 0.0
    }
}

/// Drops terms with μ ≥ q50 + 20·(q95 − q50).
///
/// False, and nothing dropped, where the ratios have no spread or leave the range of f64.
pub(super) fn drop_outliers(terms: &mut Vec<Term>) -> bool {
    let mut mus: Vec<f64> = terms.iter().map(|term| libm::exp(term.x)).collect();
    mus.sort_unstable_by(f64::total_cmp);
    if mus.is_empty() {
        return false;
    }
    let median = stats::quantile(&mus, 0.5);
    let spread = stats::quantile(&mus, 0.95) - median;
    let limit = median + REACH * spread;
    let applies = spread > 0.0 && limit.is_finite();
    if applies {
        terms.retain(|term| libm::exp(term.x) < limit);
    }
    applies
}

/// The d > 0 at which
///
/// ```text
/// free/d = Σ [ (n2−1) − (n2−n1−1)/(1 − μ^{−d}) ] ln μ
/// ```
///
/// Maximum likelihood has free = M, Gride's bias correction free = M − 1.
///
/// Multiplied by d the equation reads H(d) = free − Σ [a u − b φ(u)] = 0 with a = n2 − 1,
/// b = n2 − n1 − 1 and φ(u) = u / (1 − e^{−u}). φ is convex with slope between 1/2 and 1, so H
/// is convex and falls without end: Newton's iteration from d = 0 approaches the only root from
/// below and cannot overshoot. No bracket is needed. `None` if all ln μ = 0.
pub(super) fn root(terms: &[Term], free: f64) -> Option<f64> {
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
    let fall = -libm::expm1(-u);
    (u / fall, (fall - u * (1.0 - fall)) / (fall * fall))
}

/// The error from the Fisher information, d / √(M + Σ (n2−n1−1) (u / (2 sinh(u/2)))²).
pub(super) fn std_error(terms: &[Term], id: f64) -> f64 {
    let [information] = stats::sums(terms, |term| {
        let half = id * term.x / 2.0;
        let ratio = if half > 0.0 {
            half / libm::sinh(half)
        } else {
            1.0
        };
        [1.0 + term.between * ratio * ratio]
    });
    id / information.sqrt()
}

/// (M−1) ln d + Σ (n2−n1−1) ln(μ^d − 1) − Σ ln B(n2−n1, n1) − Σ ((n2−1)d + 1) ln μ.
///
/// `None` where it is not finite.
pub(super) fn log_likelihood(terms: &[Term], id: f64) -> Option<f64> {
    let [total] = stats::sums(terms, |&Term { x, steps, between }| {
        let u = id * x;
        // ln(μ^d − 1) = u + ln(1 − e^{−u})
        let above = if between > 0.0 {
            between * (u + libm::log(-libm::expm1(-u)))
        } else {
            0.0
        };
        [above - ln_beta(between + 1.0, steps - between) - (steps * id + 1.0) * x]
    });
    let value = (terms.len() as f64 - 1.0) * libm::log(id) + total;
    value.is_finite().then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phi_is_smooth_where_its_series_takes_over() {
        let (below, above) = (phi(1e-3 * (1.0 - 1e-9)), phi(1e-3));
        assert!((below.0 - above.0).abs() < 1e-11);
        assert!((below.1 - above.1).abs() < 1e-9);
        assert_eq!(phi(0.0), (1.0, 0.5));
        assert_eq!(phi(1e300), (1e300, 1.0));
    }
}
