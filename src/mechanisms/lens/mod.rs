//! The logit lens: what the unembedding reads in the residual stream of every block.

mod read;
mod rows;
mod runs;
mod shape;

pub use runs::{LensRuns, RunLens, logit_lens_over_runs};
pub use shape::{
    LensOptions, LensParameters, LensRow, LensScale, LensStream, LogitLens, PlaceLogits, TopToken,
    Winners,
};

use self::read::Reader;
use self::rows::row;
use super::dump::StreamDump;
use super::model::{Real, Vocabulary};
use super::readout::Readout;
use super::scale::{Scales, n_layers, refuse_mixed, refuse_normed};
use super::spots::spots;
use super::stat::groups;
use crate::progress::{Phase, Progress};
use crate::{Error, Result};

/// Reads the logits of the two targets, and of the vocabulary if asked, in every block.
///
/// # Errors
/// Missing or unfit tensors, targets outside the vocabulary, values that are no numbers.
pub fn logit_lens(
    dump: &StreamDump,
    readout: &Readout,
    options: &LensOptions,
    progress: &dyn Progress,
) -> Result<LogitLens> {
    refuse_mixed(dump, readout)?;
    let targets = dump.prompts.need_targets()?;
    let directions = readout.directions(targets.iter().flatten().copied())?;
    let scales = match options.scale {
        LensScale::Own => Scales::Own,
        LensScale::Final => Scales::of_dump(dump, readout)?,
    };
    let hook = format!("hook_{}", options.stream.name());
    let layers = dump.layers_with(&hook);
    if layers.is_empty() {
        let name = format!("blocks.0.{hook}");
        dump.stream(&name, readout.width)?;
    }
    let spots = spots(options.positions, &dump.prompts, &dump.lengths)?;
    let groups = groups(dump.n, options.groups.as_ref());
    let vocabulary = whole_vocabulary(readout, options)?;
    let mut rows = Vec::new();
    let mut examples = Vec::new();
    let phase = Phase::new("logit lens", layers.len());
    progress.plan(&[phase]);
    for &index in &layers {
        let stream = dump.stream(&format!("blocks.{index}.{hook}"), readout.width)?;
        if options.scale == LensScale::Own
            && options.stream == LensStream::ResidPost
            && index + 1 == n_layers(dump, readout)
        {
            refuse_normed(dump, &stream, readout)?;
        }
        progress.step(phase.name, &stream.name);
        progress.begin(&stream.name, spots.len() as u64);
        for spot in &spots {
            let reader = Reader {
                dump,
                readout,
                stream: &stream,
                scales: &scales,
                spot,
            };
            let read = reader.read(targets, &directions, options, vocabulary.as_ref())?;
            for group in &groups {
                rows.push(row(&stream.name, index, spot, group, &read));
            }
            if options.keep_examples {
                examples.push(PlaceLogits {
                    layer: stream.name.clone(),
                    position: spot.name.clone(),
                    logits: read.logits,
                    vocabulary: read.folds,
                });
            }
            progress.advance(1);
        }
        progress.end();
    }
    Ok(LogitLens {
        parameters: LensParameters {
            options: options.clone(),
            centred: readout.centred,
        },
        n: dump.n,
        rows,
        warnings: [dump.prompts.warnings(dump.n), readout.warnings()].concat(),
        examples,
    })
}

fn whole_vocabulary(readout: &Readout, options: &LensOptions) -> Result<Option<Vocabulary<f32>>> {
    if !options.rank && options.top_k == 0 {
        return Ok(None);
    }
    let Some((values, bias)) = readout.whole() else {
        return Err(Error::Usage(
            "--rank and --topk need the whole unembedding; W_U_targets holds some columns".into(),
        ));
    };
    // f32 is the precision of the sweep.
    let single = |values: &[f64]| values.iter().copied().map(f32::of).collect::<Vec<f32>>();
    let bias = bias.filter(|_| options.with_bias).map(single);
    Ok(Some(Vocabulary::new(values, bias, readout.width)))
}
