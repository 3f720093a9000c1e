//! What a few attention weights of the last token do to the outcome.

use std::ops::Range;

use serde::{Serialize, Serializer};

use super::dump::StreamDump;
use super::last_positions::last_positions;
use super::model::{
    Block, Checkpoint, Config, Edit, EditMode, Head, Keys, LastLogits, LastPosition, Outcome, Pass,
    PatternRows, Precision, Real, ValueBias, Vocabulary, replay,
};
use super::prompts::{Prompts, Targets};
use super::share::Share;
use super::stat::{Group, Stat, groups, share};
use crate::geometry::Reason;
use crate::input::Labels;
use crate::progress::Progress;
use crate::warning::Warning;
use crate::{Error, Result};

/// The attended positions that are edited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Key {
    /// The attribute (`attr_pos`).
    #[default]
    Attribute,
    /// The subject of the premise (slots 1 to 3).
    Subject,
    /// The whole row.
    All,
    /// One position, the same in every example.
    Index(usize),
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Attribute => f.write_str("attr"),
            Self::Subject => f.write_str("subject"),
            Self::All => f.write_str("all"),
            Self::Index(at) => write!(f, "{at}"),
        }
    }
}

impl Serialize for Key {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What is asked for.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ModifyOptions {
    /// The heads that are edited, all at once.
    pub heads: Vec<Head>,
    /// The edited positions: `attr`, `subject`, `all` or an index.
    #[cfg_attr(test, schemars(with = "String"))]
    pub key: Key,
    /// The factors; 1, the baseline, is always among them.
    #[serde(skip)]
    pub alphas: Vec<f64>,
    /// Where the factor goes.
    pub mode: EditMode,
    /// What of the values it scales.
    pub value_bias: ValueBias,
    /// Logits minus their mean over the vocabulary.
    pub centred: bool,
    /// A class for each example.
    #[serde(rename = "group_by")]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub groups: Option<Labels>,
    /// Names the factor with the most factual outcomes.
    #[serde(skip)]
    pub select: bool,
}

/// Outcomes by factor.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AttentionModify {
    /// What was asked for, defaults included.
    pub parameters: ModifyParameters,
    /// Number of examples.
    pub n: usize,
    /// Attention weights that are edited, over all examples and heads.
    pub n_edited: usize,
    /// Rows by factor and group.
    pub rows: Vec<ModifyRow>,
    /// The factor with the most factual outcomes, the smaller on ties; `None` unless asked for.
    pub selected: Option<f64>,
    /// Warnings about the run.
    pub warnings: Vec<Warning>,
}

/// What was asked for.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ModifyParameters {
    /// The options.
    #[serde(flatten)]
    pub options: ModifyOptions,
    /// Whether keys and values came from a dump.
    pub replay: bool,
    /// The precision of the pass.
    pub precision: Precision,
}

