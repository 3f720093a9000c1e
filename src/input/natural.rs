//! Compares names in natural order: `layer_2` before `layer_10`, `-2` before `-1`.

use std::cmp::Ordering;

/// How `0.25` in a name is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Points {
    /// Two numbers, as in `layers.0.25`.
    Separate,
    /// One number, as in `depth_0.25`.
    Decimal,
}

/// Compares names with runs of digits taken as numbers; equal numbers with more leading zeros
/// come later, so the order is total.
pub(crate) fn compare(a: &str, b: &str) -> Ordering {
    compare_with(a, b, Points::Separate)
}

/// The same, with a say in what a point between digits is.
pub(crate) fn compare_with(a: &str, b: &str, points: Points) -> Ordering {
    let (mut left, mut right) = (a, b);
    let mut before = None;
    loop {
        let (Some(x), Some(y)) = (left.chars().next(), right.chars().next()) else {
            return left.len().cmp(&right.len()).then_with(|| a.cmp(b));
        };
        let numbers = (
            Number::parse(left, before, points),
            Number::parse(right, before, points),
        );
        let order = if let (Some((m, rest)), Some((n, other))) = numbers {
            (left, right) = (rest, other);
            before = Some('0');
            m.compare(&n)
        } else {
            left = &left[x.len_utf8()..];
            right = &right[y.len_utf8()..];
            before = Some(x);
            x.cmp(&y)
        };
        if order.is_ne() {
            return order;
        }
    }
}

/// A number inside a name, as text.
struct Number<'a> {
    negative: bool,
    whole: &'a str,
    fraction: &'a str,
    /// The value of all of it, where there is an exponent (`1e-3`).
    value: Option<f64>,
}

impl<'a> Number<'a> {
    /// The number at the start of `text`, which stands behind `before`; a minus is a sign only at
    /// the start of a name and behind `_` or `=`.
    fn parse(text: &'a str, before: Option<char>, points: Points) -> Option<(Self, &'a str)> {
        let signed = matches!(before, None | Some('_' | '='));
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) if signed => (true, rest),
            _ => (false, text),
        };
        let (whole, rest) = split_digits(digits)?;
        let point = rest
            .strip_prefix('.')
            .filter(|_| points == Points::Decimal)
            .and_then(split_digits);
        let (fraction, rest) = point.unwrap_or(("", rest));
        let behind = behind_exponent(rest);
        let number = Self {
            negative,
            whole: whole.trim_start_matches('0'),
            fraction: fraction.trim_end_matches('0'),
            value: behind.and_then(|behind| text[..text.len() - behind.len()].parse().ok()),
        };
        Some((number, behind.unwrap_or(rest)))
    }

    fn value(&self) -> f64 {
        let sign = if self.negative { "-" } else { "" };
        let text = || {
            format!("{sign}0{}.{}0", self.whole, self.fraction)
                .parse()
                .ok()
        };
        self.value.or_else(text).unwrap_or(0.0)
    }

    fn compare(&self, other: &Self) -> Ordering {
        if self.value.is_some() || other.value.is_some() {
            return self.value().total_cmp(&other.value());
        }
        let zero = |number: &Self| number.whole.is_empty() && number.fraction.is_empty();
        let negative = [self, other].map(|number| number.negative && !zero(number));
        let size = self.whole.len().cmp(&other.whole.len());
        let size = size.then_with(|| self.whole.cmp(other.whole));
        let size = size.then_with(|| self.fraction.cmp(other.fraction));
        match negative {
            [false, false] => size,
            [true, true] => size.reverse(),
            [true, false] => Ordering::Less,
            [false, true] => Ordering::Greater,
        }
    }
}

/// What follows the exponent that `text` begins with: a signed one, since `1e5` may be a name.
pub(super) fn behind_exponent(text: &str) -> Option<&str> {
    let digits = text.strip_prefix(['e', 'E'])?.strip_prefix(['-', '+'])?;
    split_digits(digits).map(|(_, rest)| rest)
}

/// The leading digits of `text`, and what follows them; `None` if there are none.
fn split_digits(text: &str) -> Option<(&str, &str)> {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn decimals_and_signs_count_where_they_are_meant() {
        let mut names = ["t_0.5", "t_0.25", "t_1.0", "t_0.125", "t_-1", "t_-2.5"];
        names.sort_by(|a, b| compare_with(a, b, Points::Decimal));
        assert_eq!(
            names,
            ["t_-2.5", "t_-1", "t_0.125", "t_0.25", "t_0.5", "t_1.0"]
        );
        // A minus between words is no sign.
        assert!(compare("block-1", "block-2").is_lt());
    }
}
