//! What is replaced by what, at the last token by itself, and what comes of it.

use std::collections::BTreeMap;

use super::shape::{
    AblateOptions, AblateParameters, Ablated, Ablation, AblationRow, ExampleAblation, Place,
    Replacement,
};
use crate::mechanisms::forward_memory::Changes;
use crate::mechanisms::model::{
    BlockPart, Change, Checkpoint, Config, LastLogits, LastPosition, Part, Real, Replaced,
    part_sums,
};
use crate::mechanisms::outcomes::Outcomes;
use crate::mechanisms::prompts::Prompts;
use crate::mechanisms::stat::{Stat, groups};
use crate::mechanisms::tail::{Tail, known_targets};
use crate::{Error, Result};

/// What is replaced at a time, and by what.
pub(super) struct Planned<T> {
    name: Ablated,
    pub(super) parts: BTreeMap<usize, Replaced<T>>,
}

impl<T> Planned<T> {
    /// What errors call it.
    pub(super) fn named(&self) -> String {
        format!("--components, {} replaced", self.name)
    }
}

/// Everything that does not change from group to group of examples.
pub(super) struct Run<'a, T> {
    pub(super) tail: Tail<'a, T>,
    config: &'a Config,
    pub(super) options: &'a AblateOptions,
    /// Sums over the tokens of each component; zeros until they are added.
    pub(super) sums: Vec<Vec<f64>>,
    /// Chunks of examples that a pass holds at once.
    pub(super) at_once: usize,
}

impl<'a, T: Real> Run<'a, T> {
    /// `room` says how many chunks there is room for.
    pub(super) fn new(
        checkpoint: &'a Checkpoint,
        prompts: &'a Prompts,
        [n, n_tokens]: [usize; 2],
        options: &'a AblateOptions,
        room: impl FnOnce(&Changes) -> Result<usize>,
    ) -> Result<Self> {
        let config = &checkpoint.config;
        let targets = known_targets(checkpoint, prompts, n)?;
        check(config, n_tokens, options)?;
        let layers = options.components.iter().map(|one| one.layer);
        let first_layer = layers.min().unwrap_or(0);
        let widths = options.components.iter().map(|one| match one.part {
            Part::Head(_) => config.head_width,
            Part::Attention | Part::Mlp => config.width,
        });
        let at_once = room(&Changes {
            first_layer,
            count: 1 + if options.together {
                1
            } else {
                options.components.len()
            },
            everywhere: options.at == Place::All,
        })?;
        Ok(Self {
            at_once,
            tail: Tail::new(checkpoint, targets, first_layer)?,
            config,
            options,
            sums: widths.map(|width| vec![0.0; width]).collect(),
        })
    }

    /// Adds what the components are in a group of examples.
    pub(super) fn add(&mut self, last: &[LastPosition<T>]) {
        let (tail, parts) = (&self.tail, &self.options.components);
        let found = part_sums(self.config, &tail.blocks, tail.first_layer, last, parts);
        for (sum, more) in self.sums.iter_mut().zip(&found) {
            for (sum, x) in sum.iter_mut().zip(more) {
                *sum += x;
            }
        }
    }

    /// Every replacement, none first.
    pub(super) fn changes(&self, n_tokens: usize) -> Vec<Planned<T>> {
        let one = |(part, sum): (&BlockPart, &Vec<f64>)| -> (usize, (Part, Vec<T>)) {
            let mean = sum.iter().map(|sum| T::of(sum / n_tokens.max(1) as f64));
            (part.layer, (part.part, mean.collect()))
        };
        let parts = self.options.components.iter();
        let all = parts.clone().zip(&self.sums).map(one);
        let mut changes = vec![Planned {
            name: Ablated::Nothing,
            parts: BTreeMap::new(),
        }];
        if self.options.together {
            let mut together: BTreeMap<usize, Replaced<T>> = BTreeMap::new();
            for (layer, part) in all {
                let held = together.entry(layer).or_insert(Replaced(Vec::new()));
                held.0.push(part);
            }
            changes.push(Planned {
                name: Ablated::Together,
                parts: together,
            });
        } else {
            changes.extend(parts.zip(all).map(|(&part, (layer, values))| Planned {
                name: Ablated::One(part),
                parts: BTreeMap::from([(layer, Replaced(vec![values]))]),
            }));
        }
        changes
    }

    pub(super) fn read(
        &self,
        last: &[LastPosition<T>],
        changes: &[Planned<T>],
        found: &mut [Vec<LastLogits>],
    ) -> Result<()> {
        for (planned, found) in changes.iter().zip(found) {
            let change = Change::Parts(&planned.parts);
            found.extend(self.tail.logits(last, change, || planned.named())?);
        }
        Ok(())
    }

    pub(super) fn finish(
        &self,
        n: usize,
        changes: &[Planned<T>],
        found: &[Vec<LastLogits>],
        replay: bool,
    ) -> Ablation {
        let options = self.options;
        let groups = groups(n, options.groups.as_ref());
        let before = found.first().map_or(&[][..], Vec::as_slice);
        let (mut rows, mut examples) = (Vec::new(), Vec::new());
        for (planned, logits) in changes.iter().zip(found) {
            let effect = |at: usize| logits[at].delta() - before[at].delta();
            for group in &groups {
                let effects: Vec<f64> = group.members.iter().map(|&at| effect(at)).collect();
                rows.push(AblationRow {
                    component: planned.name,
                    group: group.name.clone(),
                    effect: Stat::of(&effects),
                    outcomes: Outcomes::of(group, logits, options.centred),
                });
            }
            if options.keep_examples {
                let each = logits.iter().enumerate();
                examples.extend(each.map(|(example, one)| ExampleAblation {
                    example,
                    component: planned.name,
                    outcome: one.outcome(),
                    logits: one.pair(options.centred),
                    effect: effect(example),
                }));
            }
        }
        Ablation {
            parameters: AblateParameters {
                options: options.clone(),
                replay,
                precision: T::PRECISION,
            },
            n,
            rows,
            warnings: Vec::new(),
            examples,
        }
    }
}

/// Whether these components of this model can be replaced.
fn check(config: &Config, n_tokens: usize, options: &AblateOptions) -> Result<()> {
    let parts = &options.components;
    let missing = |one: &&BlockPart| {
        let head = match one.part {
            Part::Head(head) => head,
            Part::Attention | Part::Mlp => 0,
        };
        one.layer >= config.n_layers || head >= config.n_heads
    };
    let usage = |text: String| Err(Error::Usage(text));
    if parts.is_empty() {
        return usage(
            "--components names none; for example --components 10.7,blocks.11.mlp_out".into(),
        );
    }
    if let Some(one) = parts.iter().find(missing) {
        return usage(format!(
            "--components {one}: the model has {} blocks of {} heads, counted from 0",
            config.n_layers, config.n_heads
        ));
    }
    let of_attention = |whole: &BlockPart, one: &BlockPart| {
        whole.part == Part::Attention
            && whole.layer == one.layer
            && matches!(one.part, Part::Head(_))
    };
    if options.together
        && let Some((whole, one)) = parts
            .iter()
            .flat_map(|whole| parts.iter().map(move |one| (whole, one)))
            .find(|(whole, one)| of_attention(whole, one))
    {
        return usage(format!(
            "--together: {whole} holds {one}; leave one of them out of --components"
        ));
    }
    if options.with == Replacement::Mean && n_tokens < 2 {
        return usage(format!(
            "--with mean over {n_tokens} token changes nothing; give more examples, or --with zero"
        ));
    }
    Ok(())
}
