//! Special functions that the standard library lacks.

/// ln Γ(x) for x > 0.
pub(crate) fn ln_gamma(x: f64) -> f64 {
    libm::lgamma(x)
}

/// ln B(a, b), the logarithm of Euler's beta function, for a, b > 0.
pub(crate) fn ln_beta(a: f64, b: f64) -> f64 {
    ln_gamma(a) + ln_gamma(b) - ln_gamma(a + b)
}

/// From here on the asymptotic series of ψ and ψ₁ are exact in f64.
const ASYMPTOTIC: f64 = 16.0;

/// Digamma, ψ(x) = d ln Γ(x)/dx, for x > 0: recurrence up to the asymptotic series.
pub(crate) fn digamma(mut x: f64) -> f64 {
    let mut shift = 0.0;
    while x < ASYMPTOTIC {
        shift -= x.recip();
        x += 1.0;
    }
    let y = (x * x).recip();
    let series = [
        1.0 / 12.0,
        -1.0 / 120.0,
        1.0 / 252.0,
        -1.0 / 240.0,
        1.0 / 132.0,
        -691.0 / 32760.0,
    ];
    shift + libm::log(x) - 0.5 / x - y * polynomial(&series, y)
}

/// Trigamma, ψ₁(x) = dψ(x)/dx, for x > 0.
pub(crate) fn trigamma(mut x: f64) -> f64 {
    let mut shift = 0.0;
    while x < ASYMPTOTIC {
        shift += (x * x).recip();
        x += 1.0;
    }
    let y = (x * x).recip();
    let series = [
        1.0 / 6.0,
        -1.0 / 30.0,
        1.0 / 42.0,
        -1.0 / 30.0,
        5.0 / 66.0,
        -691.0 / 2730.0,
    ];
    shift + x.recip() + 0.5 * y + y / x * polynomial(&series, y)
}

/// Σ c_i y^i.
fn polynomial(coefficients: &[f64], y: f64) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, c| sum * y + c)
}

/// The x that a χ² variable with one degree of freedom exceeds with probability `alpha`.
///
/// `alpha` is held within [1e-300, 1], where f64 can tell it from 0.
pub(crate) fn chi_squared_upper_quantile(alpha: f64) -> f64 {
    let target = libm::log(alpha.clamp(1e-300, 1.0));
    // With z = √(x/2), alpha = erfc(z) ≤ e^{−z²}. ln erfc is concave and falls, so Newton's
    // iteration from that bound, which lies beyond the root, comes down to it.
    let mut z = (-target).sqrt();
    for _ in 0..50 {
        let tail = libm::erfc(z);
        let slope = -std::f64::consts::FRAC_2_SQRT_PI * libm::exp(-z * z) / tail;
        let step = (libm::log(tail) - target) / slope;
        z -= step;
        if step.abs() <= 1e-16 * z {
            break;
        }
    }
    2.0 * z * z
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beta_of_whole_numbers_is_a_ratio_of_factorials() {
        assert!((ln_beta(2.0, 3.0) + 12f64.ln()).abs() < 1e-15);
        assert_eq!(ln_beta(1.0, 1.0), 0.0);
    }

    #[test]
    fn digamma_and_trigamma_take_their_known_values() {
        const EULER: f64 = 0.577_215_664_901_532_9;
        let pi_squared = std::f64::consts::PI.powi(2);
        assert!((digamma(1.0) + EULER).abs() < 1e-15);
        assert!((digamma(0.5) + EULER + 2.0 * 2f64.ln()).abs() < 1e-14);
        assert!((trigamma(1.0) - pi_squared / 6.0).abs() < 1e-15);
        assert!((trigamma(0.5) - pi_squared / 2.0).abs() < 1e-14);
        for x in [3.7, 15.5, 16.5, 1e6] {
            assert!(
                (digamma(x + 1.0) - digamma(x) - 1.0 / x).abs() < 2e-15,
                "{x}"
            );
            assert!(
                (trigamma(x) - trigamma(x + 1.0) - 1.0 / (x * x)).abs() < 1e-15,
                "{x}"
            );
        }
    }

    #[test]
    fn chi_squared_quantiles_are_the_tabulated_ones() {
        for (alpha, quantile) in [
            (1e-6, 23.928126976934827),
            (1e-3, 10.827566170662733),
            (0.05, 3.841_458_820_694_128_5),
        ] {
            let found = chi_squared_upper_quantile(alpha);
            assert!((found / quantile - 1.0).abs() < 1e-14, "{found}");
        }
        assert_eq!(chi_squared_upper_quantile(1.0), 0.0);
        assert!(chi_squared_upper_quantile(0.0).is_finite());
    }
}
