//! The scale s that streams are divided by, and what must not pass for a residual stream.

use std::sync::OnceLock;

use super::dump::{Stream, StreamDump};
use super::readout::Readout;
use crate::{Error, Result};

/// Where the scale s of every stored row comes from.
pub(crate) enum Scales {
    /// `ln_final.hook_scale`, or the last block's output; each row is measured once.
    Final {
        /// The stream.
        stream: Stream,
        /// Whether its values are s themselves.
        is_scale: bool,
        /// s of each stored row.
        known: Vec<OnceLock<f64>>,
    },
    /// The row's own.
    Own,
}

impl Scales {
    /// The final scale of a dump.
    pub(crate) fn of_dump(dump: &StreamDump, readout: &Readout) -> Result<Self> {
        let known = |stream: &Stream| vec![OnceLock::new(); stream.n_rows()];
        if let Some(stream) = dump.find("ln_final.hook_scale", 1)? {
            return Ok(Self::Final {
                known: known(&stream),
                stream,
                is_scale: true,
            });
        }
        let last = n_layers(dump, readout).saturating_sub(1);
        let name = format!("blocks.{last}.hook_resid_post");
        let stream = dump.stream(&name, readout.width)?;
        refuse_normed(dump, &stream, readout)?;
        Ok(Self::Final {
            known: known(&stream),
            stream,
            is_scale: false,
        })
    }

    /// s of a stored row; `row` are the values being read.
    pub(crate) fn at(
        &self,
        example: usize,
        stored: usize,
        row: &[f64],
        readout: &Readout,
    ) -> Result<f64> {
        let Self::Final {
            stream,
            is_scale,
            known,
        } = self
        else {
            return Ok(readout.kind.scale(row, readout.eps));
        };
        let cell = &known[stream.row(example, stored)];
        if let Some(&scale) = cell.get() {
            return Ok(scale);
        }
        let scale = if *is_scale {
            let mut scale = [0.0];
            stream.read(example, stored, &mut scale)?;
            scale[0]
        } else {
            let mut last = vec![0.0; row.len()];
            stream.read(example, stored, &mut last)?;
            readout.kind.scale(&last, readout.eps)
        };
        if scale <= 0.0 {
            let fact = format!("example {example} has scale {scale}");
            return Err(stream.refused(&fact, "scales are positive"));
        }
        Ok(*cell.get_or_init(|| scale))
    }
}

/// Blocks of the model: what the checkpoint says, else what the dump holds.
pub(crate) fn n_layers(dump: &StreamDump, readout: &Readout) -> usize {
    match &readout.checkpoint {
        Some(checkpoint) => checkpoint.config.n_layers,
        None => dump.n_layers(),
    }
}

/// Fails if a stream that should be the last residual is the output of the final norm, as
/// `hidden_states[-1]` of transformers is: (x − β)/γ then has mean 0 and variance 1 in every row, or
/// mean square 1 after an RMSNorm.
pub(crate) fn refuse_normed(dump: &StreamDump, stream: &Stream, readout: &Readout) -> Result<()> {
    const LOOKED_AT: usize = 32;
    const CLOSE: f64 = 1e-2;
    let norm = readout.norm();
    if norm.gain.iter().any(|gain| gain.abs() < 1e-6) {
        return Ok(());
    }
    let mut row = vec![0.0; readout.width];
    for example in 0..dump.n.min(LOOKED_AT) {
        let last = dump.lengths[example].saturating_sub(1);
        let Some(&at) = dump.stored(example, &(last..last + 1)).first() else {
            return Ok(());
        };
        stream.read(example, at, &mut row)?;
        for ((x, gain), bias) in row.iter_mut().zip(&norm.gain).zip(&norm.bias) {
            *x = (*x - bias) / gain;
        }
        let mean = readout.kind.centre(&row);
        let scale = readout.kind.scale(&row, 0.0);
        if mean.abs() > CLOSE || (scale * scale - 1.0).abs() > CLOSE {
            return Ok(());
        }
    }
    Err(stream.refused(
        "this is the output of the final norm, as hidden_states[-1] is",
        "dump the input of ln_f (final_layer_norm, model.norm) or the output of the last block",
    ))
}

/// A dump and a readout that say opposite things about folding are not of one model.
pub(crate) fn refuse_mixed(dump: &StreamDump, readout: &Readout) -> Result<()> {
    let folded = |text: &str| matches!(text, "true" | "True" | "1");
    match dump.says("fold_ln") {
        Some(text) if folded(text) && readout.checkpoint.is_some() => Err(Error::Usage(
            "the dump says fold_ln true but the unembedding is that of the raw checkpoint; give the folded one with --unembed FILE, or dump again unfolded".into(),
        )),
        _ => Ok(()),
    }
}
