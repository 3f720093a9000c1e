//! What must hold of passes and of their dumps whatever the weights are.

use std::path::Path;

use repgeo::input::Tensors;
use repgeo::mechanisms::model::{Checkpoint, Sequences};
use repgeo::mechanisms::patterns::{PatternOptions, head_pattern};
use repgeo::mechanisms::{Readout, StreamDump};
use repgeo::progress::Silent;
use tempfile::TempDir;

use super::dumps::{EVERYTHING, prompts, write_dump};
use super::fixture::{NEOX, Run, distance, gpt2, neox, run};

/// Every checkpoint, and its folder while that is a temporary one.
pub(super) fn models() -> Vec<(Option<TempDir>, Checkpoint)> {
    let mut models = vec![(None, gpt2())];
    models.extend(NEOX.map(|name| {
        let (folder, checkpoint) = neox(name, false);
        (Some(folder), checkpoint)
    }));
    models
}

/// A dump of everything at every position, in f64, and its readout.
pub(super) fn dumped(folder: &Path, checkpoint: &Checkpoint, all: bool) -> (StreamDump, Readout) {
    let file = folder.join(format!("acts_{all}.safetensors"));
    let path = write_dump::<f64>(file, checkpoint, &prompts(97), &EVERYTHING, all);
    let dump = StreamDump::open(&path, None, None).unwrap();
    let readout = Readout::of_checkpoint(checkpoint.clone(), true).unwrap();
    (dump, readout)
}

pub(super) fn sequences() -> Sequences {
    prompts(97).sequences.unwrap()
}

fn post<T>(found: &Run<T>, layer: usize) -> &Vec<T> {
    found
        .blocks
        .get(layer + 1)
        .map_or(&found.resid, |next| &next.resid_pre)
}

#[test]
fn blocks_add_what_they_say_and_heads_add_up_to_the_attention() {
    for (_folder, checkpoint) in models() {
        let found = run::<f64>(&checkpoint, &sequences(), None);
        let config = &checkpoint.config;
        let (d, e) = (config.width, config.head_width);
        let mut total = found.embed.clone();
        for (layer, streams) in found.blocks.iter().enumerate() {
            for (i, sum) in total.iter_mut().enumerate() {
                *sum += streams.attn_out[i] + streams.mlp_out[i];
            }
            assert!(distance(post(&found, layer), &total) < 1e-13);
            let out = checkpoint.block::<f64>(layer).unwrap().out;
            let matrix = out.matrix();
            let by_heads: Vec<f64> = streams
                .z
                .chunks_exact(d)
                .flat_map(|z| {
                    let mut row = out.bias.clone();
                    for head in 0..config.n_heads {
                        for i in head * e..(head + 1) * e {
                            for (j, value) in row.iter_mut().enumerate() {
                                *value += z[i] * matrix[(i, j)];
                            }
                        }
                    }
                    row
                })
                .collect();
            assert!(distance(&streams.attn_out, &by_heads) < 1e-13);
        }
    }
}

/// One past the last row of every example.
pub(super) fn ends(sequences: &Sequences) -> Vec<usize> {
    let mut at = 0;
    (0..sequences.len())
        .map(|i| {
            at += sequences.tokens(i).len();
            at
        })
        .collect()
}

pub(super) fn last_rows(values: &[f64], d: usize) -> Vec<f64> {
    let ends = ends(&sequences());
    ends.iter()
        .flat_map(|&end| values[(end - 1) * d..end * d].to_vec())
        .collect()
}

#[test]
fn rows_of_attention_sum_to_one_and_the_ranking_is_theirs() {
    for (_folder, checkpoint) in models() {
        let folder = TempDir::new().unwrap();
        let (dump, _) = dumped(folder.path(), &checkpoint, true);
        let found = run::<f64>(&checkpoint, &sequences(), None);
        for block in &found.blocks {
            let mut rest = block.pattern.as_slice();
            for i in 0..sequences().len() {
                let t = sequences().tokens(i).len();
                let (own, others) = rest.split_at(checkpoint.config.n_heads * t * t);
                rest = others;
                for (at, row) in own.chunks_exact(t).enumerate() {
                    assert!((row.iter().sum::<f64>() - 1.0).abs() < 1e-14);
                    assert!(
                        row[at % t + 1..]
                            .iter()
                            .all(|&future| future.abs() < 1e-300)
                    );
                }
            }
        }
        let patterns = head_pattern(&dump, &PatternOptions::default(), &Silent).unwrap();
        assert_eq!(patterns.ranking.len(), 12);
        assert!(
            patterns
                .ranking
                .windows(2)
                .all(|pair| pair[0].attention >= pair[1].attention)
        );
        let (last_dump, _) = dumped(folder.path(), &checkpoint, false);
        let last = head_pattern(&last_dump, &PatternOptions::default(), &Silent).unwrap();
        assert_eq!(last.ranking, patterns.ranking);
    }
}

#[test]
fn padding_on_the_right_is_harmless() {
    let (_folder, checkpoint) = neox("serial_0.5", false);
    let d = checkpoint.config.width;
    let together = run::<f64>(&checkpoint, &sequences(), None);
    let mut at = 0;
    for i in 0..sequences().len() {
        let alone = Sequences::new([sequences().tokens(i)]);
        let found = run::<f64>(&checkpoint, &alone, None);
        let rows = &together.resid[at..at + found.resid.len()];
        assert!(distance(rows, &found.resid) < 1e-14);
        at += sequences().tokens(i).len() * d;
    }
}

#[test]
fn what_a_dump_holds_is_what_the_pass_gave() {
    for (_folder, checkpoint) in models() {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("acts.safetensors");
        let path = write_dump::<f64>(file, &checkpoint, &prompts(97), &EVERYTHING, true);
        let tensors = Tensors::open(&path).unwrap();
        let found = run::<f64>(&checkpoint, &sequences(), None);
        let d = checkpoint.config.width;
        let stored = super::fixture::values(&tensors, "blocks.2.hook_mlp_out");
        let mut at = 0;
        for i in 0..sequences().len() {
            let rows = sequences().tokens(i).len() * d;
            let first = i * 9 * d;
            assert_eq!(
                &stored[first..first + rows],
                &found.blocks[2].mlp_out[at..at + rows]
            );
            assert!(
                stored[first + rows..first + 9 * d]
                    .iter()
                    .all(|x| x.abs() < 1e-300)
            );
            at += rows;
        }
        let dump = StreamDump::open(&path, None, None).unwrap();
        assert_eq!(dump.prompts.slots, prompts(97).slots);
        assert_eq!(dump.prompts.targets, prompts(97).targets);
        assert_eq!(dump.prompts.attribute, prompts(97).attribute);
        assert_eq!(dump.prompts.sequences, prompts(97).sequences);
    }
}
