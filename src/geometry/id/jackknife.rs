//! Delete-one-block jackknife over ratios.

use rayon::prelude::*;

/// Jackknife standard error of an estimator of ln μ.
///
/// Ratio i belongs to block i mod B, B = min(`n_blocks`, M). With θ_b the estimate without block b,
///
/// ```text
/// SE² = (B − 1)/B · Σ_b (θ_b − mean θ)²
/// ```
///
/// `estimate` sees the remaining ratios in ascending order, so that nothing is sorted twice. The
/// neighbours themselves are not sought again: the error ignores that rows share neighbours.
/// `None` below two blocks or where a block leaves no estimate.
pub fn jackknife(
    ln_mu: &[f64],
    n_blocks: usize,
    estimate: impl Fn(&[f64]) -> Option<f64> + Sync,
) -> Option<f64> {
    let n_blocks = n_blocks.min(ln_mu.len());
    if n_blocks < 2 {
        return None;
    }
    let mut labelled: Vec<(f64, usize)> = ln_mu
        .iter()
        .enumerate()
        .map(|(i, &x)| (x, i % n_blocks))
        .collect();
    labelled.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let thetas: Vec<f64> = (0..n_blocks)
        .into_par_iter()
        .map(|deleted| {
            let rest: Vec<f64> = labelled
                .iter()
                .filter(|&&(_, block)| block != deleted)
                .map(|&(x, _)| x)
                .collect();
            estimate(&rest)
        })
        .collect::<Option<_>>()?;
    let blocks = n_blocks as f64;
    let mean = thetas.iter().sum::<f64>() / blocks;
    let squares: f64 = thetas.iter().map(|theta| (theta - mean).powi(2)).sum();
    Some(((blocks - 1.0) / blocks * squares).sqrt()).filter(|error| error.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jackknifing_a_mean_one_by_one_gives_its_textbook_error() {
        let values = [0.3, 1.0, 0.1, 0.7, 0.4];
        let mean = |xs: &[f64]| Some(xs.iter().sum::<f64>() / xs.len() as f64);
        let error = jackknife(&values, 50, mean).unwrap();
        let textbook = crate::geometry::stats::std_dev(&values).unwrap() / 5f64.sqrt();
        assert!((error - textbook).abs() < 1e-15);
    }

    #[test]
    fn the_estimator_sees_ascending_ratios_without_one_block() {
        let values = [5.0, 1.0, 4.0, 2.0];
        let check = |xs: &[f64]| {
            assert!(xs == [1.0, 2.0] || xs == [4.0, 5.0], "{xs:?}");
            Some(0.0)
        };
        assert_eq!(jackknife(&values, 2, check), Some(0.0));
    }

    #[test]
    fn one_block_or_a_failing_block_has_no_error() {
        assert_eq!(jackknife(&[1.0, 2.0], 1, |_| Some(1.0)), None);
        assert_eq!(jackknife(&[1.0, 2.0], 2, |_| None), None);
    }
}
