//! The forward pass: chunk after chunk of examples through block after block.

use std::collections::BTreeMap;
use std::ops::Range;

use rayon::prelude::*;

use super::attention::{HeadInput, attend};
use super::config::Config;
use super::edit::Edit;
use super::ops::Turns;
use super::part::{Part, Replaced};
use super::product::view;
use super::real::Real;
use super::sequences::{CHUNK_TOKENS, Sequences};
use super::weights::{Block, Checkpoint};
use crate::{Error, Result};

/// Values of the residual stream of the examples in work. A block leaves eight streams of that size
/// beside it, so that they take about 72 MiB in f32, more only if every thread needs a chunk.
const GROUP_VALUES: usize = 1 << 21;

/// Which rows of the attention patterns are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PatternRows {
    /// None.
    #[default]
    None,
    /// The last query of every example.
    Last,
    /// All queries.
    All,
}

/// Consecutive examples on their way through the model.
#[derive(Debug, Clone)]
pub struct Chunk<T> {
    /// The first example.
    pub first: usize,
    /// Tokens of each example.
    pub lengths: Vec<usize>,
    /// The residual stream, a row a token.
    pub resid: Vec<T>,
    /// What the last block did; empty before the first.
    pub streams: BlockStreams<T>,
}

/// The streams of one block; rows are the tokens of a chunk.
#[derive(Debug, Clone, Default)]
pub struct BlockStreams<T> {
    /// Input of the block.
    pub resid_pre: Vec<T>,
    /// Between attention and MLP; empty with a parallel residual.
    pub resid_mid: Vec<T>,
    /// What the attention adds.
    pub attn_out: Vec<T>,
    /// What the MLP adds.
    pub mlp_out: Vec<T>,
    /// Output of every head before W_O, head after head.
    pub z: Vec<T>,
    /// Queries, keys and values as the projection orders them; turned where positions are rotary.
    pub qkv: Vec<T>,
    /// Attention weights: of each example H × rows × T, as asked for.
    pub pattern: Vec<T>,
}

/// How a pass is made.
#[derive(Debug, Clone, Copy)]
pub struct Pass<'a> {
    /// The model.
    pub checkpoint: &'a Checkpoint,
    /// The patterns that are kept.
    pub patterns: PatternRows,
    /// What is done to the attention; `keys` hold a range for each example.
    pub edit: Option<&'a Edit>,
    /// Chunks that are held at once; see [`chunks_at_once`].
    pub at_once: usize,
}

/// Chunks of a model of this `width` that are held at once where memory does not bind: enough to
/// read each block's weights seldom, and one for every thread.
pub fn chunks_at_once(width: usize) -> usize {
    let values = CHUNK_TOKENS * width.max(1);
    GROUP_VALUES
        .div_ceil(values)
        .max(rayon::current_num_threads())
}

impl<T: Real> Chunk<T> {
    /// First row of each example, then the number of rows.
    pub fn starts(&self) -> Vec<usize> {
        let mut at = 0;
        let mut starts = vec![0];
        for length in &self.lengths {
            at += length;
            starts.push(at);
        }
        starts
    }

    /// The same examples with the same residual stream, and nothing of the block before.
    pub fn started(&self) -> Self {
        Self {
            first: self.first,
            lengths: self.lengths.clone(),
            resid: self.resid.clone(),
            streams: BlockStreams::default(),
        }
    }

    /// The last row of every example in `values`, which has `width` columns.
    pub fn last_rows(&self, values: &[T], width: usize) -> Vec<T> {
        let starts = self.starts();
        starts[1..]
            .iter()
            .flat_map(|&end| values[(end - 1) * width..end * width].to_vec())
            .collect()
    }
}

/// One block in work.
struct Work<'a, T> {
    layer: usize,
    block: &'a Block<T>,
    turns: Option<&'a Turns<T>>,
    /// What stands in place of its parts, at every token.
    replaced: Option<&'a Replaced<T>>,
}

