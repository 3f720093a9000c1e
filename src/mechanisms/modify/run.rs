//! What a few attention weights of the last token do to the outcome.

use std::ops::Range;

use super::plan::{Planned, edits, first_layer, keys};
use super::shape::{
    AttentionModify, ExampleOutcome, Key, ModifyOptions, ModifyParameters, ModifyRow,
};
use crate::geometry::Reason;
use crate::mechanisms::dump::StreamDump;
use crate::mechanisms::last_positions::last_positions;
use crate::mechanisms::model::{
    Block, Checkpoint, LastLogits, LastPosition, Outcome, Pass, PatternRows, Real, Vocabulary,
    replay,
};
use crate::mechanisms::prompts::{Prompts, Targets};
use crate::mechanisms::share::Share;
use crate::mechanisms::stat::{Group, Stat, groups, share};
use crate::progress::Progress;
use crate::{Error, Result};

/// Edits the attention of the last token and counts outcomes, by a full pass up to the first edited
/// block and the last position from there on.
///
/// # Errors
/// Heads, keys, tokens or targets that are not there; factors that are negative or leave no
/// attention; whatever reading the checkpoint can give.
pub fn attention_modify<T: Real>(
    checkpoint: &Checkpoint,
    prompts: &Prompts,
    options: &ModifyOptions,
    progress: &dyn Progress,
) -> Result<AttentionModify> {
    let config = &checkpoint.config;
    let sequences = prompts.sequences.as_ref().ok_or_else(|| {
        Error::Usage("there are no tokens; give --tokens FILE with an [N, T] array of ids".into())
    })?;
    let n = sequences.len();
    let lengths: Vec<usize> = (0..n).map(|i| sequences.tokens(i).len()).collect();
    let run = Run::<T>::new(checkpoint, prompts, &lengths, options)?;
    let mut outcomes: Vec<Vec<LastLogits>> = vec![Vec::new(); run.edits.len()];
    let mut last: Vec<LastPosition<T>> = Vec::new();
    let pass = Pass {
        checkpoint,
        patterns: PatternRows::None,
        edit: None,
    };
    progress.begin("attention modify", (n * (config.n_layers + 1)) as u64);
    pass.run::<T>(sequences, config.n_layers, |layer, chunks| {
        let next = layer.map_or(0, |layer| layer + 1);
        if layer.is_some_and(|layer| layer >= run.first_layer) {
            for (last, chunk) in last.iter_mut().zip(chunks.iter()) {
                last.keep(&chunk.streams, config);
            }
        }
        if next == run.first_layer {
            last = chunks
                .iter()
                .map(|chunk| LastPosition::before(chunk, config))
                .collect();
        }
        if next == config.n_layers {
            run.replay(&last, &mut outcomes)?;
        }
        let examples: usize = chunks.iter().map(|chunk| chunk.lengths.len()).sum();
        progress.advance(examples as u64);
        Ok(())
    })?;
    progress.end();
    run.finish(prompts, options, &lengths, &outcomes)
}

/// The same from a dump: keys, values and the residual stream before the first edited block stand
/// in for the pass.
///
/// # Errors
/// As [`attention_modify`], and tensors that the dump lacks.
pub fn attention_modify_replayed<T: Real>(
    checkpoint: &Checkpoint,
    dump: &StreamDump,
    options: &ModifyOptions,
    progress: &dyn Progress,
) -> Result<AttentionModify> {
    let config = &checkpoint.config;
    let run = Run::<T>::new(checkpoint, &dump.prompts, &dump.lengths, options)?;
    let last = last_positions(dump, config, run.first_layer)?;
    let mut outcomes = vec![Vec::new(); run.edits.len()];
    progress.begin("attention modify", 1);
    run.replay(&last, &mut outcomes)?;
    progress.end();
    let found = run.finish(&dump.prompts, options, &dump.lengths, &outcomes)?;
    Ok(AttentionModify {
        parameters: ModifyParameters {
            replay: true,
            ..found.parameters
        },
        ..found
    })
}

/// Everything that does not change from group to group of examples.
struct Run<'a, T> {
    checkpoint: &'a Checkpoint,
    first_layer: usize,
    blocks: Vec<Block<T>>,
    vocabulary: Vocabulary<T>,
    targets: &'a [Targets],
    edits: Vec<Planned>,
}

impl<'a, T: Real> Run<'a, T> {
    fn new(
        checkpoint: &'a Checkpoint,
        prompts: &'a Prompts,
        lengths: &[usize],
        options: &ModifyOptions,
    ) -> Result<Self> {
        let config = &checkpoint.config;
        let targets = prompts.need_targets()?;
        prompts.check_rows(lengths.len(), "the tokens")?;
        if let Some(id) = targets
            .iter()
            .flatten()
            .find(|&&id| id as usize >= config.n_vocab)
        {
            return Err(Error::Usage(format!(
                "--targets: there is no token {id}; the vocabulary has {}",
                config.n_vocab
            )));
        }
        let first_layer = first_layer(config, &options.heads)?;
        let keys = keys(prompts, lengths, options.key)?;
        let edits = edits(options, &keys, lengths)?;
        let blocks = (first_layer..config.n_layers)
            .map(|layer| checkpoint.block(layer))
            .collect::<Result<_>>()?;
        let unembedding = T::of_matrix(&checkpoint.unembedding()?);
        Ok(Self {
            checkpoint,
            first_layer,
            blocks,
            vocabulary: Vocabulary::new(unembedding, None, config.width),
            targets,
            edits,
        })
    }

