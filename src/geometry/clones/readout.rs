//! Scores the network's own readout from a chunk alone.

use ndarray::{Array2, ArrayView2, s};
use serde::Serialize;

use crate::algebra::{Accumulate, multiply};
use crate::geometry::centred::cut;
use crate::input::Matrix;

/// Rows whose logits are made together.
const BLOCK: usize = 512;

/// A linear readout: logits = W_out f + b.
#[derive(Debug, Clone)]
pub struct Readout {
    /// C × W.
    weights: Array2<f64>,
    /// C.
    bias: Vec<f64>,
}

/// What the readout should say.
#[derive(Debug, Clone, PartialEq)]
pub enum Targets {
    /// The class of each row, below C.
    Classes(Vec<usize>),
    /// The sign of each row, for a readout with one output.
    Signs(Vec<f64>),
}

/// How well a readout does over the rows of a layer.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Score {
    /// Share of rows answered rightly.
    pub accuracy: f64,
    /// Mean cross-entropy in nats; `None` for one output.
    pub loss: Option<f64>,
}

impl Readout {
    /// The readout with `weights` (C × W) and `bias`.
    ///
    /// # Panics
    /// If there is not one bias an output.
    pub fn new(weights: &Matrix, bias: Vec<f64>) -> Self {
        assert_eq!(weights.n_rows(), bias.len(), "one bias an output");
        let mut rows = vec![0.0; weights.n_rows() * weights.n_columns()];
        for (i, row) in rows
            .chunks_exact_mut(weights.n_columns().max(1))
            .enumerate()
        {
            weights.widen_row(i, row);
        }
        let shape = (weights.n_rows(), weights.n_columns());
        let weights = Array2::from_shape_vec(shape, rows).expect("rows of W values");
        Self { weights, bias }
    }

    /// C.
    pub fn n_outputs(&self) -> usize {
        self.weights.nrows()
    }

    /// W.
    pub fn width(&self) -> usize {
        self.weights.ncols()
    }

    /// The logits of every row of `features` from the whole layer: N × C, row after row.
    pub fn logits(&self, features: &Matrix) -> Vec<f64> {
        let order: Vec<usize> = (0..self.width()).collect();
        let mut all = Vec::with_capacity(features.n_rows() * self.n_outputs());
        self.visit(features, &order, &[self.width()], &[1.0], |_, logits| {
            all.extend_from_slice(logits);
        });
        all
    }

    /// Calls `take(size, logits)` for blocks of rows and every chunk of them: the first `sizes`
    /// (ascending) neurons of `order`, their contributions times `factors`. Logits are row after
    /// row.
    fn visit(
        &self,
        features: &Matrix,
        order: &[usize],
        sizes: &[usize],
        factors: &[f64],
        mut take: impl FnMut(usize, &[f64]),
    ) {
        let outputs = self.n_outputs();
        let weights =
            Array2::from_shape_fn((outputs, order.len()), |(c, k)| self.weights[(c, order[k])]);
        let mut row = vec![0.0; features.n_columns()];
        for rows in cut(features.n_rows(), BLOCK) {
            let mut block = vec![0.0; rows.len() * order.len()];
            for (i, out) in rows.clone().zip(block.chunks_exact_mut(order.len().max(1))) {
                features.widen_row(i, &mut row);
                out.iter_mut().zip(order).for_each(|(x, &k)| *x = row[k]);
            }
            let block = ArrayView2::from_shape((rows.len(), order.len()), &block)
                .expect("rows of W values");
            let mut sums = Array2::zeros((rows.len(), outputs));
            let mut from = 0;
            for (at, &to) in sizes.iter().enumerate() {
                let chunk = block.slice(s![.., from..to]);
                let weights = weights.slice(s![.., from..to]);
                multiply(sums.view_mut(), Accumulate::Add, chunk, weights.t(), None);
                let logit = |(sum, bias): (&f64, &f64)| bias + factors[at] * sum;
                let logits: Vec<f64> = sums
                    .rows()
                    .into_iter()
                    .flat_map(|row| {
                        row.to_vec()
                            .iter()
                            .zip(&self.bias)
                            .map(logit)
                            .collect::<Vec<_>>()
                    })
                    .collect();
                take(at, &logits);
                from = to;
            }
        }
    }
}

/// The score of every chunk made of the first `sizes` (ascending) neurons of `order`.
///
/// logits = s·F_S W_Sᵀ + b, not retrained, with s = 1, or W/w where `rescale` is set.
pub fn chunk_scores(
    readout: &Readout,
    features: &Matrix,
    targets: &Targets,
    order: &[usize],
    sizes: &[usize],
    rescale: bool,
) -> Vec<Score> {
    let factor = |&w: &usize| match rescale {
        true => order.len() as f64 / w as f64,
        false => 1.0,
    };
    let factors: Vec<f64> = sizes.iter().map(factor).collect();
    let mut tallies = vec![Tally::default(); sizes.len()];
    let mut seen = vec![0; sizes.len()];
    readout.visit(features, order, sizes, &factors, |size, logits| {
        for logits in logits.chunks_exact(readout.n_outputs().max(1)) {
            tallies[size].add(logits, targets, seen[size]);
            seen[size] += 1;
        }
    });
    tallies.iter().map(|tally| tally.score(targets)).collect()
}

/// The score of given logits, `outputs` a row.
pub(super) fn score(logits: &[f64], outputs: usize, targets: &Targets) -> Score {
    let mut tally = Tally::default();
    for (row, logits) in logits.chunks_exact(outputs.max(1)).enumerate() {
        tally.add(logits, targets, row);
    }
    tally.score(targets)
}

#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    rows: usize,
    right: usize,
    loss: f64,
}

impl Tally {
    fn add(&mut self, logits: &[f64], targets: &Targets, row: usize) {
        self.rows += 1;
        match targets {
            Targets::Signs(signs) => {
                let output = logits.first().copied().unwrap_or(0.0);
                self.right += usize::from(output.signum() * signs[row] > 0.0 && output != 0.0);
            }
            Targets::Classes(classes) => {
                let class = classes[row];
                self.right += usize::from(argmax(logits) == class);
                self.loss += log_sum_exp(logits) - logits[class];
            }
        }
    }

    fn score(self, targets: &Targets) -> Score {
        let n = self.rows.max(1) as f64;
        Score {
            accuracy: self.right as f64 / n,
            loss: matches!(targets, Targets::Classes(_)).then_some(self.loss / n),
        }
    }
}

/// The index of the largest value; ties go to the lowest.
fn argmax(values: &[f64]) -> usize {
    let mut best = 0;
    for (at, value) in values.iter().enumerate() {
        if *value > values[best] {
            best = at;
        }
    }
    best
}

fn log_sum_exp(values: &[f64]) -> f64 {
    let largest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = values.iter().map(|value| libm::exp(value - largest)).sum();
    largest + libm::log(sum)
}
