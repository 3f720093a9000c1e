//! Checks how far the sums of contributions are from what they must be.

use super::shape::{Check, ComponentKind};
use super::sources::Sources;
use crate::mechanisms::dump::{Stream, StreamDump};
use crate::mechanisms::readout::{Directions, Readout, dot};
use crate::mechanisms::scale::Scales;
use crate::{Error, Result};

impl Check {
    /// Before anything was compared.
    pub(super) const NONE: Self = Self {
        blocks: None,
        heads: None,
        largest: 0.0,
        logits: None,
    };
}

impl Sources {
    pub(super) fn compare(&self, found: &[Option<Vec<[f64; 2]>>], check: &mut Check) {
        let sum = |parts: &[[f64; 2]], left_out: &[ComponentKind], which: usize| -> f64 {
            let kept = self.components.iter().zip(parts);
            kept.filter(|(component, _)| !left_out.contains(&component.kind))
                .map(|(_, values)| values[which])
                .sum()
        };
        let with_blocks = self
            .components
            .iter()
            .any(|component| component.kind == ComponentKind::AttnOut);
        for parts in found.iter().flatten() {
            for which in 0..2 {
                let lens = parts[self.components.len()][which];
                check.largest = check.largest.max(lens.abs());
                let worse = |error: &mut Option<f64>, left_out: &[ComponentKind]| {
                    let apart = (sum(parts, left_out, which) - lens).abs();
                    *error = Some(error.unwrap_or(0.0).max(apart));
                };
                if with_blocks {
                    worse(
                        &mut check.blocks,
                        &[ComponentKind::Head, ComponentKind::Bias],
                    );
                }
                if self.heads.is_some() {
                    worse(&mut check.heads, &[ComponentKind::AttnOut]);
                }
            }
        }
    }
}

/// How far lens + c_t is from the centred logits that a dump holds.
pub(super) fn logit_error(
    dump: &StreamDump,
    readout: &Readout,
    scales: &Scales,
    directions: &Directions,
    last: &Stream,
) -> Result<Option<f64>> {
    let Some(logits) = dump.tensors.get("logits_last") else {
        return Ok(None);
    };
    let vocabulary = logits.shape().last().copied().unwrap_or(0);
    logits.expect_shape(&[dump.n, vocabulary])?;
    let matrix = logits.rows_of(vocabulary)?;
    let targets = dump.prompts.need_targets()?;
    let (mut row, mut all) = (vec![0.0; readout.width], vec![0.0; vocabulary]);
    let mut worst = 0.0f64;
    for (example, pair) in targets.iter().enumerate() {
        let end = dump.lengths[example];
        let Some(&at) = dump.stored(example, &(end.saturating_sub(1)..end)).first() else {
            continue;
        };
        last.read(example, at, &mut row)?;
        let scale = scales.at(example, at, &row, readout)?;
        matrix.widen_row(example, &mut all);
        all.iter_mut()
            .for_each(|logit| *logit = readout.uncapped(*logit));
        if let Some(cap) = readout.soft_cap
            && !all.iter().all(|logit| logit.is_finite())
        {
            return Err(logits.refused(
                format!("a logit of example {example} is at or beyond the cap {cap}"),
                "dump the logits before the cap and leave it out of the metadata, or leave out --check",
            ));
        }
        let mean = all.iter().sum::<f64>() / vocabulary as f64;
        for &token in pair {
            let Some(logit) = all.get(token as usize) else {
                return Err(Error::Usage(format!(
                    "--targets: logits_last has no token {token}"
                )));
            };
            let lens = dot(directions.vector(token), &row) / scale + directions.constant(token);
            worst = worst.max((lens - (logit - mean)).abs());
        }
    }
    Ok(Some(worst))
}
