//! A checkpoint run over prompts, its streams written as the dump that every other command reads.

use std::collections::BTreeMap;

use super::model::{
    BlockStreams, Checkpoint, Chunk, Config, Family, Pass, PatternRows, Real, Sequences,
};
use super::prompts::Prompts;
use crate::progress::Progress;
use crate::warning::{Warning, WarningCode};
use crate::{Error, Result};

/// What can be written, by the names after `--dump`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamName {
    /// `hook_embed`.
    Embed,
    /// `hook_pos_embed`; not with rotary positions.
    PosEmbed,
    /// `blocks.L.hook_resid_pre`.
    ResidPre,
    /// `blocks.L.hook_resid_mid`; not with a parallel residual.
    ResidMid,
    /// `blocks.L.hook_resid_post`.
    ResidPost,
    /// `blocks.L.hook_attn_out`.
    AttnOut,
    /// `blocks.L.hook_mlp_out`.
    MlpOut,
    /// `blocks.L.attn.hook_z`.
    Z,
    /// `blocks.L.attn.hook_pattern`.
    Pattern,
    /// `blocks.L.attn.hook_k`, or `hook_rot_k` where positions are rotary.
    K,
    /// `blocks.L.attn.hook_v`.
    V,
    /// `ln_final.hook_scale`.
    Scale,
    /// `logits_last`.
    Logits,
}

