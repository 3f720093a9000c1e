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

/// The residual stream after the last block, a row an example, with `edit`.
///
/// `blocks` are those from `first_layer` to the last.
pub fn replay<T: Real>(
    config: &Config,
    blocks: &[Block<T>],
    first_layer: usize,
    last: &[LastPosition<T>],
    edit: &Edit,
) -> Vec<Vec<T>> {
    let longest = last.iter().flat_map(|chunk| &chunk.lengths).max();
    let turns = config
        .rotary
        .map(|rotary| Turns::new(rotary, longest.copied().unwrap_or(0)));
    last.par_iter()
        .map(|chunk| {
            let mut resid = chunk.resid.clone();
            for (at, block) in blocks.iter().enumerate() {
                let row = Row {
                    config,
                    layer: first_layer + at,
                    edit,
                    turns: turns.as_ref(),
                    bias: block.value_bias(config),
                };
                through_block(config, block, &mut resid, |qkv| row.attend(chunk, at, qkv));
            }
            resid
        })
        .collect()
}

/// The last rows of one block.
struct Row<'a, T> {
    config: &'a Config,
    layer: usize,
    edit: &'a Edit,
    turns: Option<&'a Turns<T>>,
    bias: Vec<T>,
}

impl<T: Real> Row<'_, T> {
    fn attend(&self, chunk: &LastPosition<T>, at: usize, qkv: &mut [T]) -> Vec<T> {
        let (d, e) = (self.config.width, self.config.head_width);
        let mut z = vec![T::of(0.0); chunk.lengths.len() * d];
        let (mut weights, mut keys, mut values) = (Vec::new(), Vec::new(), Vec::new());
        let mut start = 0;
        let rows = qkv.chunks_exact_mut(3 * d).zip(z.chunks_exact_mut(d));
        for (i, ((row, out), &length)) in rows.zip(&chunk.lengths).enumerate() {
            if let Some(turns) = self.turns {
                turn_all(self.config, turns, length - 1, row);
            }
            // The last token sees itself as it is now, the others as they were.
            keys.clear();
            keys.extend_from_slice(&chunk.keys[at][start * d..(start + length) * d]);
            values.clear();
            values.extend_from_slice(&chunk.values[at][start * d..(start + length) * d]);
            weights.resize(length, T::of(0.0));
            for head in 0..self.config.n_heads {
                let [q, k, v] = self.config.qkv(head);
                let own = (length - 1) * d + head * e;
                keys[own..own + e].copy_from_slice(&row[k..k + e]);
                values[own..own + e].copy_from_slice(&row[v..v + e]);
                let input = HeadInput {
                    queries: view(&row[q..], 1, e, 3 * d),
                    keys: view(&keys[head * e..], length, e, d),
                    values: view(&values[head * e..], length, e, d),
                    first: length - 1,
                    scale: T::of(self.config.score_scale(self.layer)),
                };
                let edit = self.edit.touches(self.layer, head).then(|| {
                    self.edit
                        .row(chunk.first + i, &self.bias[head * e..(head + 1) * e])
                });
                attend(&input, edit.as_ref(), &mut weights, &mut out[head * e..], d);
            }
            start += length;
        }
        z
    }
}
