//! A checkpoint run over prompts, its streams written as the dump that every other command reads.

use super::forward_memory::Held;
use super::model::{
    BlockStreams, Checkpoint, Chunk, Config, Pass, PatternRows, Real, Sequences, chunks_at_once,
    view, view_mut,
};
use super::prompts::Prompts;
use super::streams::{ForwardOptions, ROWS, StreamName, key_name, need_tokens};
use crate::Result;
use crate::algebra::{Accumulate, multiply};
use crate::progress::Progress;

/// Takes bytes of a tensor from byte `offset` on.
pub type Write<'a> = dyn FnMut(&str, u64, &[u8]) -> Result<()> + 'a;

/// Runs the model and hands over every planned tensor, group of examples after group.
///
/// # Errors
/// As [`Pass::run`], `Error::Memory` where one chunk does not fit, and what `write` gives.
pub fn forward<T: Real>(
    checkpoint: &Checkpoint,
    prompts: &Prompts,
    options: &ForwardOptions,
    write: &mut Write<'_>,
    progress: &dyn Progress,
) -> Result<()> {
    let sequences = need_tokens(prompts)?;
    let config = &checkpoint.config;
    let wants = |name| options.streams.contains(&name);
    let patterns = match (wants(StreamName::Pattern), options.all_positions()) {
        (false, _) => PatternRows::None,
        (true, false) => PatternRows::Last,
        (true, true) => PatternRows::All,
    };
    let logits = wants(StreamName::Logits);
    let held = Held::new(config, sequences, size_of::<T>(), patterns, logits);
    let (most, threads) = (chunks_at_once(config.width), rayon::current_num_threads());
    let at_once = held.chunks(most, threads, options.max_memory)?;
    let pass = Pass {
        checkpoint,
        patterns,
        edit: None,
        at_once,
    };
    let mut sink = Sink::<T> {
        config,
        options,
        longest: sequences.longest(),
        write,
        kind: std::marker::PhantomData,
    };
    sink.prompts(prompts, sequences)?;
    let end = if logits {
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
        let (d, all) = (self.config.width, self.options.all_positions());
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
            let queries = if self.options.all_positions() {
                length
            } else {
                1
            };
            let stored = if self.options.all_positions() { t } else { 1 };
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
        let (d, all) = (self.config.width, self.options.all_positions());
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
            self.options.all_positions(),
        )
    }

    fn logits(&mut self, chunk: &Chunk<T>, normed: &[T], unembedding: &[T]) -> Result<()> {
        let (d, v) = (self.config.width, self.config.n_vocab);
        let rows = chunk.lengths.len();
        let mut logits = vec![T::of(0.0); rows * v];
        multiply(
            view_mut(&mut logits, rows, v, v),
            Accumulate::Replace,
            view(normed, rows, d, d),
            view(unembedding, v, d, d).reversed_axes(),
            None,
        );
        self.put("logits_last", chunk.first * v, &logits)
    }

    fn prompts(&mut self, prompts: &Prompts, sequences: &Sequences) -> Result<()> {
        let n = sequences.len();
        let mut put = |name: &str, first: usize, values: &[usize]| {
            let bytes: Vec<u8> = values
                .iter()
                .flat_map(|&x| i32::try_from(x).unwrap_or(i32::MAX).to_le_bytes())
                .collect();
            (self.write)(name, (first * size_of::<i32>()) as u64, &bytes)
        };
        // Padding stays zero.
        for example in 0..n {
            let tokens = sequences.tokens(example).iter().map(|&id| id as usize);
            put(
                "tokens",
                example * self.longest,
                &tokens.collect::<Vec<_>>(),
            )?;
        }
        let lengths: Vec<usize> = (0..n).map(|i| sequences.tokens(i).len()).collect();
        put("lengths", 0, &lengths)?;
        if let Some(targets) = &prompts.targets {
            let targets: Vec<usize> = targets.iter().flatten().map(|&id| id as usize).collect();
            put("targets", 0, &targets)?;
        }
        if let Some(attribute) = &prompts.attribute {
            put("attr_pos", 0, attribute)?;
        }
        if let Some(slots) = &prompts.slots {
            let ends = slots
                .iter()
                .flatten()
                .flat_map(|slot| [slot.start, slot.end]);
            put("slots", 0, &ends.collect::<Vec<_>>())?;
        }
        Ok(())
    }
}
