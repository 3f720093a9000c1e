//! Attention of one head over one example.

use ndarray::ArrayView2;

use super::edit::RowEdit;
use super::product::{view, view_mut};
use super::real::Real;
use crate::algebra::{Accumulate, multiply};

/// The queries of one head at consecutive positions, and the keys and values they may see.
pub(crate) struct HeadInput<'a, T> {
    /// m × e.
    pub queries: ArrayView2<'a, T>,
    /// n × e.
    pub keys: ArrayView2<'a, T>,
    /// n × e.
    pub values: ArrayView2<'a, T>,
    /// Position of the first query.
    pub first: usize,
    /// What scores are multiplied by.
    pub scale: T,
}

/// Fills `weights` (m × n) and the head's columns of `z` (m rows, `stride` apart).
///
/// The edit goes to the last row.
pub(crate) fn attend<T: Real>(
    head: &HeadInput<'_, T>,
    edit: Option<&RowEdit<'_, T>>,
    weights: &mut [T],
    z: &mut [T],
    stride: usize,
) {
    let (m, n, e) = (head.queries.nrows(), head.keys.nrows(), head.values.ncols());
    multiply(
        view_mut(weights, m, n, n),
        Accumulate::Replace,
        head.queries,
        head.keys.t(),
        Some(head.scale),
    );
    let mut growth = T::of(0.0);
    for (i, row) in weights.chunks_exact_mut(n).enumerate() {
        let (seen, future) = row.split_at_mut((head.first + i + 1).min(n));
        let edit = edit.filter(|_| i + 1 == m);
        if let Some(edit) = edit {
            edit.scores(seen);
        }
        softmax(seen);
        if let Some(edit) = edit {
            growth = edit.weights(seen);
        }
        future.fill(T::of(0.0));
    }
    multiply(
        view_mut(z, m, e, stride),
        Accumulate::Replace,
        view(weights, m, n, n),
        head.values,
        None,
    );
    if let Some(edit) = edit {
        edit.unscale(growth, &mut z[(m - 1) * stride..(m - 1) * stride + e]);
    }
}

/// Scores to weights that sum to 1; a score of −∞ has weight 0.
fn softmax<T: Real>(row: &mut [T]) {
    let mut top = row[0];
    for &score in row.iter() {
        if score > top {
            top = score;
        }
    }
    row.iter_mut().for_each(|score| *score -= top);
    T::exp_all(row);
    let sum = row.iter().fold(T::of(0.0), |sum, &weight| sum + weight);
    for weight in row {
        *weight /= sum;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_sum_to_one_whatever_the_scores() {
        for scores in [
            [0.0, 0.0, 0.0],
            [1e4, -1e4, 1e4],
            [f64::NEG_INFINITY, 1.0, 2.0],
        ] {
            let mut row = scores;
            softmax(&mut row);
            assert!((row.iter().sum::<f64>() - 1.0).abs() < 1e-15, "{scores:?}");
        }
    }
}
