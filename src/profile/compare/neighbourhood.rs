//! Minds what every comparison of neighbourhoods must: k beyond N, and layers of one point.

use crate::input::Matrix;
use crate::warning::{Warning, WarningCode};

/// k is at most N − 1; what was reduced is said once.
pub fn reduced(k: &[usize], n: usize, warnings: &mut Vec<Warning>) -> Vec<usize> {
    let most = n.saturating_sub(1).max(1);
    let mut out: Vec<usize> = k.iter().map(|&k| k.min(most)).collect();
    if let Some(&large) = k.iter().filter(|&&k| k > most).max() {
        warnings.push(Warning::new(
            WarningCode::KReduced,
            k.iter().filter(|&&k| k > most).count(),
            format!("k = {large} was reduced to {most}, all other rows of {n}"),
        ));
    }
    out.sort_unstable();
    out.dedup();
    out
}

/// Whether no row differs from the first.
pub fn all_rows_equal(matrix: &Matrix) -> bool {
    let (mut first, mut row) = (vec![0.0; matrix.n_columns()], vec![0.0; matrix.n_columns()]);
    if matrix.n_rows() > 0 {
        matrix.widen_row(0, &mut first);
    }
    (1..matrix.n_rows()).all(|at| {
        matrix.widen_row(at, &mut row);
        // Both zeros are one value here, as everywhere.
        row.iter().zip(&first).all(|(x, y)| (x - y).abs() <= 0.0)
    })
}
