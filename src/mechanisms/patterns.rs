//! Measures where the heads look: attention weights averaged over examples.

use std::ops::Range;

use rayon::prelude::*;
use serde::Serialize;

use super::dump::StreamDump;
use super::prompts::SLOTS;
use super::spots::{Positions, Spot, spots};
use super::stat::{Stat, groups};
use crate::geometry::Reason;
use crate::input::{Labels, Matrix};
use crate::progress::{Phase, Progress};
use crate::warning::Warning;
use crate::{Error, Result};

/// What is asked for.
#[derive(Debug, Clone, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PatternOptions {
    /// The queries: the last token, or every slot.
    #[serde(rename = "query")]
    pub queries: Positions,
    /// A class for each example.
    #[serde(rename = "group_by")]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub groups: Option<Labels>,
}

/// Attention of every head.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct HeadPattern {
    /// What was asked for, defaults included.
    pub parameters: PatternOptions,
    /// Number of examples.
    pub n: usize,
    /// Rows by block, head, query, key and group.
    pub patterns: Vec<PatternRow>,
    /// Heads by how much their last token attends to the attribute, most first; empty if nothing
    /// says where the attribute is.
    pub ranking: Vec<RankedHead>,
    /// Warnings about it.
    pub warnings: Vec<Warning>,
}

/// The attention of one head from one place to another.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PatternRow {
    /// `blocks.3.head.2`.
    pub name: String,
    /// Its block.
    pub layer: usize,
    /// Its number in the block.
    pub head: usize,
    /// Place of the query.
    pub query: String,
    /// Place of the key.
    pub key: String,
    /// The group; `None` for all examples.
    pub group: Option<String>,
    /// Examples that have both places.
    pub n: usize,
    /// Attention weight, the mean over the tokens of each place.
    pub attention: Stat,
    /// Why there are no numbers.
    pub reason: Option<Reason>,
}

/// A head and its mean attention from the last token to the attribute.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RankedHead {
    /// Its block.
    pub layer: usize,
    /// Its number in the block.
    pub head: usize,
    /// Mean attention.
    pub attention: f64,
}

/// Patterns of one block.
struct Pattern {
    matrix: Matrix,
    n_heads: usize,
    queries: usize,
    keys: usize,
}

impl Pattern {
    fn open(dump: &StreamDump, layer: usize) -> Result<Self> {
        let name = format!("blocks.{layer}.attn.hook_pattern");
        let tensor = dump
            .tensors
            .require(&name, "attentions[l] of a model with eager attention")?;
        let (n_heads, queries, keys) = match *tensor.shape() {
            [n, heads, queries, keys] if n == dump.n && queries == keys => (heads, queries, keys),
            [n, heads, keys] if n == dump.n => (heads, 1, keys),
            ref shape => {
                let fact = format!("shape {shape:?}");
                let wanted = format!("[{n}, H, T, T] or [{n}, H, T] is needed", n = dump.n);
                return Err(tensor.refused(fact, wanted));
            }
        };
        if let Some(longest) = dump.lengths.iter().max()
            && *longest > keys
        {
            let fact = format!("{keys} keys, but an example has {longest} tokens");
            return Err(tensor.refused(fact, "dump whole patterns"));
        }
        Ok(Self {
            matrix: tensor.rows_of(keys)?,
            n_heads,
            queries,
            keys,
        })
    }

    /// The mean weight from `query` tokens to `key` tokens; `None` if there are none.
    fn mean(
        &self,
        example: usize,
        head: usize,
        length: usize,
        query: &Range<usize>,
        key: &Range<usize>,
        row: &mut [f64],
    ) -> Option<f64> {
        let stored: Vec<usize> = match self.queries {
            1 => query
                .contains(&(length - 1))
                .then_some(0)
                .into_iter()
                .collect(),
            _ => query.clone().collect(),
        };
        if stored.is_empty() || key.is_empty() {
            return None;
        }
        let mut sum = 0.0;
        for at in &stored {
            let first = (example * self.n_heads + head) * self.queries;
            self.matrix.widen_row(first + at, row);
            sum += row[key.clone()].iter().sum::<f64>() / key.len() as f64;
        }
        Some(sum / stored.len() as f64)
    }
}

