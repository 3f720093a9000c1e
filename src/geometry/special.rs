//! Special functions that the standard library lacks.

/// ln Γ(x) for x > 0.
pub(crate) fn ln_gamma(x: f64) -> f64 {
    libm::lgamma(x)
}

/// ln B(a, b), the logarithm of Euler's beta function, for a, b > 0.
pub(crate) fn ln_beta(a: f64, b: f64) -> f64 {
    ln_gamma(a) + ln_gamma(b) - ln_gamma(a + b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beta_of_whole_numbers_is_a_ratio_of_factorials() {
        assert!((ln_beta(2.0, 3.0) + 12f64.ln()).abs() < 1e-15);
        assert_eq!(ln_beta(1.0, 1.0), 0.0);
    }
}