impl Pass<'_> {
    /// Runs blocks `0 .. until` for `sequences`, group after group so that memory stays bounded.
    ///
    /// `see(layer, chunks)` is called with the embeddings first (`None`), then after every block;
    /// `chunks` are in the order of the examples.
    ///
    /// # Errors
    /// As [`Sequences::check`] and [`Checkpoint::block`], and what `see` gives.
    pub fn run<T: Real>(
        &self,
        sequences: &Sequences,
        until: usize,
        mut see: impl FnMut(Option<usize>, &mut [Chunk<T>]) -> Result<()>,
    ) -> Result<()> {
        let config = &self.checkpoint.config;
        sequences.check(config)?;
        let turns = config
            .rotary
            .map(|rotary| Turns::new(rotary, sequences.longest()));
        let all: Vec<Range<usize>> = sequences.chunks().collect();
        for group in all.chunks(self.at_once.max(1)) {
            let mut chunks = self.embed(sequences, group)?;
            see(None, &mut chunks)?;
            for layer in 0..until {
                let work = Work {
                    layer,
                    block: &self.checkpoint.block::<T>(layer)?,
                    turns: turns.as_ref(),
                    replaced: None,
                };
                let edited = |head| self.edit.is_some_and(|edit| edit.touches(layer, head));
                let bias = match (0..config.n_heads).any(edited) {
                    true => work.block.value_bias(config),
                    false => Vec::new(),
                };
                chunks
                    .par_iter_mut()
                    .for_each(|chunk| self.block(&work, &bias, chunk));
                see(Some(layer), &mut chunks)?;
            }
            finite(&chunks, config.width)?;
        }
        Ok(())
    }

    /// Takes chunks on from where block `first_layer` begins, through `blocks`, of which it is the
    /// first, with parts `replaced` at every token, by block.
    pub fn go_on<T: Real>(
        &self,
        blocks: &[Block<T>],
        first_layer: usize,
        replaced: &BTreeMap<usize, Replaced<T>>,
        chunks: &mut [Chunk<T>],
    ) {
        let config = &self.checkpoint.config;
        let longest = chunks.iter().flat_map(|chunk| &chunk.lengths).max();
        let turns = config
            .rotary
            .map(|rotary| Turns::new(rotary, longest.copied().unwrap_or(0)));
        for (layer, block) in (first_layer..).zip(blocks) {
            let work = Work {
                layer,
                block,
                turns: turns.as_ref(),
                replaced: replaced.get(&layer),
            };
            chunks
                .par_iter_mut()
                .for_each(|chunk| self.block(&work, &[], chunk));
        }
    }

    fn embed<T: Real>(
        &self,
        sequences: &Sequences,
        group: &[Range<usize>],
    ) -> Result<Vec<Chunk<T>>> {
        let d = self.checkpoint.config.width;
        let table = self.checkpoint.embedding()?;
        let positions = self.checkpoint.positions()?;
        let mut chunks = Vec::with_capacity(group.len());
        let (mut row, mut other) = (vec![0.0; d], vec![0.0; d]);
        for examples in group {
            let rows: usize = examples.clone().map(|at| sequences.tokens(at).len()).sum();
            let mut chunk = Chunk {
                first: examples.start,
                lengths: Vec::with_capacity(examples.len()),
                resid: Vec::with_capacity(rows * d),
                streams: BlockStreams::default(),
            };
            for example in examples.clone() {
                let tokens = sequences.tokens(example);
                chunk.lengths.push(tokens.len());
                for (position, &id) in tokens.iter().enumerate() {
                    table.widen_row(id as usize, &mut row);
                    match &positions {
                        None => chunk.resid.extend(row.iter().map(|&x| T::of(x))),
                        Some(positions) => {
                            positions.widen_row(position, &mut other);
                            let both = row.iter().zip(&other);
                            chunk.resid.extend(both.map(|(&x, &p)| T::of(x) + T::of(p)));
                        }
                    }
                }
            }
            chunks.push(chunk);
        }
        Ok(chunks)
    }

    /// Takes a chunk through a block; `bias` is needed where the block is edited.
    fn block<T: Real>(&self, work: &Work<'_, T>, bias: &[T], chunk: &mut Chunk<T>) {
        let config = &self.checkpoint.config;
        let (d, e) = (config.width, config.head_width);
        let Work {
            layer,
            block,
            turns,
            replaced,
        } = work;
        let starts = chunk.starts();
        let scale = T::of(config.score_scale(*layer));
        let mut pattern = Vec::new();
        let first_example = chunk.first;
        let attention = |qkv: &mut Vec<T>| {
            let mut z = vec![T::of(0.0); qkv.len() / 3];
            let mut weights = Vec::new();
            for (i, span) in starts.windows(2).enumerate() {
                let length = span[1] - span[0];
                let rows = &mut qkv[3 * d * span[0]..3 * d * span[1]];
                if let Some(turns) = turns {
                    turn_all(config, turns, 0, rows);
                }
                weights.resize(length * length, T::of(0.0));
                for head in 0..config.n_heads {
                    let [q, k, v] = config.qkv(head);
                    let part = |start: usize| view(&rows[start..], length, e, 3 * d);
                    let input = HeadInput {
                        queries: part(q),
                        keys: part(k),
                        values: part(v),
                        first: 0,
                        scale,
                    };
                    let edit = self.edit.filter(|edit| edit.touches(*layer, head));
                    let edit = edit.map(|edit| {
                        edit.row(
                            first_example + i,
                            [*layer, head],
                            &bias[head * e..(head + 1) * e],
                        )
                    });
                    let out = &mut z[d * span[0] + head * e..d * span[1]];
                    attend(&input, edit.as_ref(), &mut weights, out, d);
                    match self.patterns {
                        PatternRows::None => {}
                        PatternRows::Last => {
                            pattern.extend_from_slice(&weights[(length - 1) * length..]);
                        }
                        PatternRows::All => pattern.extend_from_slice(&weights),
                    }
                }
            }
            z
        };
        chunk.streams = through_block(config, block, &mut chunk.resid, *replaced, attention);
        chunk.streams.pattern = pattern;
    }
}

