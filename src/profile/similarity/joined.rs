//! Does similarity go with an accuracy that somebody measured?

use super::shape::{Joined, RankTest, RankedSource};
use crate::error::{Error, Result};
use crate::geometry::{Reason, stats};
use crate::input::{Series, SeriesFile};
use crate::profile::compare::ComparedLayer;
use crate::random::SplitMix64;

/// Permutations behind a p-value.
const PERMUTATIONS: usize = 9999;

/// Similarities closer than this are equal.
const ROUNDING: f64 = 1e-12;

/// Joins every source of `ranking` with the table, by the names of `layers`, or by position where
/// the table has as many rows.
///
/// # Errors
/// [`Error::Usage`] if neither fits.
pub fn join(
    ranking: &[RankedSource],
    layers: &[ComparedLayer],
    table: &SeriesFile,
    seed: u64,
) -> Result<Vec<Joined>> {
    let values = aligned(layers, &table.series)?;
    let joined = |source: &RankedSource| {
        let pairs: Vec<(f64, f64)> = source
            .similarities
            .iter()
            .zip(&values)
            .filter_map(|(x, y)| (*x).zip(*y))
            .collect();
        Joined {
            source: source.source.clone(),
            measure: source.measure,
            column: table.quantity.clone(),
            n: pairs.len(),
            outcome: spearman(&pairs, seed).into(),
        }
    };
    Ok(ranking.iter().map(joined).collect())
}

/// The value of the table for every layer.
fn aligned(layers: &[ComparedLayer], series: &Series) -> Result<Vec<Option<f64>>> {
    let named = |layer: &ComparedLayer| series.names().iter().position(|n| *n == layer.layer);
    if layers.iter().any(|layer| named(layer).is_some()) {
        let value = |layer| named(layer).and_then(|at| series.values()[at]);
        return Ok(layers.iter().map(value).collect());
    }
    if series.len() == layers.len() {
        return Ok(series.values().to_vec());
    }
    Err(Error::Usage(format!(
        "--join: the table has {} rows for {} layers, and names none of them; give one row a layer, \
         in order, or a column of layer names",
        series.len(),
        layers.len()
    )))
}

/// Values whose orders are all looked at: 8! = 40320.
const ALL_ORDERS: usize = 8;

fn spearman(pairs: &[(f64, f64)], seed: u64) -> std::result::Result<RankTest, Reason> {
    if pairs.len() < 3 {
        return Err(Reason::TooFewRows);
    }
    // Equal similarities may differ in their last digits, which must not rank them.
    let settled = pairs
        .iter()
        .map(|&(x, y)| ((x / ROUNDING).round() * ROUNDING, y));
    let (x, y): (Vec<f64>, Vec<f64>) = settled.unzip();
    let (x, y) = (stats::ranks(&x), stats::ranks(&y));
    let value = stats::pearson(&x, &y).ok_or(Reason::ConstantLayer)?;
    // Equal arrangements must count as equal, whatever the order of their sums.
    let as_far =
        |moved: &[f64]| stats::pearson(&x, moved).is_some_and(|r| r.abs() >= value.abs() - 1e-12);
    if y.len() <= ALL_ORDERS {
        let mut counts = [0; 2];
        let mut order = y;
        let n = order.len();
        for_each_order(&mut order, n, &mut |moved| {
            counts[0] += usize::from(as_far(moved));
            counts[1] += 1;
        });
        let [farther, n_orders] = counts;
        return Ok(RankTest {
            spearman: value,
            p_value: farther as f64 / n_orders as f64,
            p_std_error: None,
            n_orders,
        });
    }
    let mut random = SplitMix64::new(seed);
    let farther = (0..PERMUTATIONS)
        .filter(|_| {
            let order = random.choose(y.len(), y.len());
            let moved: Vec<f64> = order.iter().map(|&at| y[at]).collect();
            as_far(&moved)
        })
        .count();
    let n_orders = 1 + PERMUTATIONS;
    let p = (1 + farther) as f64 / n_orders as f64;
    Ok(RankTest {
        spearman: value,
        p_value: p,
        p_std_error: Some((p * (1.0 - p) / n_orders as f64).sqrt()),
        n_orders,
    })
}

/// Calls `take` with every order of the first `n` of `values` (Heap's algorithm).
fn for_each_order(values: &mut [f64], n: usize, take: &mut impl FnMut(&[f64])) {
    if n <= 1 {
        take(values);
        return;
    }
    for at in 0..n {
        for_each_order(values, n - 1, take);
        if at + 1 < n {
            let other = if n.is_multiple_of(2) { at } else { 0 };
            values.swap(other, n - 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_perfect_order_of_five_has_the_least_p_that_five_allow() {
        let pairs: Vec<(f64, f64)> = (0..5).map(|i| (f64::from(i), f64::from(i * i))).collect();
        let found = spearman(&pairs, 0).unwrap();
        assert!((found.spearman - 1.0).abs() < 1e-15);
        // 2 of 120 orders reach |r| = 1.
        assert_eq!((found.p_value, found.n_orders), (2.0 / 120.0, 120));
        assert_eq!(found.p_std_error, None);
        let more: Vec<(f64, f64)> = (0..9).map(|i| (f64::from(i), f64::from(i % 4))).collect();
        let drawn = spearman(&more, 0).unwrap();
        assert!(drawn.p_std_error.is_some_and(|error| error > 0.0));
        assert_eq!(drawn.n_orders, 10_000);
    }

    #[test]
    fn rounding_does_not_rank_equal_similarities() {
        let pairs = [(1.0, 1.0), (1.0 - 1e-16, 2.0), (1.0 + 2e-16, 3.0)];
        assert_eq!(spearman(&pairs, 0), Err(Reason::ConstantLayer));
        assert_eq!(spearman(&pairs[..2], 0), Err(Reason::TooFewRows));
    }
}
