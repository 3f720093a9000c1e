//! The last position alone, from keys and values that a pass or a dump has left.
//!
//! An edit changes only the last query, and attention looks back only: every earlier position is
//! what it was. So one row per example goes through the blocks instead of all its tokens, and
//! nothing is approximated.

use rayon::prelude::*;

use super::attention::{HeadInput, attend};
use super::config::Config;
use super::edit::Edit;
use super::ops::Turns;
use super::pass::{BlockStreams, Chunk, through_block, turn_all};
use super::product::view;
use super::real::Real;
use super::weights::Block;

/// Consecutive examples, known at their last position and by the keys and values before it.
#[derive(Debug, Clone)]
pub struct LastPosition<T> {
    /// The first example.
    pub first: usize,
    /// Tokens of each example.
    pub lengths: Vec<usize>,
    /// The residual stream before the first replayed block, a row an example.
    pub resid: Vec<T>,
    /// Keys of every replayed block: the rows of all tokens, head after head; turned if rotary.
    pub keys: Vec<Vec<T>>,
    /// Values of every replayed block, likewise.
    pub values: Vec<Vec<T>>,
}

impl<T: Real> LastPosition<T> {
    /// What is known of a chunk before the block that a pass runs next.
    pub fn before(chunk: &Chunk<T>, config: &Config) -> Self {
        Self {
            first: chunk.first,
            lengths: chunk.lengths.clone(),
            resid: chunk.last_rows(&chunk.resid, config.width),
            keys: Vec::new(),
            values: Vec::new(),
        }
    }

    /// Keeps the keys and values of the block that a pass has just run.
    pub fn keep(&mut self, streams: &BlockStreams<T>, config: &Config) {
        let [keys, values] = keys_and_values(streams, config);
        self.keys.push(keys);
        self.values.push(values);
    }
}

/// Keys and values out of the joint projection, head after head.
pub(crate) fn keys_and_values<T: Real>(streams: &BlockStreams<T>, config: &Config) -> [Vec<T>; 2] {
    let (d, e) = (config.width, config.head_width);
    [1, 2].map(|part| {
        streams
            .qkv
            .chunks_exact(3 * d)
            .flat_map(|row| {
                (0..config.n_heads).flat_map(move |head| {
                    let start = config.qkv(head)[part];
                    row[start..start + e].iter().copied()
                })
            })
            .collect()
    })
}

/// Examples that go through a block together.
const BATCH: usize = 64;

/// The residual stream after the last block with `edit`: a row an example, in their order.
///
/// `blocks` are those from `first_layer` to the last.
pub fn replay<T: Real>(
    config: &Config,
    blocks: &[Block<T>],
    first_layer: usize,
    last: &[LastPosition<T>],
    edit: &Edit,
) -> Vec<T> {
    let longest = last.iter().flat_map(|chunk| &chunk.lengths).max();
    let turns = config
        .rotary
        .map(|rotary| Turns::new(rotary, longest.copied().unwrap_or(0)));
    let rows: Vec<Rows<'_, T>> = (first_layer..)
        .zip(blocks)
        .map(|(layer, block)| Rows {
            config,
            layer,
            edit,
            turns: turns.as_ref(),
            bias: block.value_bias(config),
        })
        .collect();
    batches(last)
        .into_par_iter()
        .flat_map_iter(|batch| {
            let parts = batch.iter().flat_map(|chunk| &chunk.resid);
            let mut resid: Vec<T> = parts.copied().collect();
            for (at, (block, rows)) in blocks.iter().zip(&rows).enumerate() {
                through_block(config, block, &mut resid, |qkv| rows.attend(batch, at, qkv));
            }
            resid
        })
        .collect()
}

/// Neighbouring chunks with about [`BATCH`] examples together.
fn batches<T>(last: &[LastPosition<T>]) -> Vec<&[LastPosition<T>]> {
    let mut batches = Vec::new();
    let (mut start, mut held) = (0, 0);
    for (at, chunk) in last.iter().enumerate() {
        held += chunk.lengths.len();
        if held >= BATCH || at + 1 == last.len() {
            batches.push(&last[start..=at]);
            (start, held) = (at + 1, 0);
        }
    }
    batches
}

/// The last rows of one block.
struct Rows<'a, T> {
    config: &'a Config,
    layer: usize,
    edit: &'a Edit,
    turns: Option<&'a Turns<T>>,
    bias: Vec<T>,
}

impl<T: Real> Rows<'_, T> {
    /// z of every example of a batch; `at` is the block's place among the replayed ones.
    fn attend(&self, batch: &[LastPosition<T>], at: usize, qkv: &mut [T]) -> Vec<T> {
        let d = self.config.width;
        let mut z = vec![T::of(0.0); qkv.len() / 3];
        let mut rows = qkv.chunks_exact_mut(3 * d).zip(z.chunks_exact_mut(d));
        let mut space = Space::default();
        for chunk in batch {
            let mut start = 0;
            for (i, (&length, (row, out))) in chunk.lengths.iter().zip(&mut rows).enumerate() {
                let span = start * d..(start + length) * d;
                let seen = [&chunk.keys[at][span.clone()], &chunk.values[at][span]];
                self.example(chunk.first + i, seen, row, out, &mut space);
                start += length;
            }
        }
        z
    }

    fn example(
        &self,
        example: usize,
        seen: [&[T]; 2],
        row: &mut [T],
        out: &mut [T],
        space: &mut Space<T>,
    ) {
        let (d, e) = (self.config.width, self.config.head_width);
        let length = seen[0].len() / d;
        if let Some(turns) = self.turns {
            turn_all(self.config, turns, length - 1, row);
        }
        // The last token sees itself as it is now, the others as they were.
        space.keys.clear();
        space.keys.extend_from_slice(seen[0]);
        space.values.clear();
        space.values.extend_from_slice(seen[1]);
        space.weights.resize(length, T::of(0.0));
        for head in 0..self.config.n_heads {
            let [q, k, v] = self.config.qkv(head);
            let own = (length - 1) * d + head * e;
            space.keys[own..own + e].copy_from_slice(&row[k..k + e]);
            space.values[own..own + e].copy_from_slice(&row[v..v + e]);
            let input = HeadInput {
                queries: view(&row[q..], 1, e, 3 * d),
                keys: view(&space.keys[head * e..], length, e, d),
                values: view(&space.values[head * e..], length, e, d),
                first: length - 1,
                scale: T::of(self.config.score_scale(self.layer)),
            };
            let touched = self.edit.touches(self.layer, head);
            let bias = &self.bias[head * e..(head + 1) * e];
            let edit = touched.then(|| self.edit.row(example, [self.layer, head], bias));
            attend(
                &input,
                edit.as_ref(),
                &mut space.weights,
                &mut out[head * e..],
                d,
            );
        }
    }
}

/// Room for one example, used again for the next.
#[derive(Default)]
struct Space<T> {
    keys: Vec<T>,
    values: Vec<T>,
    weights: Vec<T>,
}