/// Fails if a residual stream left the range of its precision.
fn finite<T: Real>(chunks: &[Chunk<T>], width: usize) -> Result<()> {
    for chunk in chunks {
        let beyond = |row: &[T]| row.iter().any(|x| !x.wide().is_finite());
        if let Some(row) = chunk.resid.chunks_exact(width).position(beyond) {
            let example = chunk.starts().partition_point(|&start| start <= row) - 1;
            return Err(Error::Usage(format!(
                "example {}: the residual stream leaves the range of {}; try --precision f64",
                chunk.first + example,
                T::NAME.to_ascii_lowercase()
            )));
        }
    }
    Ok(())
}

/// Turns the queries and keys of consecutive positions, the first of which is `first`.
pub(crate) fn turn_all<T: Real>(config: &Config, turns: &Turns<T>, first: usize, rows: &mut [T]) {
    let (d, e) = (config.width, config.head_width);
    for (position, row) in rows.chunks_exact_mut(3 * d).enumerate() {
        for head in 0..config.n_heads {
            let [q, k, _] = config.qkv(head);
            turns.turn(first + position, &mut row[q..q + e]);
            turns.turn(first + position, &mut row[k..k + e]);
        }
    }
}

/// Takes rows of the residual stream through a block; `attention` makes z of queries, keys and
/// values, and what is `replaced` stands in the place of parts.
pub(crate) fn through_block<T: Real>(
    config: &Config,
    block: &Block<T>,
    resid: &mut Vec<T>,
    replaced: Option<&Replaced<T>>,
    attention: impl FnOnce(&mut Vec<T>) -> Vec<T>,
) -> BlockStreams<T> {
    let mut qkv = block
        .qkv
        .apply(&block.norm_attention.apply(resid, config.eps));
    let mut z = attention(&mut qkv);
    if let Some(replaced) = replaced {
        replaced.heads(&mut z, config);
    }
    let mut attn_out = block.out.apply(&z);
    if let Some(replaced) = replaced {
        replaced.whole(Part::Attention, &mut attn_out);
    }
    let resid_pre = resid.clone();
    add(resid, &attn_out);
    let (mlp_input, resid_mid) = if config.parallel {
        (&resid_pre, Vec::new())
    } else {
        (&*resid, resid.clone())
    };
    let mut hidden = block.up.apply(&block.norm_mlp.apply(mlp_input, config.eps));
    config.activation.apply(&mut hidden);
    let mut mlp_out = block.down.apply(&hidden);
    if let Some(replaced) = replaced {
        replaced.whole(Part::Mlp, &mut mlp_out);
    }
    add(resid, &mlp_out);
    BlockStreams {
        resid_pre,
        resid_mid,
        attn_out,
        mlp_out,
        z,
        qkv,
        pattern: Vec::new(),
    }
}

fn add<T: Real>(total: &mut [T], part: &[T]) {
    for (total, &part) in total.iter_mut().zip(part) {
        *total += part;
    }
}
