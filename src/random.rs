//! Seeded random numbers with a frozen stream: the same seed gives the same sample everywhere.

/// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
#[derive(Debug, Clone)]
pub struct SplitMix64 {
    state: u64,
}

impl SplitMix64 {
    /// A generator whose stream is a function of `seed` alone.
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// The next 64 uniform bits.
    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A uniform number in `0..n`, by rejection.
    ///
    /// # Panics
    /// If `n` is zero.
    pub fn below(&mut self, n: u64) -> u64 {
        assert!(n > 0, "an empty range has no element");
        // The largest multiple of n that fits: anything beyond it would favour small remainders.
        let zone = u64::MAX - (u64::MAX % n + 1) % n;
        loop {
            let draw = self.next_u64();
            if draw <= zone {
                return draw % n;
            }
        }
    }

    /// A uniform number in [0, 1) with 53 random bits.
    pub fn uniform(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// The first `m` entries of a random permutation of `0..n` (partial Fisher–Yates).
    ///
    /// # Panics
    /// If `m > n`.
    pub fn choose(&mut self, n: usize, m: usize) -> Vec<usize> {
        assert!(m <= n, "cannot draw {m} of {n} without replacement");
        let mut items: Vec<usize> = (0..n).collect();
        for i in 0..m {
            let step = self.below((n - i) as u64);
            let j = i + usize::try_from(step).expect("below n - i, which is a usize");
            items.swap(i, j);
        }
        items.truncate(m);
        items
    }

    /// The same as rows of a layer.
    ///
    /// # Panics
    /// If `m > n`, or `n` is 2^32 or more.
    pub fn choose_rows(&mut self, n: usize, m: usize) -> Vec<u32> {
        let row = |row| u32::try_from(row).expect("layers have fewer than 2^32 rows");
        self.choose(n, m).into_iter().map(row).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_of_seed_zero_is_frozen() {
        let mut random = SplitMix64::new(0);
        let stream: Vec<u64> = (0..4).map(|_| random.next_u64()).collect();
        assert_eq!(
            stream,
            [
                0xe220_a839_7b1d_cdaf,
                0x6e78_9e6a_a1b9_65f4,
                0x06c4_5d18_8009_454f,
                0xf88b_b8a8_724c_81ec
            ]
        );
    }

    #[test]
    fn choose_draws_distinct_items_and_all_of_them_when_asked() {
        let mut all = SplitMix64::new(7).choose(50, 50);
        all.sort_unstable();
        assert_eq!(all, (0..50).collect::<Vec<_>>());
        let mut some = SplitMix64::new(7).choose(50, 20);
        some.sort_unstable();
        some.dedup();
        assert_eq!(some.len(), 20);
    }

    #[test]
    fn below_is_uniform_within_its_sampling_error() {
        let mut random = SplitMix64::new(1);
        let mut counts = [0u32; 7];
        for _ in 0..70_000 {
            counts[usize::try_from(random.below(7)).unwrap_or(0)] += 1;
        }
        assert!(
            counts.iter().all(|&c| c.abs_diff(10_000) < 500),
            "{counts:?}"
        );
    }
}
