//! Neighbour overlap: how many neighbours two spaces share.

use ndarray::ArrayView2;
use rayon::prelude::*;

/// o_i = |N_k^A(i) ∩ N_k^B(i)| / k for every row i; χ is their mean.
///
/// Both tables hold the nearest rows first. Sources: arXiv 2007.03506, 2302.00294.
///
/// # Panics
/// If a table has fewer than `k` columns, or the two have different numbers of rows.
pub fn neighbour_overlap(a: ArrayView2<u32>, b: ArrayView2<u32>, k: usize) -> Vec<f64> {
    assert_eq!(a.nrows(), b.nrows(), "both spaces hold the same rows");
    assert!(k <= a.ncols() && k <= b.ncols(), "tables hold k neighbours");
    let rows: Vec<usize> = (0..a.nrows()).collect();
    rows.into_par_iter()
        .map_init(
            || (Vec::new(), Vec::new()),
            |(first, second), row| {
                for (sorted, table) in [(&mut *first, a), (&mut *second, b)] {
                    sorted.clear();
                    sorted.extend(table.row(row).iter().take(k).copied());
                    sorted.sort_unstable();
                }
                shared(first, second) as f64 / k as f64
            },
        )
        .collect()
}

/// How many numbers two ascending lists share.
fn shared(a: &[u32], b: &[u32]) -> usize {
    let (mut i, mut j, mut count) = (0, 0, 0);
    while i < a.len() && j < b.len() {
        match a[i].cmp(&b[j]) {
            std::cmp::Ordering::Less => i += 1,
            std::cmp::Ordering::Greater => j += 1,
            std::cmp::Ordering::Equal => {
                count += 1;
                i += 1;
                j += 1;
            }
        }
    }
    count
}

/// The overlap that independent spaces have on average, p = k/(N − 1).
pub fn chance(n: usize, k: usize) -> f64 {
    k as f64 / (n - 1) as f64
}

/// The standard deviation of o_i for independent spaces (hypergeometric),
/// √( p(1 − p)/k · (N − 1 − k)/(N − 2) ); `None` for N < 3.
pub fn chance_std(n: usize, k: usize) -> Option<f64> {
    let p = chance(n, k);
    let finite = (n - 1).checked_sub(k)? as f64 / n.checked_sub(2).filter(|&rest| rest > 0)? as f64;
    Some((p * (1.0 - p) / k as f64 * finite).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SplitMix64;
    use ndarray::Array2;

    fn random_table(n: usize, k: usize, seed: u64) -> Array2<u32> {
        let mut random = SplitMix64::new(seed);
        let mut table = Array2::zeros((n, k));
        for (row, mut out) in table.rows_mut().into_iter().enumerate() {
            let others = random.choose(n - 1, k);
            for (slot, other) in out.iter_mut().zip(others) {
                *slot = (other + usize::from(other >= row)) as u32;
            }
        }
        table
    }

    #[test]
    fn the_overlap_is_the_share_of_common_entries_whatever_their_order() {
        let (a, b) = (random_table(200, 12, 1), random_table(200, 12, 2));
        for k in [1, 5, 12] {
            let found = neighbour_overlap(a.view(), b.view(), k);
            for (row, overlap) in found.into_iter().enumerate() {
                let first: Vec<u32> = a.row(row).iter().take(k).copied().collect();
                let count = b
                    .row(row)
                    .iter()
                    .take(k)
                    .filter(|j| first.contains(j))
                    .count();
                assert_eq!(overlap, count as f64 / k as f64);
            }
        }
        assert!(
            neighbour_overlap(a.view(), a.view(), 7)
                .iter()
                .all(|&o| o == 1.0)
        );
    }

    #[test]
    fn random_tables_overlap_by_chance_with_the_spread_of_chance() {
        let (n, k) = (4000, 30);
        let (a, b) = (random_table(n, k, 5), random_table(n, k, 6));
        let overlaps = neighbour_overlap(a.view(), b.view(), k);
        let mean = overlaps.iter().sum::<f64>() / n as f64;
        let std = chance_std(n, k).unwrap();
        assert!((mean - chance(n, k)).abs() < 4.0 * std / (n as f64).sqrt());
        let variance = overlaps.iter().map(|o| (o - mean).powi(2)).sum::<f64>() / n as f64;
        assert!((variance.sqrt() / std - 1.0).abs() < 0.1);
    }
}
