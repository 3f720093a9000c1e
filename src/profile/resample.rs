//! Sub-samples of rows: disjoint parts for honest errors, decimated draws for scale.

use crate::choice::choice;
use crate::geometry::known;
use crate::random::SplitMix64;

choice! {
    /// How rows are dealt into parts.
    pub enum PartitionOrder {
        /// By a seeded permutation.
        Random = "random",
        /// In the order given: consecutive runs of rows.
        Given = "given",
    }
}

choice! {
    /// How an estimate is repeated on parts of the rows.
    pub enum Resampling {
        /// In disjoint parts.
        Partitions = "partitions",
        /// In random sub-samples, which may share rows.
        Decimation = "decimation",
    }
}

known! {
    /// Disjoint parts of the rows, in which everything is estimated again.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct Partitioning {
        /// Number of disjoint parts, if asked for.
        pub partitions: usize,
        /// How rows were dealt into parts; `None` without parts.
        pub partition_order: PartitionOrder,
    }
}

impl Partitioning {
    /// Parts of rows dealt out at random.
    pub fn random(partitions: usize) -> Self {
        Self {
            partitions,
            partition_order: PartitionOrder::Random,
        }
    }
}

known! {
    /// Random sub-samples of the rows, in which everything is estimated again.
    #[derive(Debug, Clone, Copy, PartialEq)]
    pub struct Decimation {
        /// Share of rows of a decimated sub-sample, if asked for.
        pub decimate: f64,
        /// How many decimated sub-samples.
        pub repeats: usize,
    }
}

impl Decimation {
    /// The customary number of sub-samples.
    pub const REPEATS: usize = 4;
}

/// Subsets of rows, each ascending, and whether any two share a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subsets {
    /// The rows of each subset.
    pub rows: Vec<Vec<u32>>,
    /// Whether rows are shared, so that the spread between subsets has no standard error.
    pub overlapping: bool,
}

/// `parts` disjoint parts of `n` rows, of sizes floor(n / parts) and ceil(n / parts).
pub fn partitions(n: usize, parts: usize, order: PartitionOrder, seed: u64) -> Subsets {
    let rows = match order {
        PartitionOrder::Random => SplitMix64::new(seed).choose(n, n),
        PartitionOrder::Given => (0..n).collect(),
    };
    let cuts: Vec<usize> = (0..=parts).map(|part| part * n / parts.max(1)).collect();
    let rows = cuts
        .windows(2)
        .map(|cut| ascending(&rows[cut[0]..cut[1]]))
        .collect();
    Subsets {
        rows,
        overlapping: false,
    }
}

/// `repeats` subsets of `size` of `n` rows: disjoint if they fit, else independent draws.
pub fn decimation(n: usize, size: usize, repeats: usize, seed: u64) -> Subsets {
    let mut random = SplitMix64::new(seed);
    if size.saturating_mul(repeats) <= n {
        let drawn = random.choose(n, size * repeats);
        let rows = drawn.chunks(size.max(1)).map(ascending).collect();
        return Subsets {
            rows,
            overlapping: false,
        };
    }
    let rows = (0..repeats)
        .map(|_| ascending(&random.choose(n, size)))
        .collect();
    Subsets {
        rows,
        overlapping: repeats > 1,
    }
}

/// Rows keep their order inside a subset, so that ties fall as they do in the whole.
fn ascending(rows: &[usize]) -> Vec<u32> {
    let mut rows: Vec<u32> = rows
        .iter()
        .map(|&row| u32::try_from(row).expect("layers have fewer than 2^32 rows"))
        .collect();
    rows.sort_unstable();
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all_rows(subsets: &Subsets) -> Vec<u32> {
        let mut rows: Vec<u32> = subsets.rows.concat();
        rows.sort_unstable();
        rows
    }

    #[test]
    fn partitions_deal_out_every_row_once_in_nearly_equal_parts() {
        for order in [PartitionOrder::Random, PartitionOrder::Given] {
            let parts = partitions(103, 5, order, 9);
            assert_eq!(all_rows(&parts), (0..103).collect::<Vec<u32>>());
            assert!(parts.rows.iter().all(|part| [20, 21].contains(&part.len())));
            assert!(parts.rows.iter().all(|part| part.is_sorted()));
        }
        let given = partitions(10, 2, PartitionOrder::Given, 0);
        assert_eq!(given.rows[1], [5, 6, 7, 8, 9]);
    }

    #[test]
    fn decimated_draws_are_disjoint_exactly_when_they_fit() {
        let fitting = decimation(100, 25, 4, 1);
        assert!(!fitting.overlapping);
        assert_eq!(all_rows(&fitting), (0..100).collect::<Vec<u32>>());
        let crowded = decimation(100, 60, 3, 1);
        assert!(crowded.overlapping);
        assert!(crowded.rows.iter().all(|rows| rows.len() == 60));
    }

    #[test]
    fn the_seed_decides_the_subsets() {
        let order = PartitionOrder::Random;
        assert_eq!(partitions(50, 3, order, 7), partitions(50, 3, order, 7));
        assert_ne!(partitions(50, 3, order, 7), partitions(50, 3, order, 8));
    }
}
