//! Natural order of names: `layer_2` before `layer_10`.

use std::cmp::Ordering;

/// Compares names with runs of digits taken as numbers; equal numbers with more leading zeros
/// come later, so the order is total.
pub(crate) fn compare(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a, b);
    loop {
        let (Some(x), Some(y)) = (left.chars().next(), right.chars().next()) else {
            return left.len().cmp(&right.len()).then_with(|| a.cmp(b));
        };
        let order = if x.is_ascii_digit() && y.is_ascii_digit() {
            let (m, n);
            (m, left) = split_number(left);
            (n, right) = split_number(right);
            m.len().cmp(&n.len()).then_with(|| m.cmp(n))
        } else {
            left = &left[x.len_utf8()..];
            right = &right[y.len_utf8()..];
            x.cmp(&y)
        };
        if order.is_ne() {
            return order;
        }
    }
}

/// The leading digits of `text` without their leading zeros, and what follows them.
fn split_number(text: &str) -> (&str, &str) {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    (digits.trim_start_matches('0'), rest)
}

#[cfg(test)]
mod tests {
    use super::compare;

    #[test]
    fn numbers_sort_by_value_and_everything_else_by_character() {
        let mut names = [
            "l10",
            "l2",
            "l02",
            "l1.10",
            "l1.9",
            "k99999999999999999999999",
            "l",
            "é",
        ];
        names.sort_by(|a, b| compare(a, b));
        assert_eq!(
            names,
            [
                "k99999999999999999999999",
                "l",
                "l1.9",
                "l1.10",
                "l02",
                "l2",
                "l10",
                "é"
            ]
        );
    }
}