/// One factor, over all examples or one group.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ModifyRow {
    /// The factor.
    pub alpha: f64,
    /// The group; `None` for all examples.
    pub group: Option<String>,
    /// Number of examples.
    pub n: usize,
    /// The factual token has the largest logit.
    pub fact: Share,
    /// The counterfactual token has it.
    pub counterfactual: Share,
    /// Another token has it.
    pub other: Share,
    /// Share of examples in which the factual token is above the counterfactual one.
    pub fact_above: Option<f64>,
    /// Logit of the factual token.
    pub logit_fact: Stat,
    /// Logit of the counterfactual token.
    pub logit_counterfactual: Stat,
    /// Counterfactual − factual.
    pub delta: Stat,
    /// Why there are no numbers.
    pub reason: Option<Reason>,
}

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
    edits: Vec<Edit>,
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
        let edits = alphas(options, &keys, lengths)?
            .into_iter()
            .map(|alpha| Edit {
                heads: options.heads.clone(),
                keys: keys.clone(),
                alpha,
                mode: options.mode,
                value_bias: options.value_bias,
            })
            .collect();
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
        for (edit, outcomes) in self.edits.iter().zip(outcomes) {
            let resid = replay(config, &self.blocks, self.first_layer, last, edit);
            let n = resid.len() / config.width;
            let normed = norm.apply(&resid, config.eps);
            let found = self
                .vocabulary
                .fold(&normed, &self.targets[first..first + n], 0);
            let finite = |x: &LastLogits| (x.fact + x.counterfactual + x.mean).is_finite();
            if let Some(at) = found.iter().position(|logits| !finite(logits)) {
                return Err(Error::Usage(format!(
                    "--alpha {}: the logits of example {} are no finite numbers",
                    edit.alpha,
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
        for (edit, logits) in self.edits.iter().zip(outcomes) {
            for group in &groups {
                rows.push(row(edit.alpha, group, logits, options.centred));
            }
            let facts = logits
                .iter()
                .filter(|x| x.outcome() == Outcome::Fact)
                .count();
            if facts > best.0 {
                best = (facts, edit.alpha);
            }
        }
        let keys = self
            .edits
            .first()
            .map(|edit| edit.keys.as_slice())
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
        })
    }
}

fn row(alpha: f64, group: &Group, logits: &[LastLogits], centred: bool) -> ModifyRow {
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
        alpha,
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

fn first_layer(config: &Config, heads: &[Head]) -> Result<usize> {
    for head in heads {
        if head.layer >= config.n_layers || head.head >= config.n_heads {
            return Err(Error::Usage(format!(
                "--heads {head}: the model has {} blocks of {} heads, counted from 0",
                config.n_layers, config.n_heads
            )));
        }
    }
    heads
        .iter()
        .map(|head| head.layer)
        .min()
        .ok_or_else(|| Error::Usage("--heads names no head; for example --heads 10.7,11.10".into()))
}

/// The edited positions of every example.
fn keys(prompts: &Prompts, lengths: &[usize], key: Key) -> Result<Keys> {
    let missing = |what: &str, way: &str| {
        Error::Usage(format!(
            "--key {key} needs {what} in the tokens file or dump; {way}"
        ))
    };
    match key {
        Key::All => Ok(lengths.iter().map(|&length| 0..length).collect()),
        Key::Index(at) => match lengths.iter().find(|&&length| at >= length) {
            None => Ok(lengths.iter().map(|_| at..at + 1).collect()),
            Some(length) => Err(Error::Usage(format!(
                "--key {at}: an example has {length} tokens, counted from 0"
            ))),
        },
        Key::Attribute => match (&prompts.attribute, &prompts.slots) {
            (Some(places), _) => Ok(places.iter().map(|&at| at..at + 1).collect()),
            (None, Some(slots)) => Ok(slots.iter().map(|slots| slots[6].clone()).collect()),
            (None, None) => Err(missing("`attr_pos` [N]", "or give a position, as --key 3")),
        },
        Key::Subject => match &prompts.slots {
            Some(slots) => Ok(slots
                .iter()
                .map(|slots| {
                    let parts = slots[1..4].iter().filter(|part| !part.is_empty());
                    let start = parts.clone().map(|part| part.start).min().unwrap_or(0);
                    start..parts.map(|part| part.end).max().unwrap_or(0)
                })
                .collect()),
            None => Err(missing("`slots` [N, 14, 2]", "or use --key attr")),
        },
    }
}

/// The factors, ascending, each once, the baseline among them.
fn alphas(options: &ModifyOptions, keys: &Keys, lengths: &[usize]) -> Result<Vec<f64>> {
    if let Some(alpha) = options.alphas.iter().find(|x| !x.is_finite() || **x < 0.0) {
        return Err(Error::Usage(format!(
            "--alpha {alpha}: factors are finite and not negative"
        )));
    }
    let mut alphas = options.alphas.clone();
    alphas.push(1.0);
    alphas.sort_by(f64::total_cmp);
    // −0 and 0 are one factor.
    alphas.iter_mut().for_each(|alpha| *alpha += 0.0);
    alphas.dedup();
    let whole = keys
        .iter()
        .zip(lengths)
        .any(|(key, &length)| key.len() == length);
    if options.mode == EditMode::Renorm && alphas[0] <= 0.0 && whole {
        return Err(Error::Usage(
            "--alpha 0 --mode renorm on a whole row leaves no attention; use --mode post".into(),
        ));
    }
    Ok(alphas)
}
