//! The last position alone, from keys and values that a pass or a dump has left.
//!
//! A change is made at the last position only, and attention looks back only: every earlier position
//! is what it was. So one row per example goes through the blocks instead of all its tokens, and
//! nothing is approximated.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::attention::{HeadInput, attend};
use super::config::Config;
use super::edit::Edit;
use super::ops::Turns;
use super::part::{BlockPart, Part, Replaced};
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

/// What is done to the last position on its way.
#[derive(Debug, Clone, Copy)]
pub enum Change<'a, T> {
    /// Attention weights are scaled.
    Attention(&'a Edit),
    /// Parts are replaced, by block.
    Parts(&'a BTreeMap<usize, Replaced<T>>),
}

/// The residual stream after the last block with `change`: a row an example, in their order.
///
/// `blocks` are those from `first_layer` to the last.
pub fn replay<T: Real>(
    config: &Config,
    blocks: &[Block<T>],
    first_layer: usize,
    last: &[LastPosition<T>],
    change: Change<'_, T>,
) -> Vec<T> {
    let walk = Walk::new(config, blocks, first_layer, last, change);
    batches(last)
        .into_par_iter()
        .flat_map_iter(|batch| walk.through(batch, |_, _| ()))
        .collect()
}

/// Sums over the examples of what `parts` are in the unchanged model: of a head its z, of the
/// attention and of the MLP what they add. Examples are added one after the other.
///
/// `blocks` are those from `first_layer` to the last.
pub fn part_sums<T: Real>(
    config: &Config,
    blocks: &[Block<T>],
    first_layer: usize,
    last: &[LastPosition<T>],
    parts: &[BlockPart],
) -> Vec<Vec<f64>> {
    let unchanged = BTreeMap::new();
    let walk = Walk::new(config, blocks, first_layer, last, Change::Parts(&unchanged));
    let nothing: Vec<Vec<f64>> = parts
        .iter()
        .map(|one| match one.part {
            Part::Head(_) => vec![0.0; config.head_width],
            Part::Attention | Part::Mlp => vec![0.0; config.width],
        })
        .collect();
    // Chunks are the same for any number of threads.
    let sums: Vec<Vec<Vec<f64>>> = last
        .par_iter()
        .map(|chunk| {
            let mut sums = nothing.clone();
            walk.through(std::slice::from_ref(chunk), |layer, streams| {
                add_parts(config, layer, streams, parts, &mut sums);
            });
            sums
        })
        .collect();
    let mut total = nothing;
    for sums in &sums {
        for (total, sum) in total.iter_mut().zip(sums) {
            add(total, sum.iter().copied());
        }
    }
    total
}

/// Adds what those of `parts` that are of block `layer` are in each row of its streams.
pub fn add_parts<T: Real>(
    config: &Config,
    layer: usize,
    streams: &BlockStreams<T>,
    parts: &[BlockPart],
    sums: &mut [Vec<f64>],
) {
    let named = parts.iter().zip(sums);
    for (one, sum) in named.filter(|(one, _)| one.layer == layer) {
        let (rows, start) = match one.part {
            Part::Attention => (&streams.attn_out, 0),
            Part::Mlp => (&streams.mlp_out, 0),
            Part::Head(head) => (&streams.z, head * config.head_width),
        };
        for row in rows.chunks_exact(config.width) {
            add(sum, row[start..].iter().map(|x| x.wide()));
        }
    }
}

fn add(sum: &mut [f64], row: impl Iterator<Item = f64>) {
    for (sum, x) in sum.iter_mut().zip(row) {
        *sum += x;
    }
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

/// The last positions on their way through the blocks.
struct Walk<'a, T> {
    config: &'a Config,
    blocks: &'a [Block<T>],
    first_layer: usize,
    change: Change<'a, T>,
    turns: Option<Turns<T>>,
    /// The constant part of the values of every block.
    biases: Vec<Vec<T>>,
}

impl<'a, T: Real> Walk<'a, T> {
    fn new(
        config: &'a Config,
        blocks: &'a [Block<T>],
        first_layer: usize,
        last: &[LastPosition<T>],
        change: Change<'a, T>,
    ) -> Self {
        let longest = last.iter().flat_map(|chunk| &chunk.lengths).max();
        let longest = longest.copied().unwrap_or(0);
        let turns = config.rotary.map(|rotary| Turns::new(rotary, longest));
        let biases = blocks.iter().map(|block| block.value_bias(config));
        Self {
            config,
            blocks,
            first_layer,
            change,
            turns,
            biases: biases.collect(),
        }
    }

    /// The residual stream of a batch after the last block; `see` is shown each block's streams.
    fn through(
        &self,
        batch: &[LastPosition<T>],
        mut see: impl FnMut(usize, &BlockStreams<T>),
    ) -> Vec<T> {
        let parts = batch.iter().flat_map(|chunk| &chunk.resid);
        let mut resid: Vec<T> = parts.copied().collect();
        for (at, block) in self.blocks.iter().enumerate() {
            let layer = self.first_layer + at;
            let replaced = match self.change {
                Change::Attention(_) => None,
                Change::Parts(parts) => parts.get(&layer),
            };
            let streams = through_block(self.config, block, &mut resid, replaced, |qkv| {
                self.attend(batch, at, qkv)
            });
            see(layer, &streams);
        }
        resid
    }

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
                self.example([chunk.first + i, at], seen, row, out, &mut space);
                start += length;
            }
        }
        z
    }

    /// z of one example in one block.
    fn example(
        &self,
        [example, at]: [usize; 2],
        seen: [&[T]; 2],
        row: &mut [T],
        out: &mut [T],
        space: &mut Space<T>,
    ) {
        let (d, e) = (self.config.width, self.config.head_width);
        let length = seen[0].len() / d;
        let layer = self.first_layer + at;
        if let Some(turns) = &self.turns {
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
                scale: T::of(self.config.score_scale(layer)),
            };
            let edit = match self.change {
                Change::Attention(edit) if edit.touches(layer, head) => {
                    let bias = &self.biases[at][head * e..(head + 1) * e];
                    Some(edit.row(example, [layer, head], bias))
                }
                _ => None,
            };
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
