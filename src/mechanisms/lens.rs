//! The logit lens: what the unembedding reads in the residual stream of every block.

use rayon::prelude::*;
use serde::Serialize;

use super::dump::{Stream, StreamDump};
use super::model::{LastLogits, Outcome, Vocabulary};
use super::prompts::Targets;
use super::readout::{Directions, Readout, dot};
use super::scale::{Scales, n_layers, refuse_mixed, refuse_normed};
use super::spots::{Positions, Spot, spots};
use super::stat::{Group, Stat, groups, share};
use crate::choice::choice;
use crate::geometry::Reason;
use crate::input::Labels;
use crate::progress::Progress;
use crate::warning::Warning;
use crate::{Error, Result};

choice! {
    /// Which stream is read.
    pub enum LensStream {
        /// After the block.
        ResidPost = "resid_post",
        /// Before the block.
        ResidPre = "resid_pre",
        /// Between attention and MLP.
        ResidMid = "resid_mid",
        /// What the attention adds.
        AttnOut = "attn_out",
        /// What the MLP adds.
        MlpOut = "mlp_out",
    }
}

choice! {
    /// Which standard deviation the stream is divided by.
    pub enum LensScale {
        /// That of the last block's output at the same position: contributions then add up.
        Final = "final",
        /// Its own: what the model would say if it ended there.
        Own = "own",
    }
}

/// What is asked of the lens.
#[derive(Debug, Clone, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LensOptions {
    /// The stream.
    pub stream: LensStream,
    /// Its scale.
    pub scale: LensScale,
    /// Adds c_t, so that the last block gives the centred logit.
    pub with_bias: bool,
    /// The places.
    pub positions: Positions,
    /// Ranks and three-way shares, from the full vocabulary.
    pub rank: bool,
    /// How many tokens to list.
    pub top_k: usize,
    /// A class for each example.
    #[serde(rename = "group_by")]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub groups: Option<Labels>,
}

/// What the lens shows.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LogitLens {
    /// What was asked for, defaults included.
    pub parameters: LensParameters,
    /// Number of examples.
    pub n: usize,
    /// Rows by block, place and group.
    pub rows: Vec<LensRow>,
    /// What was noticed.
    pub warnings: Vec<Warning>,
}

/// What was asked of the lens.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LensParameters {
    /// The options.
    #[serde(flatten)]
    pub options: LensOptions,
    /// Whether logits are relative to their mean over the vocabulary.
    pub centred: bool,
}

/// One block at one place, over all examples or one group.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LensRow {
    /// Name of the stream.
    pub layer: String,
    /// Its block.
    pub index: usize,
    /// Name of the place.
    pub position: String,
    /// The group; `None` for all examples.
    pub group: Option<String>,
    /// Examples that have the place.
    pub n: usize,
    /// Logit of the factual token.
    pub fact: Stat,
    /// Logit of the counterfactual token.
    pub counterfactual: Stat,
    /// Counterfactual − factual.
    pub delta: Stat,
    /// Share of examples in which the factual token is above the counterfactual one.
    pub fact_above: Option<f64>,
    /// Who has the largest logit; `None` unless asked for.
    pub winners: Option<Winners>,
    /// The tokens most often among the largest logits; empty unless asked for.
    pub top: Vec<TopToken>,
    /// Why there are no numbers.
    pub reason: Option<Reason>,
}

/// Who has the largest logit of the whole vocabulary, and the mean ranks (0 is the largest).
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Winners {
    /// Share of examples won by the factual token.
    pub fact: f64,
    /// Share won by the counterfactual token.
    pub counterfactual: f64,
    /// Share won by another.
    pub other: f64,
    /// Mean number of tokens above the factual one.
    pub rank_fact: f64,
    /// Mean number of tokens above the counterfactual one.
    pub rank_counterfactual: f64,
}

