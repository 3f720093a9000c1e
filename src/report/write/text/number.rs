//! Numbers for people: few digits, with units.

/// `value` to at most `digits` significant digits: `24.6`, `8.14`, `127`, `1.23e-9`.
///
/// Scientific outside 0.001 ≤ |value| < 10⁶; exact zero is `0`.
pub(in crate::report::write) fn significant(value: f64, digits: usize) -> String {
    if value == 0.0 {
        return "0".into();
    }
    // Rounding first: 9.996 has its third digit one place further left than it seems.
    let scientific = format!("{value:.*e}", digits - 1);
    let Some(exponent) = scientific
        .split_once('e')
        .and_then(|(_, exponent)| exponent.parse::<i64>().ok())
    else {
        return scientific;
    };
    if !(-3..6).contains(&exponent) {
        return scientific;
    }
    let rounded: f64 = scientific.parse().unwrap_or(value);
    let last_digit = i64::try_from(digits).unwrap_or(i64::MAX) - 1 - exponent;
    let decimals = usize::try_from(last_digit).unwrap_or(0);
    format!("{rounded:.decimals$}")
}

/// A size as a number and its binary unit: 1536 → `("1.50", "KiB")`.
pub(super) fn size(bytes: u64) -> (String, &'static str) {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if bytes < 1024 {
        return (bytes.to_string(), "B");
    }
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    // 999.5 and above would need a fourth digit.
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    (significant(value, 3), UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_significant_digits_survive_any_magnitude() {
        for (value, text) in [
            (24.618, "24.6"),
            (8.136, "8.14"),
            (9.996, "10.0"),
            (99.96, "100"),
            (127.4, "127"),
            (12_345.0, "12300"),
            (0.012_345, "0.0123"),
            (0.0, "0"),
            (-3.333, "-3.33"),
            (1.234e-9, "1.23e-9"),
            (9.999e5, "1.00e6"),
            (1.5e25, "1.50e25"),
        ] {
            assert_eq!(significant(value, 3), text);
        }
        assert_eq!(significant(0.1534, 2), "0.15");
        assert_eq!(significant(1.0, 1), "1");
    }

    #[test]
    fn sizes_have_three_digits_and_a_unit() {
        let text = |bytes| {
            let (number, unit) = size(bytes);
            format!("{number} {unit}")
        };
        assert_eq!(text(0), "0 B");
        assert_eq!(text(1023), "1023 B");
        assert_eq!(text(1024), "1.00 KiB");
        assert_eq!(text(768_000), "750 KiB");
        assert_eq!(text(1_048_575), "1.00 MiB");
        assert_eq!(text(u64::MAX), "16.0 EiB");
    }
}
