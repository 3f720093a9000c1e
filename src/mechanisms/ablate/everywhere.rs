//! Replaces components at every token of every example.

use super::plan::{Planned, Run};
use crate::Result;
use crate::mechanisms::model::{
    Checkpoint, Chunk, LastLogits, Pass, PatternRows, Real, Sequences, add_parts,
};
use crate::progress::Progress;

/// The unchanged model, kept where it reaches the blocks that are changed.
fn unchanged(checkpoint: &Checkpoint, at_once: usize) -> Pass<'_> {
    Pass {
        checkpoint,
        patterns: PatternRows::None,
        edit: None,
        at_once,
    }
}

/// Adds what the components are at every token of the unchanged model, example after example; advances
/// by one for each example and block, and one more for each example.
pub(super) fn add_all<T: Real>(
    run: &mut Run<'_, T>,
    checkpoint: &Checkpoint,
    sequences: &Sequences,
    progress: &dyn Progress,
) -> Result<()> {
    let config = &checkpoint.config;
    let Run {
        options,
        sums,
        at_once,
        ..
    } = run;
    let pass = unchanged(checkpoint, *at_once);
    pass.run::<T>(sequences, config.n_layers, |layer, chunks| {
        if let Some(layer) = layer {
            for chunk in chunks.iter() {
                add_parts(config, layer, &chunk.streams, &options.components, sums);
            }
        }
        progress.advance(examples(chunks));
        Ok(())
    })
}

/// The logits of every example under each of `changes`; advances as [`add_all`] does.
///
/// Up to the first block that a change touches every token is what it was, so each change begins there.
pub(super) fn read_all<T: Real>(
    run: &Run<'_, T>,
    checkpoint: &Checkpoint,
    sequences: &Sequences,
    changes: &[Planned<T>],
    found: &mut [Vec<LastLogits>],
    progress: &dyn Progress,
) -> Result<()> {
    let config = &checkpoint.config;
    let tail = &run.tail;
    let pass = unchanged(checkpoint, run.at_once);
    let last_rows = |chunks: &[Chunk<T>]| -> Vec<T> {
        let rows = chunks.iter();
        rows.flat_map(|chunk| chunk.last_rows(&chunk.resid, config.width))
            .collect()
    };
    pass.run::<T>(sequences, config.n_layers, |layer, chunks| {
        let next = layer.map_or(0, |layer| layer + 1);
        let first = chunks.first().map_or(0, |chunk| chunk.first);
        for (planned, found) in changes.iter().zip(found.iter_mut()) {
            let begins = planned.parts.keys().next().copied();
            if begins.unwrap_or(config.n_layers) != next {
                continue;
            }
            let resid = match begins {
                None => last_rows(chunks),
                Some(begins) => {
                    let mut changed: Vec<Chunk<T>> = chunks.iter().map(Chunk::started).collect();
                    let blocks = &tail.blocks[begins - tail.first_layer..];
                    pass.go_on(blocks, begins, &planned.parts, &mut changed);
                    last_rows(&changed)
                }
            };
            found.extend(tail.read(&resid, first, || planned.named())?);
        }
        progress.advance(examples(chunks));
        Ok(())
    })
}

fn examples<T>(chunks: &[Chunk<T>]) -> u64 {
    let examples: usize = chunks.iter().map(|chunk| chunk.lengths.len()).sum();
    examples as u64
}
