//! Bounds a correlation by what other pairs would have given.

use serde::Serialize;

use super::test::{Correlation, correlation};
use crate::choice::choice;
use crate::geometry::{Reason, stats};
use crate::random::SplitMix64;

choice! {
    /// Where an interval comes from.
    pub enum IntervalRule {
        /// From the 2.5 % to the 97.5 % quantile of the correlation over pairs drawn with replacement
        Bootstrap = "bootstrap",
        /// 1.96 standard errors to both sides, from leaving out one pair at a time
        Jackknife = "jackknife",
    }
}

/// An interval of 95 %.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "CorrelationInterval"))]
pub struct Interval {
    /// Where it comes from.
    pub rule: IntervalRule,
    /// Its lower end, −1 at least.
    pub lower: f64,
    /// Its upper end, 1 at most.
    pub upper: f64,
    /// Draws or left-out pairs that have a correlation; others, whose columns are constant, count for
    /// nothing.
    pub n: usize,
}

/// The normal quantile of 97.5 %.
const Z: f64 = 1.959_963_984_540_054;

/// The interval of the correlation of `x` and `y` by `rule`, with `draws` samples of a bootstrap.
///
/// ```text
/// jackknife: r ± 1.96 sqrt((n − 1)/n Σ_i (r_(i) − mean r_())²)
/// ```
///
/// Efron & Tibshirani, An Introduction to the Bootstrap (1993), chapters 11 and 13.
///
/// # Errors
/// As [`correlation`]; [`Reason::TooFewRows`] below four pairs, or where fewer than two draws have a
/// correlation.
pub fn interval(
    kind: Correlation,
    x: &[f64],
    y: &[f64],
    rule: IntervalRule,
    draws: usize,
    seed: u64,
) -> Result<Interval, Reason> {
    let n = x.len();
    if n < 4 {
        return Err(Reason::TooFewRows);
    }
    let value = correlation(kind, x, y)?;
    let of = |rows: &[usize]| {
        let pick = |column: &[f64]| rows.iter().map(|&row| column[row]).collect::<Vec<f64>>();
        correlation(kind, &pick(x), &pick(y)).ok()
    };
    let found: Vec<f64> = match rule {
        IntervalRule::Jackknife => (0..n)
            .filter_map(|left| of(&(0..n).filter(|&row| row != left).collect::<Vec<_>>()))
            .collect(),
        IntervalRule::Bootstrap => {
            let mut random = SplitMix64::new(seed);
            let mut row = || usize::try_from(random.below(n as u64)).unwrap_or(0);
            (0..draws)
                .filter_map(|_| of(&(0..n).map(|_| row()).collect::<Vec<_>>()))
                .collect()
        }
    };
    if found.len() < 2 {
        return Err(Reason::TooFewRows);
    }
    let [lower, upper] = match rule {
        IntervalRule::Jackknife => {
            let (left, mean) = (found.len() as f64, stats::mean(&found).unwrap_or(value));
            let squares: Vec<f64> = found.iter().map(|r| (r - mean) * (r - mean)).collect();
            let error = ((left - 1.0) / left * stats::sum(&squares)).sqrt();
            [value - Z * error, value + Z * error]
        }
        IntervalRule::Bootstrap => {
            let mut sorted = found.clone();
            sorted.sort_unstable_by(f64::total_cmp);
            [
                stats::quantile(&sorted, 0.025),
                stats::quantile(&sorted, 0.975),
            ]
        }
    };
    Ok(Interval {
        rule,
        lower: lower.max(-1.0),
        upper: upper.min(1.0),
        n: found.len(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_jackknife_of_pearson_is_that_of_its_definition() {
        let x = [1.0, 2.0, 3.0, 4.0, 5.0];
        let y = [2.0, 1.0, 4.0, 3.0, 6.0];
        let found = interval(Correlation::Pearson, &x, &y, IntervalRule::Jackknife, 0, 0).unwrap();
        // Leaving one out by hand: r of the four pairs that stay.
        let left: Vec<f64> = (0..5)
            .map(|out| {
                let keep = |v: &[f64; 5]| {
                    let kept = (0..5).filter(|&at| at != out);
                    kept.map(|at| v[at]).collect::<Vec<f64>>()
                };
                let (x, y) = (keep(&x), keep(&y));
                let (mx, my) = (x.iter().sum::<f64>() / 4.0, y.iter().sum::<f64>() / 4.0);
                let sxy: f64 = x.iter().zip(&y).map(|(a, b)| (a - mx) * (b - my)).sum();
                let sxx: f64 = x.iter().map(|a| (a - mx) * (a - mx)).sum();
                let syy: f64 = y.iter().map(|b| (b - my) * (b - my)).sum();
                sxy / (sxx * syy).sqrt()
            })
            .collect();
        let mean = left.iter().sum::<f64>() / 5.0;
        let error = (0.8 * left.iter().map(|r| (r - mean).powi(2)).sum::<f64>()).sqrt();
        let r = correlation(Correlation::Pearson, &x, &y).unwrap();
        assert!((found.lower - (r - Z * error).max(-1.0)).abs() < 1e-12);
        assert!((found.upper - (r + Z * error).min(1.0)).abs() < 1e-12);
        assert_eq!(found.n, 5);
    }

    #[test]
    fn a_line_has_an_interval_of_one_point_and_a_bootstrap_repeats() {
        let x: Vec<f64> = (0..10).map(f64::from).collect();
        for rule in IntervalRule::ALL {
            let found = interval(Correlation::Spearman, &x, &x, rule, 200, 3).unwrap();
            assert!((found.lower - 1.0).abs() < 1e-9 && (found.upper - 1.0).abs() < 1e-9);
        }
        let y: Vec<f64> = x.iter().map(|x| (x * 1.7).sin()).collect();
        let draw = |seed| {
            interval(
                Correlation::Pearson,
                &x,
                &y,
                IntervalRule::Bootstrap,
                500,
                seed,
            )
        };
        assert_eq!(draw(1), draw(1));
        let found = draw(1).unwrap();
        let r = correlation(Correlation::Pearson, &x, &y).unwrap();
        assert!(found.lower < r && r < found.upper);
    }

    #[test]
    fn few_pairs_have_no_interval() {
        let x = [1.0, 2.0, 3.0];
        let found = interval(Correlation::Pearson, &x, &x, IntervalRule::Jackknife, 0, 0);
        assert_eq!(found, Err(Reason::TooFewRows));
    }
}
