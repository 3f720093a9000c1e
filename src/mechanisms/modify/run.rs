//! Follows a few edited attention weights of the last token to the outcome.

use std::ops::Range;

use super::plan::{Planned, edits, first_layer, keys};
use super::shape::{
    AttentionModify, ExampleOutcome, Key, ModifyOptions, ModifyParameters, ModifyRow,
};
use crate::mechanisms::dump::StreamDump;
use crate::mechanisms::forward_memory::Changes;
use crate::mechanisms::last_positions::last_positions;
use crate::mechanisms::model::{Change, Checkpoint, LastLogits, LastPosition, Outcome, Real};
use crate::mechanisms::outcomes::Outcomes;
use crate::mechanisms::prompts::Prompts;
use crate::mechanisms::stat::{Group, groups};
use crate::mechanisms::tail::{Tail, by_groups, known_targets};
use crate::progress::Progress;
use crate::{Error, Result};

/// Edits the attention of the last token and counts outcomes, by a full pass up to the first edited
/// block and the last position from there on.
///
/// # Errors
/// Heads, keys, tokens or targets that are not there; factors that are negative or leave no
/// attention; [`Error::Memory`], before the work; whatever reading the checkpoint can give.
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
    let limit = options.max_memory;
    let run = Run::<T>::new(checkpoint, prompts, &lengths, options, |changes| {
        changes.chunks(config, sequences, size_of::<T>(), limit)
    })?;
    let mut outcomes: Vec<Vec<LastLogits>> = vec![Vec::new(); run.edits.len()];
    progress.begin("attention modify", (n * (config.n_layers + 1)) as u64);
    by_groups::<T>(
        checkpoint,
        sequences,
        [run.tail.first_layer, run.at_once],
        progress,
        |last| run.read(last, &mut outcomes),
    )?;
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
    let limit = options.max_memory;
    let run = Run::<T>::new(
        checkpoint,
        &dump.prompts,
        &dump.lengths,
        options,
        |changes| {
            changes.check_replay(config, &dump.lengths, size_of::<T>(), limit)?;
            Ok(1)
        },
    )?;
    let last = last_positions(dump, config, run.tail.first_layer)?;
    let mut outcomes = vec![Vec::new(); run.edits.len()];
    progress.begin("attention modify", 1);
    run.read(&last, &mut outcomes)?;
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
    tail: Tail<'a, T>,
    edits: Vec<Planned>,
    /// Chunks of examples that a pass holds at once.
    at_once: usize,
}

impl<'a, T: Real> Run<'a, T> {
    fn new(
        checkpoint: &'a Checkpoint,
        prompts: &'a Prompts,
        lengths: &[usize],
        options: &ModifyOptions,
        room: impl FnOnce(&Changes) -> Result<usize>,
    ) -> Result<Self> {
        let targets = known_targets(checkpoint, prompts, lengths.len())?;
        let first_layer = first_layer(&checkpoint.config, &options.heads)?;
        let keys = keys(prompts, lengths, options.key)?;
        let edits = edits(options, &keys, lengths)?;
        let at_once = room(&Changes {
            first_layer,
            count: edits.len(),
            everywhere: false,
        })?;
        let tail = Tail::new(checkpoint, targets, first_layer)?;
        Ok(Self {
            tail,
            edits,
            at_once,
        })
    }

    fn read(&self, last: &[LastPosition<T>], outcomes: &mut [Vec<LastLogits>]) -> Result<()> {
        for (planned, outcomes) in self.edits.iter().zip(outcomes) {
            let edit = &planned.edit;
            let named = || format!("--alpha {}", edit.alpha);
            outcomes.extend(self.tail.logits(last, Change::Attention(edit), named)?);
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
    ModifyRow {
        edit: planned.name.clone(),
        alpha: planned.alpha,
        group: group.name.clone(),
        outcomes: Outcomes::of(group, logits, centred),
    }
}

fn example(
    example: usize,
    planned: &Planned,
    logits: &LastLogits,
    centred: bool,
) -> ExampleOutcome {
    let [fact, counterfactual] = logits.pair(centred);
    ExampleOutcome {
        example,
        edit: planned.name.clone(),
        alpha: planned.alpha,
        outcome: logits.outcome(),
        logit_fact: fact,
        logit_counterfactual: counterfactual,
    }
}