/// Averages the attention patterns of a dump.
///
/// # Errors
/// [`Error::NoLayers`] without patterns; [`Error::Unsupported`] for patterns of another shape.
pub fn head_pattern(
    dump: &StreamDump,
    options: &PatternOptions,
    progress: &dyn Progress,
) -> Result<HeadPattern> {
    let mut layers = dump.layers_with("attn.hook_pattern");
    if layers.is_empty() {
        layers.push(0);
    }
    let queries = spots(options.queries, &dump.prompts, &dump.lengths)?;
    let keys = keys(dump)?;
    let groups = groups(dump.n, options.groups.as_ref());
    let mut rows = Vec::new();
    let phase = Phase::new("head patterns", layers.len());
    progress.plan(&[phase]);
    for layer in layers {
        let pattern = Pattern::open(dump, layer)?;
        pattern.check_places(dump, layer, &queries, &keys)?;
        progress.step(phase.name, &format!("blocks.{layer}"));
        progress.begin("heads", pattern.n_heads as u64);
        for head in 0..pattern.n_heads {
            for query in &queries {
                for (key, ranges) in &keys {
                    let values = pattern.of_examples(dump, layer, head, query, ranges)?;
                    for group in &groups {
                        let present: Vec<f64> =
                            group.members.iter().filter_map(|&i| values[i]).collect();
                        rows.push(PatternRow {
                            name: format!("blocks.{layer}.head.{head}"),
                            layer,
                            head,
                            query: query.name.clone(),
                            key: key.clone(),
                            group: group.name.clone(),
                            n: present.len(),
                            attention: Stat::of(&present),
                            reason: present.is_empty().then_some(Reason::TooFewRows),
                        });
                    }
                }
            }
            progress.advance(1);
        }
        progress.end();
    }
    Ok(HeadPattern {
        parameters: options.clone(),
        n: dump.n,
        ranking: ranking(&rows),
        patterns: rows,
        warnings: dump.prompts.warnings(dump.n),
    })
}

impl Pattern {
    /// Fails for a place beyond the keys.
    fn check_places(
        &self,
        dump: &StreamDump,
        layer: usize,
        queries: &[Spot],
        keys: &[(String, Vec<Range<usize>>)],
    ) -> Result<()> {
        let queries = queries.iter().map(|spot| &spot.ranges);
        let keys = keys.iter().map(|(_, ranges)| ranges);
        let mut ranges = queries.chain(keys).flatten();
        match ranges.find(|range| range.end > self.keys) {
            None => Ok(()),
            Some(range) => Err(malformed(
                dump,
                format!(
                    "a place {range:?} lies beyond the {} keys of blocks.{layer}.attn.hook_pattern",
                    self.keys
                ),
                "slots and attr_pos count tokens from 0",
            )),
        }
    }

    /// How much a head looks from `query` at `keys`, example by example.
    fn of_examples(
        &self,
        dump: &StreamDump,
        layer: usize,
        head: usize,
        query: &Spot,
        keys: &[Range<usize>],
    ) -> Result<Vec<Option<f64>>> {
        let values: Vec<Option<f64>> = (0..dump.n)
            .into_par_iter()
            .map_init(
                || vec![0.0; self.keys],
                |row, example| {
                    let (from, to) = (&query.ranges[example], &keys[example]);
                    self.mean(example, head, dump.lengths[example], from, to, row)
                },
            )
            .collect();
        let is_bad = |value: &Option<f64>| value.is_some_and(|x| !x.is_finite());
        match values.iter().position(is_bad) {
            None => Ok(values),
            Some(example) => Err(malformed(
                dump,
                format!(
                    "blocks.{layer}.attn.hook_pattern: head {head} of example {example} holds NaN or \
                     infinity"
                ),
                "dump finite values",
            )),
        }
    }
}

fn malformed(dump: &StreamDump, fact: String, remedy: &str) -> Error {
    Error::Malformed {
        path: dump.tensors.path().to_owned(),
        fact,
        remedy: remedy.into(),
    }
}

/// The slots; without them every position, and the attribute if it is known.
fn keys(dump: &StreamDump) -> Result<Vec<(String, Vec<Range<usize>>)>> {
    let which = match dump.prompts.slots {
        Some(_) => Positions::Slots,
        None => Positions::All,
    };
    let spots = spots(which, &dump.prompts, &dump.lengths)?;
    let mut keys: Vec<_> = spots
        .into_iter()
        .map(|spot| (spot.name, spot.ranges))
        .collect();
    if let (Positions::All, Some(attribute)) = (which, &dump.prompts.attribute) {
        let ranges = attribute.iter().map(|&at| at..at + 1).collect();
        keys.push((SLOTS[6].to_owned(), ranges));
    }
    Ok(keys)
}

fn ranking(rows: &[PatternRow]) -> Vec<RankedHead> {
    let mut ranking: Vec<RankedHead> = rows
        .iter()
        .filter(|row| row.key == SLOTS[6] && row.query == "last" && row.group.is_none())
        .filter_map(|row| {
            Some(RankedHead {
                layer: row.layer,
                head: row.head,
                attention: row.attention.mean?,
            })
        })
        .collect();
    ranking.sort_by(|a, b| {
        let by_attention = b.attention.total_cmp(&a.attention);
        by_attention.then((a.layer, a.head).cmp(&(b.layer, b.head)))
    });
    ranking
}
