//! A Hessian of logistic regression that can be solved with.

use super::dense::{add_gram, gather};
use super::inverse::inverse;
use super::objective::{Problem, chances};

/// Most columns whose products precondition the search; beyond, their squares alone do.
pub const MOST_COLUMNS: usize = 1024;

/// The Hessian without the coupling of classes, to be solved with.
pub(super) struct Preconditioner {
    n_classes: usize,
    /// Of the intercepts, which count as a column of ones.
    ones: f64,
    columns: Columns,
}

enum Columns {
    /// The inverse of what all products of columns give.
    Whole(Vec<f64>),
    /// What their squares alone give.
    Diagonal(Vec<f64>),
}

impl Preconditioner {
    /// That at a point of the problem.
    pub(super) fn of(problem: &Problem<'_>, point: &[f64]) -> Self {
        let Problem {
            width, n_classes, ..
        } = *problem;
        let n = problem.classes.len() as f64;
        let mut whole = (width <= MOST_COLUMNS).then(|| vec![0.0; width * width]);
        let mut squares = vec![problem.penalty; width];
        let mut ones = problem.penalty;
        let mut scaled = Vec::new();
        problem.blocks(point, |rows, classes, logits| {
            chances(logits, n_classes, classes);
            scaled.clear();
            let rows = rows.chunks_exact(width);
            for (row, logits) in rows.zip(logits.chunks_exact(n_classes)) {
                let chance = logits.iter().map(|p| p * p).sum::<f64>();
                let curvature = (1.0 - chance).max(0.0) / (n_classes as f64 - 1.0) / n;
                ones += curvature;
                scaled.extend(row.iter().map(|x| curvature.sqrt() * x));
            }
            match &mut whole {
                Some(products) => add_gram(&scaled, width, products),
                None => {
                    for row in scaled.chunks_exact(width) {
                        let squares = squares.iter_mut().zip(row);
                        squares.for_each(|(sum, x)| *sum += x * x);
                    }
                }
            }
        });
        let inverse = whole.and_then(|mut products| {
            for at in 0..width {
                products[at * width + at] += problem.penalty;
                squares[at] = products[at * width + at];
            }
            inverse(products, width)
        });
        Self {
            n_classes,
            ones,
            columns: inverse.map_or(Columns::Diagonal(squares), Columns::Whole),
        }
    }

    /// Solves with it, class by class.
    pub(super) fn solve(&self, vector: &[f64]) -> Vec<f64> {
        let n_classes = self.n_classes;
        let width = vector.len() / n_classes - 1;
        let mut out = vec![0.0; vector.len()];
        let (given, ones) = vector.split_at(n_classes * width);
        let (weights, intercepts) = out.split_at_mut(n_classes * width);
        match &self.columns {
            Columns::Whole(inverse) => {
                // A row of the inverse is a column of it.
                let by_column = (0..width).flat_map(|column| {
                    let classes = given.chunks_exact(width);
                    classes.map(move |of_class| of_class[column])
                });
                gather(&by_column.collect::<Vec<_>>(), inverse, width, weights);
            }
            Columns::Diagonal(squares) => {
                let classes = weights.chunks_exact_mut(width);
                for (out, given) in classes.zip(given.chunks_exact(width)) {
                    let out = out.iter_mut().zip(given).zip(squares);
                    out.for_each(|((out, x), square)| *out = x / square);
                }
            }
        }
        let intercepts = intercepts.iter_mut().zip(ones);
        intercepts.for_each(|(out, x)| *out = x / self.ones);
        out
    }
}
