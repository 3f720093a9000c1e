//! Warns of errors over few parts.

/// Fewer parts than this leave a standard error uncertain by more than a quarter.
const FEW: usize = 10;

/// How far a standard deviation over `parts` parts, or an error made of it, may be off: 1/√(2(P − 1)),
/// for normal values; nothing is said from ten parts on.
pub(super) fn few_parts(parts: usize) -> Option<String> {
    let freedom = parts.checked_sub(1).filter(|&freedom| freedom > 0)?;
    let off = 100.0 / (2.0 * freedom as f64).sqrt();
    (parts < FEW).then(|| format!("of {parts} parts, so itself good to {off:.0} %"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_of_an_error_shrinks_with_the_parts() {
        assert_eq!(few_parts(1), None);
        assert_eq!(
            few_parts(3).as_deref(),
            Some("of 3 parts, so itself good to 50 %")
        );
        assert_eq!(
            few_parts(9).as_deref(),
            Some("of 9 parts, so itself good to 25 %")
        );
        assert_eq!(few_parts(10), None);
    }
}
