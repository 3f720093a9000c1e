//! Reads index ranges as typed: `3`, `-1`, `2..5`, `2..=5`, `1..`, `..-1`, and `2:5` as Python has it.

use std::ops::Range;

/// A range of indices; negative numbers count from the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IndexRange {
    /// One index.
    One(i64),
    /// From, to; both may be open. `inclusive` tells whether the second is part of the range.
    Span {
        from: Option<i64>,
        to: Option<i64>,
        inclusive: bool,
    },
}

impl IndexRange {
    /// Reads a range; `None` if `text` is none.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        // A slice of Python means the same: half open, negative from the end.
        let halves = text.split_once("..").or_else(|| text.split_once(':'));
        let Some((from, to)) = halves else {
            return text.parse().ok().map(Self::One);
        };
        let (to, inclusive) = match to.strip_prefix('=') {
            Some(to) => (to, true),
            None => (to, false),
        };
        let bound = |text: &str| match text {
            "" => Some(None),
            number => number.parse().ok().map(Some),
        };
        if inclusive && (to.is_empty() || !text.contains("..")) {
            return None;
        }
        Some(Self::Span {
            from: bound(from)?,
            to: bound(to)?,
            inclusive,
        })
    }

    /// The indices below `n` that are meant; the error says why there are none.
    pub(crate) fn resolve(self, n: usize) -> Result<Range<usize>, String> {
        let position = |index: i64| {
            let from_end = usize::try_from(index.unsigned_abs()).ok()?;
            match index {
                0.. => Some(from_end),
                _ => n.checked_sub(from_end),
            }
        };
        let beyond = |index: i64| format!("index {index} is beyond the {n} there are");
        let (start, end) = match self {
            Self::One(index) => {
                let at = position(index)
                    .filter(|&at| at < n)
                    .ok_or_else(|| beyond(index))?;
                (at, at + 1)
            }
            Self::Span {
                from,
                to,
                inclusive,
            } => {
                let start = from.map_or(Ok(0), |i| position(i).ok_or_else(|| beyond(i)))?;
                let end = to.map_or(Ok(n), |i| {
                    position(i)
                        .and_then(|at| at.checked_add(usize::from(inclusive)))
                        .filter(|&end| end <= n)
                        .ok_or_else(|| beyond(i))
                })?;
                (start, end)
            }
        };
        if start >= end {
            return Err(format!("range {start}..{end} of {n} is empty"));
        }
        Ok(start..end)
    }
}

impl IndexRange {
    /// A bound of the span that is the name of another layer than the one it counts to.
    pub(crate) fn clash(self, names: &[&str]) -> Option<i64> {
        let Self::Span { from, to, .. } = self else {
            return None;
        };
        [from, to].into_iter().flatten().find(|bound| {
            let text = bound.to_string();
            let place = names.iter().position(|name| *name == text);
            place.is_some_and(|place| {
                let counted = match bound {
                    0.. => usize::try_from(*bound).ok(),
                    _ => usize::try_from(bound.unsigned_abs())
                        .ok()
                        .and_then(|back| names.len().checked_sub(back)),
                };
                counted != Some(place)
            })
        })
    }
}

/// A whole number below `n`, as an index.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
pub(crate) fn whole_index(x: f64, n: usize) -> Option<u32> {
    // Whole and within range, so the cast is exact.
    let fits = x >= 0.0 && x < n as f64 && x.fract() <= 0.0 && x <= f64::from(u32::MAX);
    fits.then_some(x as u32)
}

#[cfg(test)]
mod tests {
    use super::IndexRange;

    fn of_ten(text: &str) -> Option<Vec<usize>> {
        let range = IndexRange::parse(text)?.resolve(10).ok()?;
        Some(range.collect())
    }

    #[test]
    fn ranges_are_half_open_like_rust_and_negative_from_the_end_like_python() {
        assert_eq!(of_ten("3"), Some(vec![3]));
        assert_eq!(of_ten("-1"), Some(vec![9]));
        assert_eq!(of_ten("7.."), Some(vec![7, 8, 9]));
        assert_eq!(of_ten("..2"), Some(vec![0, 1]));
        assert_eq!(of_ten("2..=4"), Some(vec![2, 3, 4]));
        assert_eq!(of_ten("-3..-1"), Some(vec![7, 8]));
        assert_eq!(of_ten(".."), Some((0..10).collect()));
        assert_eq!(of_ten("2:4"), Some(vec![2, 3]));
        assert_eq!(of_ten(":-8"), Some(vec![0, 1]));
    }

    #[test]
    fn what_is_no_range_or_reaches_beyond_is_refused() {
        for text in [
            "",
            "a",
            "1...2",
            "2..=",
            "10",
            "-11",
            "0..11",
            "5..5",
            "0:=3",
            "0:8:2",
            "6..2",
            "0..=9223372036854775807",
        ] {
            assert_eq!(of_ten(text), None, "{text}");
        }
    }
}
