//! Sums, means and spreads that come out the same for any number of threads.

use rayon::prelude::*;

/// Values per partial sum; fixed, so that the order of additions is a function of the data alone.
const CHUNK: usize = 4096;

/// The component-wise sums of `term` over `items`.
///
/// Chunks of 4096 are summed in parallel and their sums added in order, so the result does not
/// depend on the number of threads.
pub fn sums<T: Sync, const K: usize>(
    items: &[T],
    term: impl Fn(&T) -> [f64; K] + Sync,
) -> [f64; K] {
    let partial: Vec<[f64; K]> = items
        .par_chunks(CHUNK)
        .map(|chunk| {
            let mut total = [0.0; K];
            chunk.iter().for_each(|item| add(&mut total, term(item)));
            total
        })
        .collect();
    let mut total = [0.0; K];
    partial.into_iter().for_each(|part| add(&mut total, part));
    total
}

fn add<const K: usize>(total: &mut [f64; K], term: [f64; K]) {
    total.iter_mut().zip(term).for_each(|(sum, x)| *sum += x);
}

/// The sum of `values`.
pub fn sum(values: &[f64]) -> f64 {
    let [total] = sums(values, |&x| [x]);
    total
}

/// The arithmetic mean; `None` without values.
pub fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| sum(values) / values.len() as f64)
}

/// The standard deviation with n − 1 in the denominator (ddof 1); `None` below two values.
pub fn std_dev(values: &[f64]) -> Option<f64> {
    let centre = mean(values).filter(|_| values.len() > 1)?;
    let [squares] = sums(values, |&x| [(x - centre).powi(2)]);
    Some((squares / (values.len() - 1) as f64).sqrt())
}

/// The quantile at `level` of ascending `sorted` values, linear between order statistics
/// (type 7 of Hyndman and Fan, Am. Stat. 50, 361 (1996)).
///
/// # Panics
/// If `sorted` is empty or `level` lies outside [0, 1].
pub fn quantile(sorted: &[f64], level: f64) -> f64 {
    assert!((0.0..=1.0).contains(&level), "a level is a share");
    let last = sorted.len() - 1;
    let position = level * last as f64;
    #[allow(clippy::cast_possible_truncation)] // 0 <= position <= last, a usize
    let below = (position.floor() as usize).min(last);
    let above = (below + 1).min(last);
    let (low, high) = (sorted[below], sorted[above]);
    low + (high - low) * (position - below as f64)
}

/// The median of `values`, in any order; `None` without values.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    (!sorted.is_empty()).then(|| quantile(&sorted, 0.5))
}

/// Ranks from 1 on; equal values share the mean of theirs.
pub fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_unstable_by(|&a, &b| values[a].total_cmp(&values[b]).then(a.cmp(&b)));
    let mut ranks = vec![0.0; values.len()];
    let mut start = 0;
    while start < order.len() {
        let value = values[order[start]];
        let tied = order[start..].iter().take_while(|&&at| values[at] <= value);
        let tied = tied.count().max(1);
        for &at in &order[start..start + tied] {
            ranks[at] = (2 * start + tied + 1) as f64 / 2.0;
        }
        start += tied;
    }
    ranks
}

/// Pearson's correlation; `None` unless both vary.
pub fn pearson(x: &[f64], y: &[f64]) -> Option<f64> {
    let (x_mean, y_mean) = (mean(x)?, mean(y)?);
    let pairs: Vec<(f64, f64)> = x.iter().zip(y).map(|(&x, &y)| (x, y)).collect();
    let [xx, yy, xy] = sums(&pairs, |&(x, y)| {
        let (x, y) = (x - x_mean, y - y_mean);
        [x * x, y * y, x * y]
    });
    let scale = (xx * yy).sqrt();
    (scale > 0.0).then(|| (xy / scale).clamp(-1.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_over_many_chunks_equal_the_closed_form() {
        let values: Vec<f64> = (1..=10_000).map(f64::from).collect();
        assert_eq!(sum(&values), 50_005_000.0);
        assert_eq!(sums(&values, |&x| [x, 1.0]), [50_005_000.0, 10_000.0]);
    }

    #[test]
    fn spread_uses_n_minus_one_and_needs_two_values() {
        assert_eq!(std_dev(&[1.0, 3.0]), Some(2f64.sqrt()));
        assert_eq!(std_dev(&[1.0]), None);
        assert_eq!(mean(&[]), None);
    }

    #[test]
    fn equal_values_share_their_ranks_and_order_decides_the_correlation() {
        assert_eq!(ranks(&[3.0, 1.0, 3.0, 2.0]), [3.5, 1.0, 3.5, 2.0]);
        let x = [1.0, 2.0, 3.0];
        assert_eq!(pearson(&x, &[2.0, 4.0, 6.0]), Some(1.0));
        assert_eq!(pearson(&x, &[0.0, -1.0, -2.0]), Some(-1.0));
        assert_eq!(pearson(&x, &[1.0, 1.0, 1.0]), None);
    }

    #[test]
    fn quantiles_interpolate_between_order_statistics() {
        let sorted = [1.0, 2.0, 4.0, 8.0];
        assert_eq!(quantile(&sorted, 0.0), 1.0);
        assert_eq!(quantile(&sorted, 0.5), 3.0);
        assert_eq!(quantile(&sorted, 1.0), 8.0);
        assert!((quantile(&sorted, 0.9) - 6.8).abs() < 1e-14);
        assert_eq!(quantile(&[5.0], 0.37), 5.0);
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
    }
}
