//! Names the pair of neighbours that Gride compares.

/// Neighbour orders 1 ≤ n1 < n2; the ratio is r_n2 / r_n1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Orders {
    n1: usize,
    n2: usize,
}

impl Orders {
    /// The orders of TwoNN.
    pub const FIRST: Self = Self { n1: 1, n2: 2 };

    /// The orders (`n1`, `n2`); `None` unless 1 ≤ n1 < n2.
    pub fn new(n1: usize, n2: usize) -> Option<Self> {
        (1 <= n1 && n1 < n2).then_some(Self { n1, n2 })
    }

    /// The orders (`n1`, 2·`n1`); `None` for zero.
    pub fn doubled(n1: usize) -> Option<Self> {
        Self::new(n1, n1.checked_mul(2)?)
    }

    /// All orders (1, 2), (2, 4), (4, 8), … with n2 ≤ min(`n_rows` − 1, `range_max`).
    pub fn doublings(n_rows: usize, range_max: usize) -> Vec<Self> {
        let limit = range_max.min(n_rows.saturating_sub(1));
        std::iter::successors(Some(Self::FIRST), |last| Self::doubled(last.n2))
            .take_while(|orders| orders.n2 <= limit)
            .collect()
    }

    /// The orders that look at the scale of a density from `k` neighbours: n1 = 2^trunc(log2 k).
    ///
    /// The choice of arXiv 2409.03662, where k = 16 gives (16, 32). `None` for k = 0.
    pub fn matching_density(k: usize) -> Option<Self> {
        Self::doubled(1 << k.checked_ilog2()?)
    }

    /// The nearer neighbour, n1.
    pub fn n1(self) -> usize {
        self.n1
    }

    /// The farther neighbour, n2.
    pub fn n2(self) -> usize {
        self.n2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doublings_stop_at_the_last_neighbour_and_at_the_range() {
        let last = |n, range| Orders::doublings(n, range).last().map(|orders| orders.n2());
        assert_eq!(last(64, 64), Some(32));
        assert_eq!(last(65, 64), Some(64));
        assert_eq!(last(1000, 512), Some(512));
        assert_eq!(last(2, 64), None);
        assert_eq!(last(0, 64), None);
        assert_eq!(last(100, 1), None);
    }

    #[test]
    fn density_orders_round_k_down_to_a_power_of_two() {
        let orders = |k| Orders::matching_density(k).map(|o| (o.n1(), o.n2()));
        assert_eq!(orders(16), Some((16, 32)));
        assert_eq!(orders(31), Some((16, 32)));
        assert_eq!(orders(1), Some((1, 2)));
        assert_eq!(orders(0), None);
    }

    #[test]
    fn orders_must_ascend_from_one() {
        assert!(Orders::new(0, 1).is_none() && Orders::new(2, 2).is_none());
        assert!(Orders::new(3, 7).is_some());
    }
}
