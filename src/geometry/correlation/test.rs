//! Spearman's and Pearson's correlation and their permutation test.

use crate::choice::choice;
use crate::geometry::permutation::PValue;
use crate::geometry::{Reason, known, orders, stats};
use crate::random::SplitMix64;

choice! {
    /// How two columns are correlated.
    pub enum Correlation {
        /// Of ranks; equal values have the mean of their ranks
        Spearman = "spearman",
        /// Of the values
        Pearson = "pearson",
    }
}

/// Orders that are all looked at: 8! = 40 320.
pub const ALL_ORDERS: usize = 40_320;

/// Correlations closer than this are equal: the order of a sum must not decide.
const ROUNDING: f64 = 1e-12;

known! {
    /// A correlation, and how often other orders are as far from 0.
    #[derive(Debug, Clone, Copy, PartialEq)]
    pub struct Tested {
        /// The correlation.
        pub value: f64,
        /// Two-sided: the share of orders with a correlation at least as far from 0, of all orders of
        /// up to 8 values, else of drawn ones and the one found.
        pub p_value: f64,
        /// Its standard error, where orders were drawn.
        pub p_std_error: Option<f64>,
        /// How many orders it is a share of.
        pub n_orders: usize,
    }
}

impl Tested {
    fn new(value: f64, p: PValue) -> Self {
        Self {
            value,
            p_value: p.p_value,
            p_std_error: p.p_std_error,
            n_orders: p.n_orders,
        }
    }
}

/// The correlation of `x` and `y`, one entry a pair.
///
/// # Errors
/// [`Reason::TooFewRows`] below two pairs; [`Reason::ConstantLayer`] where one column is constant.
pub fn correlation(kind: Correlation, x: &[f64], y: &[f64]) -> Result<f64, Reason> {
    if x.len() < 2 {
        return Err(Reason::TooFewRows);
    }
    let found = match kind {
        Correlation::Spearman => stats::pearson(&stats::ranks(x), &stats::ranks(y)),
        Correlation::Pearson => stats::pearson(x, y),
    };
    found.ok_or(Reason::ConstantLayer)
}

/// The correlation of `x` and `y` with the two-sided permutation p
///
/// ```text
/// p = #{orders π: |r(x, π y)| >= |r(x, y)|} / #orders
/// ```
///
/// over all orders of `y` where there are at most [`ALL_ORDERS`] of them (n ≤ 8), else over `draws`
/// seeded ones and the one found: p = (1 + #{…}) / (1 + draws). With `groups`, one number a pair,
/// values change places within their group only.
///
/// # Errors
/// [`Reason::TooFewRows`] below three pairs; [`Reason::ConstantLayer`] where one column is constant.
pub fn tested(
    kind: Correlation,
    x: &[f64],
    y: &[f64],
    groups: Option<&[usize]>,
    draws: usize,
    seed: u64,
) -> Result<Tested, Reason> {
    if x.len() < 3 {
        return Err(Reason::TooFewRows);
    }
    let value = correlation(kind, x, y)?;
    // Ranks do not depend on the order: they are taken once.
    let (x, mut y) = match kind {
        Correlation::Spearman => (stats::ranks(x), stats::ranks(y)),
        Correlation::Pearson => (x.to_vec(), y.to_vec()),
    };
    let places = places(y.len(), groups);
    let as_far = |moved: &[f64]| {
        stats::pearson(&x, moved).is_some_and(|r| r.abs() >= value.abs() - ROUNDING)
    };
    if let Some(n_orders) = orders::count(&places, ALL_ORDERS) {
        let mut farther = 0;
        orders::for_each(&mut y, &places, &mut |moved| {
            farther += usize::from(as_far(moved))
        });
        return Ok(Tested::new(value, PValue::of_all(farther, n_orders)));
    }
    let mut random = SplitMix64::new(seed);
    let mut farther = 0;
    for _ in 0..draws {
        let mut moved = y.clone();
        for group in &places {
            let order = random.choose(group.len(), group.len());
            for (&to, from) in group.iter().zip(order) {
                moved[to] = y[group[from]];
            }
        }
        farther += usize::from(as_far(&moved));
    }
    Ok(Tested::new(value, PValue::of_draws(farther, draws)))
}