/// A token, and in which share of examples it is among the largest logits.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TopToken {
    /// Its id.
    pub token: u32,
    /// Share of examples.
    pub share: f64,
}

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
    progress.begin("logit lens", layers.len() as u64);
    for &index in &layers {
        let stream = dump.stream(&format!("blocks.{index}.{hook}"), readout.width)?;
        if options.scale == LensScale::Own
            && options.stream == LensStream::ResidPost
            && index + 1 == n_layers(dump, readout)
        {
            refuse_normed(dump, &stream, readout)?;
        }
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
        }
        progress.advance(1);
    }
    progress.end();
    Ok(LogitLens {
        parameters: LensParameters {
            options: options.clone(),
            centred: readout.centred,
        },
        n: dump.n,
        rows,
        warnings: [dump.prompts.warnings(dump.n), readout.warnings()].concat(),
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
    #[allow(clippy::cast_possible_truncation)] // f32 is the precision of the sweep
    let single = |values: &[f64]| values.iter().map(|&x| x as f32).collect::<Vec<f32>>();
    let bias = bias.filter(|_| options.with_bias).map(single);
    Ok(Some(Vocabulary::new(single(&values), bias, readout.width)))
}

/// What was read of every example at one place; `None` where it has no such place.
struct Read {
    logits: Vec<Option<[f64; 2]>>,
    folds: Option<Vec<Option<LastLogits>>>,
}

struct Reader<'a> {
    dump: &'a StreamDump,
    readout: &'a Readout,
    stream: &'a Stream,
    scales: &'a Scales,
    spot: &'a Spot,
}

impl Reader<'_> {
    fn read(
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

fn row(layer: &str, index: usize, spot: &Spot, group: &Group, read: &Read) -> LensRow {
    let members = group.members.iter();
    let logits: Vec<[f64; 2]> = members.clone().filter_map(|&i| read.logits[i]).collect();
    let column = |value: fn(&[f64; 2]) -> f64| -> Stat {
        Stat::of(&logits.iter().map(value).collect::<Vec<f64>>())
    };
    let folds: Option<Vec<&LastLogits>> = read
        .folds
        .as_ref()
        .map(|folds| members.filter_map(|&i| folds[i].as_ref()).collect());
    LensRow {
        layer: layer.to_owned(),
        index,
        position: spot.name.clone(),
        group: group.name.clone(),
        n: logits.len(),
        fact: column(|pair| pair[0]),
        counterfactual: column(|pair| pair[1]),
        delta: column(|pair| pair[1] - pair[0]),
        fact_above: share(logits.iter().map(|pair| pair[0] > pair[1])),
        winners: folds.as_deref().and_then(winners),
        top: folds.as_deref().map(top_tokens).unwrap_or_default(),
        reason: logits.is_empty().then_some(Reason::TooFewRows),
    }
}

fn winners(folds: &[&LastLogits]) -> Option<Winners> {
    let n = folds.len() as f64;
    let won = |outcome| share(folds.iter().map(|fold| fold.outcome() == outcome));
    let rank = |which: usize| {
        folds
            .iter()
            .map(|fold| fold.ranks[which] as f64)
            .sum::<f64>()
            / n
    };
    Some(Winners {
        fact: won(Outcome::Fact)?,
        counterfactual: won(Outcome::Counterfactual)?,
        other: won(Outcome::Other)?,
        rank_fact: rank(0),
        rank_counterfactual: rank(1),
    })
}

/// As many tokens as each example listed, the most frequent first, the lower id on ties.
fn top_tokens(folds: &[&LastLogits]) -> Vec<TopToken> {
    let keep = folds.first().map_or(0, |fold| fold.top.len());
    let mut counts = std::collections::BTreeMap::new();
    for token in folds.iter().flat_map(|fold| &fold.top) {
        *counts.entry(*token).or_insert(0usize) += 1;
    }
    let mut counts: Vec<(u32, usize)> = counts.into_iter().collect();
    counts.sort_by_key(|&(token, count)| (std::cmp::Reverse(count), token));
    counts.truncate(keep);
    let n = folds.len() as f64;
    counts
        .into_iter()
        .map(|(token, count)| TopToken {
            token,
            share: count as f64 / n,
        })
        .collect()
}
