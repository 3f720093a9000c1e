//! From the last residual stream to logits, never more than a tile of the vocabulary at a time.

use rayon::prelude::*;
use serde::Serialize;

use super::product::{view, view_mut};
use super::real::Real;
use super::weights::Checkpoint;
use crate::Result;
use crate::algebra::{Accumulate, multiply};

/// Tokens of the vocabulary in work at once.
const TILE: usize = 4096;

/// Rows in work at once.
const ROWS: usize = 128;

/// Who wins at the last token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The factual token has the largest logit.
    Fact,
    /// The counterfactual token has it.
    Counterfactual,
    /// Some other token has it.
    Other,
}

/// What the full vocabulary says about one row.
#[derive(Debug, Clone, PartialEq)]
pub struct LastLogits {
    /// Logit of the factual token.
    pub fact: f64,
    /// Logit of the counterfactual token.
    pub counterfactual: f64,
    /// Mean logit over the vocabulary.
    pub mean: f64,
    /// Token with the largest logit; the lower id on ties.
    pub argmax: u32,
    /// Number of larger logits than each target's.
    pub ranks: [usize; 2],
    /// The tokens with the largest logits, best first, as many as asked for.
    pub top: Vec<u32>,
}

impl LastLogits {
    /// Logits of the factual and of the counterfactual token, minus the mean if `centred`.
    pub fn pair(&self, centred: bool) -> [f64; 2] {
        let centre = if centred { self.mean } else { 0.0 };
        [self.fact - centre, self.counterfactual - centre]
    }

    /// Counterfactual − factual.
    pub fn delta(&self) -> f64 {
        self.counterfactual - self.fact
    }

    /// The target with the largest logit: one that no other logit exceeds wins.
    pub fn outcome(&self) -> Outcome {
        match self.ranks {
            [0, 0] if self.counterfactual > self.fact => Outcome::Counterfactual,
            [0, _] => Outcome::Fact,
            [_, 0] => Outcome::Counterfactual,
            _ => Outcome::Other,
        }
    }
}

/// The unembedding in working precision: V × d, and the bias if there is one.
pub struct Vocabulary<T> {
    values: Vec<T>,
    bias: Option<Vec<T>>,
    width: usize,
}

impl<T: Real> Vocabulary<T> {
    /// `values` are V rows of `width`.
    pub fn new(values: Vec<T>, bias: Option<Vec<T>>, width: usize) -> Self {
        Self {
            values,
            bias,
            width,
        }
    }

    /// Number of tokens V.
    pub fn len(&self) -> usize {
        self.values.len() / self.width
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Folds the logits of every row of `x`, already normalised, against its two targets.
    pub fn fold(&self, x: &[T], targets: &[[u32; 2]], top: usize) -> Vec<LastLogits> {
        x.par_chunks(ROWS * self.width)
            .zip(targets.par_chunks(ROWS))
            .flat_map_iter(|(rows, targets)| self.fold_rows(rows, targets, top))
            .collect()
    }

    fn fold_rows(&self, x: &[T], targets: &[[u32; 2]], top: usize) -> Vec<LastLogits> {
        let rows = targets.len();
        let mut folds: Vec<Fold> = targets.iter().map(|_| Fold::new(top)).collect();
        let mut scores = Vec::new();
        let mut tiles = |see: &mut dyn FnMut(usize, usize, &[T])| {
            for (tile, weights) in self.values.chunks(TILE * self.width).enumerate() {
                let columns = weights.len() / self.width;
                scores.resize(rows * columns, T::of(0.0));
                multiply(
                    view_mut(&mut scores, rows, columns, columns),
                    Accumulate::Replace,
                    view(x, rows, self.width, self.width),
                    view(weights, columns, self.width, self.width).reversed_axes(),
                    None,
                );
                for (row, scores) in scores.chunks_exact_mut(columns).enumerate() {
                    if let Some(bias) = &self.bias {
                        for (score, &bias) in scores.iter_mut().zip(&bias[tile * TILE..]) {
                            *score += bias;
                        }
                    }
                    see(row, tile * TILE, scores);
                }
            }
        };
        // First the targets' own logits, then what exceeds them.
        tiles(&mut |row, first, scores| {
            for (which, &target) in targets[row].iter().enumerate() {
                if let Some(score) = (target as usize)
                    .checked_sub(first)
                    .and_then(|at| scores.get(at))
                {
                    folds[row].logits[which] = score.wide();
                }
            }
        });
        tiles(&mut |row, first, scores| folds[row].add(first, scores));
        folds
            .into_iter()
            .map(|fold| fold.finish(self.len()))
            .collect()
    }
}

/// One row on its way through the tiles.
struct Fold {
    logits: [f64; 2],
    ranks: [usize; 2],
    sum: f64,
    best: (f64, u32),
    keep: usize,
    top: Vec<(f64, u32)>,
}

impl Fold {
    fn new(keep: usize) -> Self {
        Self {
            logits: [0.0; 2],
            ranks: [0; 2],
            sum: 0.0,
            best: (f64::NEG_INFINITY, 0),
            keep,
            top: Vec::new(),
        }
    }

    fn add<T: Real>(&mut self, first: usize, scores: &[T]) {
        let mut sum = 0.0;
        for (at, score) in scores.iter().enumerate() {
            let score = score.wide();
            sum += score;
            self.ranks[0] += usize::from(score > self.logits[0]);
            self.ranks[1] += usize::from(score > self.logits[1]);
            let token = u32::try_from(first + at).unwrap_or(u32::MAX);
            if score > self.best.0 {
                self.best = (score, token);
            }
            let worst = self
                .top
                .last()
                .map_or(f64::NEG_INFINITY, |&(score, _)| score);
            if self.keep > 0 && (self.top.len() < self.keep || score > worst) {
                let place = self.top.partition_point(|&(other, _)| other >= score);
                self.top.insert(place, (score, token));
                self.top.truncate(self.keep);
            }
        }
        self.sum += sum;
    }

    fn finish(self, n: usize) -> LastLogits {
        LastLogits {
            fact: self.logits[0],
            counterfactual: self.logits[1],
            mean: self.sum / n as f64,
            argmax: self.best.1,
            ranks: self.ranks,
            top: self.top.into_iter().map(|(_, token)| token).collect(),
        }
    }
}

/// The logits of rows of the residual stream after the last block.
///
/// # Errors
/// As [`Checkpoint::block`].
pub fn last_logits<T: Real>(
    checkpoint: &Checkpoint,
    resid: &[T],
    targets: &[[u32; 2]],
) -> Result<Vec<LastLogits>> {
    let config = &checkpoint.config;
    let normed = checkpoint.final_norm::<T>()?.apply(resid, config.eps);
    let unembedding = T::of_matrix(&checkpoint.unembedding()?);
    Ok(Vocabulary::new(unembedding, None, config.width).fold(&normed, targets, 0))
}
