//! Reads the logits of every example in one stream at one place.

use rayon::prelude::*;

use super::shape::LensOptions;
use crate::Result;
use crate::mechanisms::dump::{Stream, StreamDump};
use crate::mechanisms::model::{LastLogits, Vocabulary};
use crate::mechanisms::prompts::Targets;
use crate::mechanisms::readout::{Directions, Readout, dot};
use crate::mechanisms::scale::Scales;
use crate::mechanisms::spots::Spot;

/// What was read of every example at one place; `None` where it has no such place.
pub(super) struct Read {
    pub(super) logits: Vec<Option<[f64; 2]>>,
    pub(super) folds: Option<Vec<Option<LastLogits>>>,
}

pub(super) struct Reader<'a> {
    pub(super) dump: &'a StreamDump,
    pub(super) readout: &'a Readout,
    pub(super) stream: &'a Stream,
    pub(super) scales: &'a Scales,
    pub(super) spot: &'a Spot,
}

impl Reader<'_> {
    pub(super) fn read(
        &self,
        targets: &[Targets],
        directions: &Directions,
        options: &LensOptions,
        vocabulary: Option<&Vocabulary<f32>>,
    ) -> Result<Read> {
        let n = self.dump.n;
        let d = self.readout.width;
        let found: Vec<Option<Found>> = (0..n)
            .into_par_iter()
            .map_init(
                || [vec![0.0; d], vec![0.0; d]],
                |[row, sum], example| {
                    let Some(weight) = self.sum(example, row, sum)? else {
                        return Ok(None);
                    };
                    let logits = targets[example].map(|token| {
                        let constant = match options.with_bias {
                            true => directions.constant(token),
                            false => 0.0,
                        };
                        dot(directions.vector(token), sum) * weight + constant
                    });
                    if !logits.iter().all(|logit| logit.is_finite()) {
                        self.refuse(example, row)?;
                    }
                    let row = vocabulary.map(|_| self.through_norm(sum, weight, options.with_bias));
                    Ok(Some(Found { logits, row }))
                },
            )
            .collect::<Result<_>>()?;
        let folds = vocabulary.map(|vocabulary| {
            let present: Vec<usize> = (0..n).filter(|&i| found[i].is_some()).collect();
            let rows: Vec<f32> = found
                .iter()
                .flatten()
                .flat_map(|found| found.row.iter().flatten().copied())
                .collect();
            let targets: Vec<Targets> = present.iter().map(|&i| targets[i]).collect();
            let mut folds = vec![None; n];
            for (i, fold) in present
                .iter()
                .zip(vocabulary.fold(&rows, &targets, options.top_k))
            {
                folds[*i] = Some(fold);
            }
            folds
        });
        let logits = found
            .iter()
            .map(|found| Some(found.as_ref()?.logits))
            .collect();
        Ok(Read { logits, folds })
    }

    /// `sum` times the weight returned is the mean of x/s over the tokens of the place; `None`
    /// without tokens. u_t has mean 0, so the mean of x need not be taken off.
    fn sum(&self, example: usize, row: &mut [f64], sum: &mut [f64]) -> Result<Option<f64>> {
        let stored = self.dump.stored(example, &self.spot.ranges[example]);
        let scale = |at: usize, row: &[f64]| self.scales.at(example, at, row, self.readout);
        if let &[at] = stored.as_slice() {
            self.stream.widen(example, at, sum);
            return Ok(Some(1.0 / scale(at, sum)?));
        }
        sum.fill(0.0);
        for &at in &stored {
            self.stream.widen(example, at, row);
            let weight = 1.0 / scale(at, row)?;
            for (sum, x) in sum.iter_mut().zip(row.iter()) {
                *sum += x * weight;
            }
        }
        Ok((!stored.is_empty()).then(|| 1.0 / stored.len() as f64))
    }

    /// Names the value that made a logit infinite or no number.
    fn refuse(&self, example: usize, row: &mut [f64]) -> Result<()> {
        for at in self.dump.stored(example, &self.spot.ranges[example]) {
            self.stream.read(example, at, row)?;
        }
        Err(self.stream.refused(
            &format!("the logits of example {example} are beyond the range of f64"),
            "dump smaller values",
        ))
    }

    /// What the unembedding is multiplied with: the place through the final norm.
    fn through_norm(&self, sum: &[f64], weight: f64, with_bias: bool) -> Vec<f32> {
        let norm = self.readout.norm();
        let mean = self.readout.kind.centre(sum);
        let parts = sum.iter().zip(&norm.gain).zip(&norm.bias);
        #[allow(clippy::cast_possible_truncation)] // f32 is the precision of the sweep
        parts
            .map(|((x, gain), bias)| {
                let constant = if with_bias { *bias } else { 0.0 };
                ((x - mean) * weight * gain + constant) as f32
            })
            .collect()
    }
}

struct Found {
    logits: [f64; 2],
    row: Option<Vec<f32>>,
}