/// The places of every group, in the order in which groups come.
fn places(n: usize, groups: Option<&[usize]>) -> Vec<Vec<usize>> {
    let Some(groups) = groups else {
        return vec![(0..n).collect()];
    };
    let mut known: Vec<usize> = Vec::new();
    let mut places: Vec<Vec<usize>> = Vec::new();
    for (place, group) in groups.iter().enumerate() {
        match known.iter().position(|one| one == group) {
            Some(at) => places[at].push(place),
            None => {
                known.push(*group);
                places.push(vec![place]);
            }
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every order of 0..n by picking what is left: no cleverness.
    fn listed(n: usize) -> Vec<Vec<usize>> {
        fn go(left: &[usize], sofar: &[usize], all: &mut Vec<Vec<usize>>) {
            if left.is_empty() {
                all.push(sofar.to_vec());
            }
            for (at, &one) in left.iter().enumerate() {
                let rest = [&left[..at], &left[at + 1..]].concat();
                go(&rest, &[sofar, &[one]].concat(), all);
            }
        }
        let mut all = Vec::new();
        go(&(0..n).collect::<Vec<_>>(), &[], &mut all);
        all
    }

    fn columns(n: usize, seed: u64) -> (Vec<f64>, Vec<f64>) {
        let mut random = SplitMix64::new(seed);
        let x: Vec<f64> = (0..n).map(|_| random.uniform()).collect();
        let y = x.iter().map(|x| x + 1.5 * random.uniform()).collect();
        (x, y)
    }

    #[test]
    fn p_is_that_of_a_plain_listing_up_to_eight_values() {
        for kind in Correlation::ALL {
            for n in 3..=8 {
                let (x, y) = columns(n, n as u64);
                let found = tested(kind, &x, &y, None, 0, 0).unwrap();
                let all = listed(n);
                let far = all.iter().filter(|order| {
                    let moved: Vec<f64> = order.iter().map(|&at| y[at]).collect();
                    correlation(kind, &x, &moved).unwrap().abs() >= found.value.abs() - 1e-12
                });
                let p = far.count() as f64 / all.len() as f64;
                assert_eq!(
                    (found.p_value, found.n_orders),
                    (p, all.len()),
                    "{kind} {n}"
                );
                assert_eq!(found.p_std_error, None);
            }
        }
    }

    #[test]
    fn draws_are_within_three_standard_errors_of_the_listing() {
        // Nine values: too many for the listing of `tested`, few enough for the plain one.
        let (x, y) = columns(9, 2);
        let drawn = tested(Correlation::Pearson, &x, &y, None, 10_000, 5).unwrap();
        assert_eq!(drawn.n_orders, 10_001);
        let mut order = y.clone();
        let (mut far, mut all) = (0u32, 0u32);
        orders::for_each(&mut order, &[(0..9).collect()], &mut |moved| {
            let r = stats::pearson(&x, moved).unwrap();
            far += u32::from(r.abs() >= drawn.value.abs() - ROUNDING);
            all += 1;
        });
        assert_eq!(all, 362_880);
        let exact = f64::from(far) / f64::from(all);
        let error = drawn.p_std_error.unwrap();
        assert!(
            (drawn.p_value - exact).abs() <= 3.0 * error,
            "{} {exact} {error}",
            drawn.p_value
        );
    }

    #[test]
    fn identical_columns_of_six_have_p_2_of_720() {
        let x = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let found = tested(Correlation::Spearman, &x, &x, None, 0, 0).unwrap();
        assert_eq!((found.value, found.p_value), (1.0, 2.0 / 720.0));
    }

    #[test]
    fn within_groups_only_orders_of_the_groups_count() {
        // The groups differ, their members do not follow x: within them nothing is surprising.
        let x = [1.0, 2.0, 3.0, 11.0, 12.0, 13.0];
        let y = [2.0, 3.0, 1.0, 22.0, 23.0, 21.0];
        let groups = [0, 0, 0, 7, 7, 7];
        let free = tested(Correlation::Spearman, &x, &y, None, 0, 0).unwrap();
        let within = tested(Correlation::Spearman, &x, &y, Some(&groups), 0, 0).unwrap();
        assert_eq!(free.value, within.value);
        assert_eq!(within.n_orders, 36);
        assert!(within.p_value > free.p_value);
        // All 36 orders by hand: 3! orders of each half.
        let ranks = |half: &[usize]| half.iter().map(|&at| y[at]).collect::<Vec<f64>>();
        let mut far = 0;
        for a in listed(3) {
            for b in listed(3) {
                let second: Vec<usize> = b.iter().map(|at| at + 3).collect();
                let moved = [ranks(&a), ranks(&second)].concat();
                let r = correlation(Correlation::Spearman, &x, &moved).unwrap();
                far += usize::from(r.abs() >= within.value.abs() - 1e-12);
            }
        }
        assert_eq!(
            within.p_value,
            f64::from(u32::try_from(far).unwrap()) / 36.0
        );
    }

    #[test]
    fn what_has_no_correlation_says_why() {
        let up = [1.0, 2.0, 3.0];
        let found = |x: &[f64], y: &[f64]| tested(Correlation::Spearman, x, y, None, 9, 0).err();
        assert_eq!(found(&up[..2], &up[..2]), Some(Reason::TooFewRows));
        assert_eq!(found(&up, &[4.0; 3]), Some(Reason::ConstantLayer));
    }
}
