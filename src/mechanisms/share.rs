//! Gives a count its share of all and the interval of that share.

use serde::Serialize;

/// A count, its share, and the 95 % interval of the share (Wilson, J. Am. Stat. Assoc. 22, 209
/// (1927)).
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "OutcomeShare"))]
pub struct Share {
    /// How many.
    pub count: usize,
    /// Of all; `None` without examples.
    pub share: Option<f64>,
    /// Lower end of the interval.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
}

impl Share {
    /// `count` of `n`.
    ///
    /// ```text
    /// (p + z²/2n ± z √(p(1−p)/n + z²/4n²)) / (1 + z²/n)      z = 1.959964
    /// ```
    pub fn of(count: usize, n: usize) -> Self {
        if n == 0 {
            return Self {
                count,
                share: None,
                low: None,
                high: None,
            };
        }
        let z = 1.959_963_984_540_054f64;
        let (p, n) = (count as f64 / n as f64, n as f64);
        let half = z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
        let end = |half: f64| ((p + z * z / (2.0 * n) + half) / (1.0 + z * z / n)).clamp(0.0, 1.0);
        // At none and at all the ends are exact.
        Self {
            count,
            share: Some(p),
            low: Some(if count == 0 { 0.0 } else { end(-half) }),
            high: Some(if p < 1.0 { end(half) } else { 1.0 }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wilson_intervals_are_those_of_the_textbook() {
        // 15 of 50: (0.1910, 0.4375) to four digits.
        let share = Share::of(15, 50);
        assert!((share.low.unwrap() - 0.1910).abs() < 5e-5, "{share:?}");
        assert!((share.high.unwrap() - 0.4375).abs() < 5e-5, "{share:?}");
        let none = Share::of(0, 10);
        assert!(none.low == Some(0.0) && none.high.unwrap() > 0.2);
        assert_eq!(Share::of(0, 0).share, None);
    }
}