/// What is asked for.
#[derive(Debug, Clone)]
pub struct ForwardOptions {
    /// The streams.
    pub streams: Vec<StreamName>,
    /// Every position instead of the last.
    pub all_positions: bool,
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

/// Takes bytes of a tensor from byte `offset` on.
pub type Write<'a> = dyn FnMut(&str, u64, &[u8]) -> Result<()> + 'a;

/// The tensors of a dump, in natural order of blocks; streams of every position are `[N, T, …]`,
/// of the last alone `[N, …]`. Keys and values are always whole.
pub fn plan<T: Real>(
    checkpoint: &Checkpoint,
    prompts: &Prompts,
    options: &ForwardOptions,
) -> Result<Vec<Planned>> {
    let sequences = need_tokens(prompts)?;
    let config = &checkpoint.config;
    sequences.check(config)?;
    let (n, t) = (sequences.len(), sequences.longest());
    let (d, h, e) = (config.width, config.n_heads, config.head_width);
    let wants = |name| options.streams.contains(&name);
    let rows = |tail: &[usize]| match options.all_positions {
        true => [&[n, t], tail].concat(),
        false => [&[n], tail].concat(),
    };
    let mut plan = Vec::new();
    let mut add = |wanted: bool, name: String, shape: Vec<usize>| {
        if wanted {
            plan.push(Planned {
                name,
                shape,
                dtype: T::NAME,
            });
        }
    };
    add(wants(StreamName::Embed), "hook_embed".into(), rows(&[d]));
    let learned = config.rotary.is_none();
    add(
        wants(StreamName::PosEmbed) && learned,
        "hook_pos_embed".into(),
        rows(&[d]),
    );
    for layer in 0..config.n_layers {
        for (stream, hook) in ROWS {
            let there = stream != StreamName::ResidMid || !config.parallel;
            add(
                wants(stream) && there,
                format!("blocks.{layer}.{hook}"),
                rows(&[d]),
            );
        }
        add(
            wants(StreamName::Z),
            format!("blocks.{layer}.attn.hook_z"),
            rows(&[h, e]),
        );
        let pattern = match options.all_positions {
            true => vec![n, h, t, t],
            false => vec![n, h, t],
        };
        add(
            wants(StreamName::Pattern),
            format!("blocks.{layer}.attn.hook_pattern"),
            pattern,
        );
        add(
            wants(StreamName::K),
            key_name(config, layer),
            vec![n, t, h, e],
        );
        add(
            wants(StreamName::V),
            format!("blocks.{layer}.attn.hook_v"),
            vec![n, t, h, e],
        );
    }
    add(
        wants(StreamName::Scale),
        "ln_final.hook_scale".into(),
        rows(&[1]),
    );
    add(
        wants(StreamName::Logits),
        "logits_last".into(),
        vec![n, config.n_vocab],
    );
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
const ROWS: [(StreamName, &str); 5] = [
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

/// Runs the model and hands over every planned tensor, group of examples after group.
///
/// # Errors
/// As [`Pass::run`], and what `write` gives.
pub fn forward<T: Real>(
    checkpoint: &Checkpoint,
    prompts: &Prompts,
    options: &ForwardOptions,
    write: &mut Write<'_>,
    progress: &dyn Progress,
) -> Result<()> {
    let sequences = need_tokens(prompts)?;
    let config = &checkpoint.config;
    let mut sink = Sink::<T> {
        config,
        options,
        longest: sequences.longest(),
        write,
        kind: std::marker::PhantomData,
    };
    sink.prompts(prompts, sequences)?;
    let wants = |name| options.streams.contains(&name);
    let pass = Pass {
        checkpoint,
        patterns: match (wants(StreamName::Pattern), options.all_positions) {
            (false, _) => PatternRows::None,
            (true, false) => PatternRows::Last,
            (true, true) => PatternRows::All,
        },
        edit: None,
    };
    let end = if wants(StreamName::Logits) {
        let unembedding = T::of_matrix(&checkpoint.unembedding()?);
        Some((checkpoint.final_norm::<T>()?, unembedding))
    } else {
        None
    };
    progress.begin("forward", sequences.len() as u64 * config.n_layers as u64);
    pass.run::<T>(sequences, config.n_layers, |layer, chunks| {
        let Some(layer) = layer else {
            return sink.embeddings(checkpoint, sequences, chunks);
        };
        for chunk in chunks.iter() {
            sink.block(layer, chunk)?;
            progress.advance(chunk.lengths.len() as u64);
        }
        if layer + 1 < config.n_layers {
            return Ok(());
        }
        for chunk in chunks.iter() {
            sink.scale(chunk)?;
            if let Some((norm, unembedding)) = &end {
                let last = chunk.last_rows(&chunk.resid, config.width);
                let normed = norm.apply(&last, config.eps);
                sink.logits(chunk, &normed, unembedding)?;
            }
        }
        Ok(())
    })?;
    progress.end();
    Ok(())
}

fn need_tokens(prompts: &Prompts) -> Result<&Sequences> {
    prompts.sequences.as_ref().ok_or_else(|| {
        Error::Usage("there are no tokens; give --tokens FILE with an [N, T] array of ids".into())
    })
}

fn key_name(config: &Config, layer: usize) -> String {
    match config.family {
        Family::Gpt2 => format!("blocks.{layer}.attn.hook_k"),
        Family::GptNeox => format!("blocks.{layer}.attn.hook_rot_k"),
    }
}

/// Where streams go.
struct Sink<'a, 'b, T> {
    config: &'a Config,
    options: &'a ForwardOptions,
    longest: usize,
    write: &'a mut Write<'b>,
    kind: std::marker::PhantomData<T>,
}

impl<T: Real> Sink<'_, '_, T> {
    fn wants(&self, name: StreamName) -> bool {
        self.options.streams.contains(&name)
    }

    /// Writes `values` from element `first` of a tensor on.
    fn put(&mut self, name: &str, first: usize, values: &[T]) -> Result<()> {
        (self.write)(name, (first * size_of::<T>()) as u64, &T::to_bytes(values))
    }

    /// Writes rows of `width` values, one a token; padding stays zero.
    fn rows(
        &mut self,
        name: &str,
        chunk: &Chunk<T>,
        values: &[T],
        width: usize,
        all: bool,
    ) -> Result<()> {
        if !all {
            return self.put(name, chunk.first * width, &chunk.last_rows(values, width));
        }
        for (i, span) in chunk.starts().windows(2).enumerate() {
            let first = (chunk.first + i) * self.longest * width;
            self.put(name, first, &values[span[0] * width..span[1] * width])?;
        }
        Ok(())
    }

    fn block(&mut self, layer: usize, chunk: &Chunk<T>) -> Result<()> {
        let (d, all) = (self.config.width, self.options.all_positions);
        let streams: &BlockStreams<T> = &chunk.streams;
        for (stream, hook) in ROWS {
            let values = match stream {
                StreamName::ResidPre => &streams.resid_pre,
                StreamName::ResidMid => &streams.resid_mid,
                StreamName::AttnOut => &streams.attn_out,
                StreamName::MlpOut => &streams.mlp_out,
                _ => &chunk.resid,
            };
            if self.wants(stream) && !values.is_empty() {
                self.rows(&format!("blocks.{layer}.{hook}"), chunk, values, d, all)?;
            }
        }
        if self.wants(StreamName::Z) {
            self.rows(
                &format!("blocks.{layer}.attn.hook_z"),
                chunk,
                &streams.z,
                d,
                all,
            )?;
        }
        if self.wants(StreamName::Pattern) {
            self.pattern(layer, chunk)?;
        }
        if self.wants(StreamName::K) || self.wants(StreamName::V) {
            let [keys, values] = super::model::keys_and_values(streams, self.config);
            if self.wants(StreamName::K) {
                self.rows(&key_name(self.config, layer), chunk, &keys, d, true)?;
            }
            if self.wants(StreamName::V) {
                let name = format!("blocks.{layer}.attn.hook_v");
                self.rows(&name, chunk, &values, d, true)?;
            }
        }
        Ok(())
    }

    fn pattern(&mut self, layer: usize, chunk: &Chunk<T>) -> Result<()> {
        let name = format!("blocks.{layer}.attn.hook_pattern");
        let (h, t) = (self.config.n_heads, self.longest);
        let mut rest = chunk.streams.pattern.as_slice();
        for (i, &length) in chunk.lengths.iter().enumerate() {
            let queries = if self.options.all_positions {
                length
            } else {
                1
            };
            let stored = if self.options.all_positions { t } else { 1 };
            for head in 0..h {
                for query in 0..queries {
                    let (row, others) = rest.split_at(length);
                    rest = others;
                    let first = (((chunk.first + i) * h + head) * stored + query) * t;
                    self.put(&name, first, row)?;
                }
            }
        }
        Ok(())
    }

    fn embeddings(
        &mut self,
        checkpoint: &Checkpoint,
        sequences: &Sequences,
        chunks: &[Chunk<T>],
    ) -> Result<()> {
        let (d, all) = (self.config.width, self.options.all_positions);
        let table = self
            .wants(StreamName::Embed)
            .then(|| checkpoint.embedding())
            .transpose()?;
        let places = match self.wants(StreamName::PosEmbed) {
            true => checkpoint.positions()?,
            false => None,
        };
        let mut row = vec![0.0; d];
        for chunk in chunks {
            for (name, matrix, by_position) in [
                ("hook_embed", &table, false),
                ("hook_pos_embed", &places, true),
            ] {
                let Some(matrix) = matrix else { continue };
                let mut values = Vec::new();
                for (i, _) in chunk.lengths.iter().enumerate() {
                    let tokens = sequences.tokens(chunk.first + i);
                    for (position, &id) in tokens.iter().enumerate() {
                        let at = if by_position { position } else { id as usize };
                        matrix.widen_row(at, &mut row);
                        values.extend(row.iter().map(|&x| T::of(x)));
                    }
                }
                self.rows(name, chunk, &values, d, all)?;
            }
        }
        Ok(())
    }

    fn scale(&mut self, chunk: &Chunk<T>) -> Result<()> {
        if !self.wants(StreamName::Scale) {
            return Ok(());
        }
        let rows = chunk.resid.chunks_exact(self.config.width);
        let scales: Vec<T> = rows
            .map(|row| {
                let (_, variance) = super::model::moments(row);
                T::of((variance + self.config.eps).sqrt())
            })
            .collect();
        self.rows(
            "ln_final.hook_scale",
            chunk,
            &scales,
            1,
            self.options.all_positions,
        )
    }

    fn logits(&mut self, chunk: &Chunk<T>, normed: &[T], unembedding: &[T]) -> Result<()> {
        let (d, v) = (self.config.width, self.config.n_vocab);
        let rows = chunk.lengths.len();
        let mut logits = vec![T::of(0.0); rows * v];
        super::model::multiply(
            super::model::view_mut(&mut logits, rows, v, v),
            faer::Accum::Replace,
            super::model::view(normed, rows, d, d),
            super::model::view(unembedding, v, d, d).transpose(),
            T::of(1.0),
        );
        self.put("logits_last", chunk.first * v, &logits)
    }

    fn prompts(&mut self, prompts: &Prompts, sequences: &Sequences) -> Result<()> {
        let n = sequences.len();
        let mut put = |name: &str, values: Vec<usize>| {
            let bytes: Vec<u8> = values
                .into_iter()
                .flat_map(|x| i32::try_from(x).unwrap_or(i32::MAX).to_le_bytes())
                .collect();
            (self.write)(name, 0, &bytes)
        };
        let padded = |example: usize| {
            let tokens = sequences.tokens(example).iter().map(|&id| id as usize);
            tokens.chain(std::iter::repeat(0)).take(self.longest)
        };
        put("tokens", (0..n).flat_map(padded).collect())?;
        put(
            "lengths",
            (0..n).map(|i| sequences.tokens(i).len()).collect(),
        )?;
        if let Some(targets) = &prompts.targets {
            put(
                "targets",
                targets.iter().flatten().map(|&id| id as usize).collect(),
            )?;
        }
        if let Some(attribute) = &prompts.attribute {
            put("attr_pos", attribute.clone())?;
        }
        if let Some(slots) = &prompts.slots {
            let ends = slots
                .iter()
                .flatten()
                .flat_map(|slot| [slot.start, slot.end]);
            put("slots", ends.collect())?;
        }
        Ok(())
    }
}
