//! Writes zero without a sign.
//!
//! −0 means nothing in a report, and whether a sum or `max(0.0)` gives it may be the compiler's
//! choice: so every writer of numbers asks here.

/// The value itself, and 0 for −0.
pub(super) fn unsigned(value: f64) -> f64 {
    value + 0.0
}

/// The fewest digits that read back as the same number.
pub(super) fn plain(value: f64) -> String {
    unsigned(value).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_has_no_sign_and_nothing_else_changes() {
        assert_eq!(plain(-0.0), "0");
        for value in [0.0, 1.5, -1.5, f64::MIN_POSITIVE, -5e-324, 1e300] {
            assert_eq!(unsigned(value).to_bits(), value.to_bits());
        }
    }
}
