//! The objective of logistic regression, its gradient, and the probabilities of rows.

use super::dense::{add_scaled, dot, gather, times};
use crate::algebra::exp_f64;

/// The objective over the number of rows; its argument is the weights, class after class, then the
/// intercepts.
pub(super) struct Problem<'a> {
    pub(super) rows: &'a [f64],
    pub(super) width: usize,
    pub(super) classes: &'a [usize],
    pub(super) n_classes: usize,
    /// Over the number of rows.
    pub(super) penalty: f64,
}

/// Rows whose probabilities are held at a time; few enough that they stay in the cache.
const BLOCK: usize = 64;

impl Problem<'_> {
    /// Calls `each` with blocks of rows, their classes and, to be written over, their logits at `point`.
    pub(super) fn blocks(&self, point: &[f64], mut each: impl FnMut(&[f64], &[usize], &mut [f64])) {
        let (width, n_classes) = (self.width, self.n_classes);
        let (weights, intercepts) = point.split_at(n_classes * width);
        let mut logits = vec![0.0; BLOCK * n_classes];
        let blocks = self
            .rows
            .chunks(BLOCK * width)
            .zip(self.classes.chunks(BLOCK));
        for (rows, classes) in blocks {
            let logits = &mut logits[..classes.len() * n_classes];
            times(rows, weights, width, logits);
            for row in logits.chunks_exact_mut(n_classes) {
                let row = row.iter_mut().zip(intercepts);
                row.for_each(|(logit, b)| *logit += b);
            }
            each(rows, classes, logits);
        }
    }

    /// Value and gradient.
    pub(super) fn at(&self, point: &[f64]) -> (f64, Vec<f64>) {
        let (width, n_classes) = (self.width, self.n_classes);
        let n = self.classes.len() as f64;
        let weights = &point[..n_classes * width];
        let mut gradient = vec![0.0; point.len()];
        let (to_weights, to_intercepts) = gradient.split_at_mut(n_classes * width);
        let mut loss = 0.0;
        self.blocks(point, |rows, classes, logits| {
            loss += chances(logits, n_classes, classes);
            for (row, &class) in logits.chunks_exact_mut(n_classes).zip(classes) {
                row[class] -= 1.0;
                for (out, p) in to_intercepts.iter_mut().zip(row) {
                    *p /= n;
                    *out += *p;
                }
            }
            gather(logits, rows, width, to_weights);
        });
        add_scaled(to_weights, self.penalty, weights);
        (
            loss / n + 0.5 * self.penalty * dot(weights, weights),
            gradient,
        )
    }

    /// How far the objective can be above its minimum.
    ///
    /// Intercepts are not penalised; their part of the gradient is counted as if they were, which is
    /// more than it needs to be wherever classes are not all but separated by them.
    pub(super) fn gap(&self, gradient: &[f64]) -> f64 {
        dot(gradient, gradient) / (2.0 * self.penalty)
    }
}

/// The logits of rows become their probabilities; the sum of −ln p(class).
pub(super) fn chances(logits: &mut [f64], n_classes: usize, classes: &[usize]) -> f64 {
    let mut loss = 0.0;
    for (row, &class) in logits.chunks_exact_mut(n_classes).zip(classes) {
        let largest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        row.iter_mut().for_each(|x| *x -= largest);
        loss -= row[class];
    }
    exp_f64(logits);
    for row in logits.chunks_exact_mut(n_classes) {
        let sum: f64 = row.iter().sum();
        loss += libm::log(sum);
        let scale = 1.0 / sum;
        row.iter_mut().for_each(|p| *p *= scale);
    }
    loss
}
