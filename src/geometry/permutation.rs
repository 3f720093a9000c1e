//! Permutes the rows of a layer for a null: every order where there are few, else seeded draws.

use serde::Serialize;

use super::orders;
use crate::random::SplitMix64;

/// Orders that are all looked at, however few draws were asked for: 6! = 720.
pub const FEW_ORDERS: usize = 720;

/// Values closer than this share are equal: the order of a sum must not decide.
const ROUNDING: f64 = 1e-12;

/// Orders of the rows of a layer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RowOrders {
    /// The row that comes to each place.
    pub rows: Vec<Vec<u32>>,
    /// Whether these are all that there are, the one found included.
    pub is_all: bool,
}

impl RowOrders {
    /// All orders of `n` rows where there are no more of them than `draws` or [`FEW_ORDERS`], else
    /// `draws` random ones; none where no draws are asked for.
    pub fn new(n: usize, draws: usize, random: &mut SplitMix64) -> Self {
        if draws == 0 {
            return Self::default();
        }
        let all = [(0..n).collect::<Vec<usize>>()];
        if orders::count(&all, draws.max(FEW_ORDERS)).is_none() {
            return Self {
                rows: (0..draws).map(|_| random.choose_rows(n, n)).collect(),
                is_all: false,
            };
        }
        let mut rows = Vec::new();
        // Few rows, or their orders would be too many.
        let mut order: Vec<u32> = (0u32..).take(n).collect();
        orders::for_each(&mut order, &all, &mut |order: &[u32]| {
            rows.push(order.to_vec())
        });
        Self { rows, is_all: true }
    }
}

/// How surprising a number is among those of other orders of the rows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PValue {
    /// The share of orders, the one found included, that are at least as far from the null.
    pub p_value: f64,
    /// Its standard error √(p(1 − p)/orders); `None` where all orders were looked at.
    pub p_std_error: Option<f64>,
    /// How many orders it is a share of, the one found included.
    pub n_orders: usize,
}

impl PValue {
    /// p = #{as far}/#{orders}, of all orders there are.
    pub fn of_all(as_far: usize, n_orders: usize) -> Self {
        Self {
            p_value: as_far as f64 / n_orders as f64,
            p_std_error: None,
            n_orders,
        }
    }

    /// p = (1 + #{as far})/(1 + draws).
    pub fn of_draws(as_far: usize, draws: usize) -> Self {
        let n_orders = 1 + draws;
        let p = (1 + as_far) as f64 / n_orders as f64;
        Self {
            p_value: p,
            p_std_error: Some((p * (1.0 - p) / n_orders as f64).sqrt()),
            n_orders,
        }
    }

    /// That of `found` among the numbers of other orders, where few are as large; as small where
    /// `is_distance` is set. `None` without others.
    pub fn of(found: f64, permuted: &[f64], is_distance: bool, is_all: bool) -> Option<Self> {
        let rounding = ROUNDING * found.abs().max(1.0);
        let as_far = permuted.iter().filter(|&&other| match is_distance {
            true => other <= found + rounding,
            false => other >= found - rounding,
        });
        let (as_far, seen) = (as_far.count(), permuted.len());
        (seen > 0).then(|| match is_all {
            true => Self::of_all(as_far, seen),
            false => Self::of_draws(as_far, seen),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_rows_have_all_their_orders_and_many_have_draws() {
        let mut random = SplitMix64::new(0);
        for (n, draws, all) in [(3, 1, 6), (5, 1, 120), (6, 9, 720), (7, 5040, 5040)] {
            let mut found = RowOrders::new(n, draws, &mut random);
            assert!(found.is_all);
            found.rows.sort();
            found.rows.dedup();
            assert_eq!(found.rows.len(), all);
        }
        let drawn = RowOrders::new(7, 5039, &mut random);
        assert_eq!((drawn.rows.len(), drawn.is_all), (5039, false));
        assert_eq!(RowOrders::new(9, 0, &mut random), RowOrders::default());
    }

    #[test]
    fn p_counts_the_order_found_once() {
        let all = PValue::of(3.0, &[1.0, 2.0, 3.0, 3.0 + 1e-14], false, true).unwrap();
        assert_eq!((all.p_value, all.p_std_error, all.n_orders), (0.5, None, 4));
        let drawn = PValue::of(1.0, &[1.0, 2.0, 3.0], true, false).unwrap();
        assert_eq!((drawn.p_value, drawn.n_orders), (0.5, 4));
        assert_eq!(drawn.p_std_error, Some(0.25));
        assert_eq!(PValue::of(1.0, &[], true, true), None);
    }
}