    fn replay(&self, last: &[LastPosition<T>], outcomes: &mut [Vec<LastLogits>]) -> Result<()> {
        let config = &self.checkpoint.config;
        let norm = self.checkpoint.final_norm::<T>()?;
        let Some(first) = last.first().map(|chunk| chunk.first) else {
            return Ok(());
        };
        for (planned, outcomes) in self.edits.iter().zip(outcomes) {
            let resid = replay(config, &self.blocks, self.first_layer, last, &planned.edit);
            let n = resid.len() / config.width;
            let normed = norm.apply(&resid, config.eps);
            let found = self
                .vocabulary
                .fold(&normed, &self.targets[first..first + n], 0);
            let finite = |x: &LastLogits| (x.fact + x.counterfactual + x.mean).is_finite();
            if let Some(at) = found.iter().position(|logits| !finite(logits)) {
                return Err(Error::Usage(format!(
                    "--alpha {}: the logits of example {} are no finite numbers",
                    planned.edit.alpha,
                    first + at
                )));
            }
            outcomes.extend(found);
        }
        Ok(())
    }

    fn finish(
        &self,
        prompts: &Prompts,
        options: &ModifyOptions,
        lengths: &[usize],
        outcomes: &[Vec<LastLogits>],
    ) -> Result<AttentionModify> {
        let n = lengths.len();
        let groups = groups(n, options.groups.as_ref());
        let mut rows = Vec::new();
        let mut best = (0, 1.0);
        let mut examples = Vec::new();
        for (planned, logits) in self.edits.iter().zip(outcomes) {
            for group in &groups {
                rows.push(row(planned, group, logits, options.centred));
            }
            if options.keep_examples {
                let kept = logits.iter().enumerate();
                examples.extend(kept.map(|(at, x)| example(at, planned, x, options.centred)));
            }
            let facts = logits
                .iter()
                .filter(|x| x.outcome() == Outcome::Fact)
                .count();
            if facts > best.0 {
                best = (facts, planned.edit.alpha);
            }
        }
        let keys = self
            .edits
            .first()
            .map(|planned| planned.edit.keys.as_slice())
            .unwrap_or(&[]);
        let warnings = match options.key {
            Key::Attribute => prompts.warnings(n),
            _ => Vec::new(),
        };
        Ok(AttentionModify {
            parameters: ModifyParameters {
                options: options.clone(),
                replay: false,
                precision: T::PRECISION,
            },
            n,
            n_edited: options.heads.len() * keys.iter().map(Range::len).sum::<usize>(),
            rows,
            selected: options.select.then_some(best.1),
            warnings,
            examples,
        })
    }
}

fn row(planned: &Planned, group: &Group, logits: &[LastLogits], centred: bool) -> ModifyRow {
    let members: Vec<&LastLogits> = group.members.iter().map(|&i| &logits[i]).collect();
    let n = members.len();
    let won = |outcome| {
        let count = members.iter().filter(|x| x.outcome() == outcome).count();
        Share::of(count, n)
    };
    let column = |value: &dyn Fn(&LastLogits) -> f64| {
        Stat::of(&members.iter().map(|x| value(x)).collect::<Vec<f64>>())
    };
    let centre = |x: &LastLogits| if centred { x.mean } else { 0.0 };
    ModifyRow {
        edit: planned.name.clone(),
        alpha: planned.alpha,
        group: group.name.clone(),
        n,
        fact: won(Outcome::Fact),
        counterfactual: won(Outcome::Counterfactual),
        other: won(Outcome::Other),
        fact_above: share(members.iter().map(|x| x.fact > x.counterfactual)),
        logit_fact: column(&|x| x.fact - centre(x)),
        logit_counterfactual: column(&|x| x.counterfactual - centre(x)),
        delta: column(&|x| x.counterfactual - x.fact),
        reason: (n == 0).then_some(Reason::TooFewRows),
    }
}

fn example(
    example: usize,
    planned: &Planned,
    logits: &LastLogits,
    centred: bool,
) -> ExampleOutcome {
    let centre = if centred { logits.mean } else { 0.0 };
    ExampleOutcome {
        example,
        edit: planned.name.clone(),
        alpha: planned.alpha,
        outcome: logits.outcome(),
        logit_fact: logits.fact - centre,
        logit_counterfactual: logits.counterfactual - centre,
    }
}
