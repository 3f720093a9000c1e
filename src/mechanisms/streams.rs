//! The streams of a model: their names, their shapes, and what a dump says about them.

use std::collections::BTreeMap;

use serde::Serialize;

use super::model::{Checkpoint, Config, Family, Real, Sequences};
use super::prompts::Prompts;
use crate::choice::choice;
use crate::warning::{Warning, WarningCode};
use crate::{Error, Result};

choice! {
    /// What can be written, by the names after `--dump`.
    pub enum StreamName {
        /// `hook_embed`.
        Embed = "embed",
        /// `hook_pos_embed`; not with rotary positions.
        PosEmbed = "pos_embed",
        /// `blocks.L.hook_resid_pre`.
        ResidPre = "resid_pre",
        /// `blocks.L.hook_resid_mid`; not with a parallel residual.
        ResidMid = "resid_mid",
        /// `blocks.L.hook_resid_post`.
        ResidPost = "resid_post",
        /// `blocks.L.hook_attn_out`.
        AttnOut = "attn_out",
        /// `blocks.L.hook_mlp_out`.
        MlpOut = "mlp_out",
        /// `blocks.L.attn.hook_z`.
        Z = "z",
        /// `blocks.L.attn.hook_pattern`.
        Pattern = "pattern",
        /// `blocks.L.attn.hook_k`, or `hook_rot_k` where positions are rotary.
        K = "k",
        /// `blocks.L.attn.hook_v`.
        V = "v",
        /// `ln_final.hook_scale`.
        Scale = "scale",
        /// `logits_last`.
        Logits = "logits",
    }
}

choice! {
    /// Positions of a dump.
    pub enum DumpPositions {
        /// The last token of each example.
        Last = "last",
        /// Every position.
        All = "all",
    }
}

/// What is asked for.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ForwardOptions {
    /// The streams.
    pub streams: Vec<StreamName>,
    /// Which positions.
    pub positions: DumpPositions,
    /// Bytes that the pass may hold beside the mapped checkpoint; no limit if `None`. Changes no
    /// number.
    #[serde(skip)]
    pub max_memory: Option<u64>,
}

impl ForwardOptions {
    /// Whether every position is written.
    pub(crate) fn all_positions(&self) -> bool {
        self.positions == DumpPositions::All
    }
}

/// A tensor that will be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// Its name.
    pub name: String,
    /// Its axes.
    pub shape: Vec<usize>,
    /// Its type as safetensors calls it.
    pub dtype: &'static str,
}

/// The tensors of a dump, in natural order of blocks; streams of every position are `[N, T, …]`,
/// of the last alone `[N, …]`. Keys and values are always whole.
pub fn plan<T: Real>(
    checkpoint: &Checkpoint,
    prompts: &Prompts,
    options: &ForwardOptions,
) -> Result<Vec<Planned>> {
    let sequences = need_tokens(prompts)?;
    let config = &checkpoint.config;
    checkpoint.check_blocks()?;
    sequences.check(config)?;
    let (n, t) = (sequences.len(), sequences.longest());
    let streams = streams(config, n, t, options.all_positions()).into_iter();
    let mut plan: Vec<Planned> = streams
        .filter(|(stream, ..)| options.streams.contains(stream))
        .map(|(_, name, shape)| Planned {
            name,
            shape,
            dtype: T::NAME,
        })
        .collect();
    if plan.is_empty() {
        return Err(Error::Usage(
            "--dump: this model has none of these streams".into(),
        ));
    }
    let mut add = |name: &str, shape: Vec<usize>| {
        plan.push(Planned {
            name: name.into(),
            shape,
            dtype: "I32",
        });
    };
    add("tokens", vec![n, t]);
    add("lengths", vec![n]);
    if prompts.targets.is_some() {
        add("targets", vec![n, 2]);
    }
    if prompts.attribute.is_some() {
        add("attr_pos", vec![n]);
    }
    if prompts.slots.is_some() {
        add("slots", vec![n, 14, 2]);
    }
    Ok(plan)
}

