//! Does similarity go with an accuracy that somebody measured?

use super::shape::{Joined, RankTest, RankedSource};
use crate::error::{Error, Result};
use crate::geometry::Reason;
use crate::geometry::correlation::{Correlation, tested};
use crate::input::{Series, SeriesFile};
use crate::profile::compare::ComparedLayer;

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

fn spearman(pairs: &[(f64, f64)], seed: u64) -> std::result::Result<RankTest, Reason> {
    // Equal similarities may differ in their last digits, which must not rank them.
    let settled = pairs
        .iter()
        .map(|&(x, y)| ((x / ROUNDING).round() * ROUNDING, y));
    let (x, y): (Vec<f64>, Vec<f64>) = settled.unzip();
    let found = tested(Correlation::Spearman, &x, &y, None, PERMUTATIONS, seed)?;
    Ok(RankTest {
        spearman: found.value,
        p_value: found.p_value,
        p_std_error: found.p_std_error,
        n_orders: found.n_orders,
    })
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