/// Name and shape of everything that `n` examples of up to `t` tokens give.
fn streams(
    config: &Config,
    n: usize,
    t: usize,
    all_positions: bool,
) -> Vec<(StreamName, String, Vec<usize>)> {
    let (d, h, e) = (config.width, config.n_heads, config.head_width);
    let rows = |tail: &[usize]| match all_positions {
        true => [&[n, t], tail].concat(),
        false => [&[n], tail].concat(),
    };
    let pattern = match all_positions {
        true => vec![n, h, t, t],
        false => vec![n, h, t],
    };
    let whole = vec![n, t, h, e];
    let mut streams = Vec::new();
    let mut add = |stream, name: String, shape| streams.push((stream, name, shape));
    add(StreamName::Embed, "hook_embed".into(), rows(&[d]));
    if config.rotary.is_none() {
        add(StreamName::PosEmbed, "hook_pos_embed".into(), rows(&[d]));
    }
    for layer in 0..config.n_layers {
        let name = |hook: &str| format!("blocks.{layer}.{hook}");
        for (stream, hook) in ROWS {
            if stream != StreamName::ResidMid || !config.parallel {
                add(stream, name(hook), rows(&[d]));
            }
        }
        add(StreamName::Z, name("attn.hook_z"), rows(&[h, e]));
        let pattern = pattern.clone();
        add(StreamName::Pattern, name("attn.hook_pattern"), pattern);
        add(StreamName::K, key_name(config, layer), whole.clone());
        add(StreamName::V, name("attn.hook_v"), whole.clone());
    }
    add(StreamName::Scale, "ln_final.hook_scale".into(), rows(&[1]));
    let logits = vec![n, config.n_vocab];
    add(StreamName::Logits, "logits_last".into(), logits);
    streams
}

/// Streams that were asked for and that this model does not have.
pub fn absent(config: &Config, options: &ForwardOptions) -> Vec<Warning> {
    let missing = [
        (
            StreamName::ResidMid,
            config.parallel,
            "resid-mid: a parallel residual has none",
        ),
        (
            StreamName::PosEmbed,
            config.rotary.is_some(),
            "pos-embed: rotary positions have none",
        ),
    ];
    missing
        .into_iter()
        .filter(|(name, absent, _)| *absent && options.streams.contains(name))
        .map(|(_, _, words)| Warning::new(WarningCode::SkippedArrays, 1, words))
        .collect()
}

/// Streams that are rows of the width of the model.
pub(super) const ROWS: [(StreamName, &str); 5] = [
    (StreamName::ResidPre, "hook_resid_pre"),
    (StreamName::ResidMid, "hook_resid_mid"),
    (StreamName::ResidPost, "hook_resid_post"),
    (StreamName::AttnOut, "hook_attn_out"),
    (StreamName::MlpOut, "hook_mlp_out"),
];

/// What the header of the dump says: nothing is folded or centred.
pub fn metadata(config: &Config) -> BTreeMap<String, String> {
    let no = [
        "fold_ln",
        "center_unembed",
        "center_writing_weights",
        "fold_value_biases",
    ];
    let mut said: BTreeMap<String, String> = no
        .iter()
        .map(|key| ((*key).into(), "false".into()))
        .collect();
    said.insert("model_type".into(), config.family.as_str().into());
    said.insert("eps".into(), config.eps.to_string());
    said.insert("parallel_residual".into(), config.parallel.to_string());
    said.insert("repgeo".into(), env!("CARGO_PKG_VERSION").into());
    said
}

/// The tokens to run.
///
/// # Errors
/// [`Error::Usage`] without any.
pub(super) fn need_tokens(prompts: &Prompts) -> Result<&Sequences> {
    prompts.sequences.as_ref().ok_or_else(|| {
        Error::Usage("there are no tokens; give --tokens FILE with an [N, T] array of ids".into())
    })
}

/// The hook of the keys of a block, turned where positions turn them.
pub(super) fn key_name(config: &Config, layer: usize) -> String {
    match config.family {
        Family::Gpt2 => format!("blocks.{layer}.attn.hook_k"),
        Family::GptNeox => format!("blocks.{layer}.attn.hook_rot_k"),
    }
}
