//! Runs the last token of every example through the last blocks, and reads the logits there.

use super::model::{
    Block, Change, Checkpoint, LastLogits, LastPosition, Norm, Pass, PatternRows, Real, Sequences,
    Vocabulary, replay,
};
use super::prompts::{Prompts, Targets};
use crate::progress::Progress;
use crate::{Error, Result};

/// The blocks from one on, and what reads the logits behind them.
pub(super) struct Tail<'a, T> {
    checkpoint: &'a Checkpoint,
    /// The first of the blocks.
    pub first_layer: usize,
    /// The blocks, to the last.
    pub blocks: Vec<Block<T>>,
    norm: Norm<T>,
    vocabulary: Vocabulary<T>,
    targets: &'a [Targets],
}

impl<'a, T: Real> Tail<'a, T> {
    pub(super) fn new(
        checkpoint: &'a Checkpoint,
        targets: &'a [Targets],
        first_layer: usize,
    ) -> Result<Self> {
        let blocks = (first_layer..checkpoint.config.n_layers)
            .map(|layer| checkpoint.block(layer))
            .collect::<Result<_>>()?;
        let unembedding = T::of_matrix(&checkpoint.unembedding()?);
        Ok(Self {
            checkpoint,
            first_layer,
            blocks,
            norm: checkpoint.final_norm()?,
            vocabulary: Vocabulary::new(unembedding, None, checkpoint.config.width),
            targets,
        })
    }

    /// The logits of consecutive examples under `change`, which errors call `named`.
    pub(super) fn logits(
        &self,
        last: &[LastPosition<T>],
        change: Change<'_, T>,
        named: impl FnOnce() -> String,
    ) -> Result<Vec<LastLogits>> {
        let config = &self.checkpoint.config;
        let Some(first) = last.first().map(|chunk| chunk.first) else {
            return Ok(Vec::new());
        };
        let resid = replay(config, &self.blocks, self.first_layer, last, change);
        self.read(&resid, first, named)
    }

    /// The logits that the residual stream behind the last block gives at the last tokens of consecutive
    /// examples, of which `first` is the first; errors call what was changed `named`.
    pub(super) fn read(
        &self,
        resid: &[T],
        first: usize,
        named: impl FnOnce() -> String,
    ) -> Result<Vec<LastLogits>> {
        let config = &self.checkpoint.config;
        let n = resid.len() / config.width;
        let normed = self.norm.apply(resid, config.eps);
        let targets = &self.targets[first..first + n];
        let found = self.vocabulary.fold(&normed, targets, 0);
        let finite = |x: &LastLogits| (x.fact + x.counterfactual + x.mean).is_finite();
        match found.iter().position(|logits| !finite(logits)) {
            None => Ok(found),
            Some(at) => Err(Error::Usage(format!(
                "{}: the logits of example {} are no finite numbers",
                named(),
                first + at
            ))),
        }
    }
}

/// The targets of `n` examples, which the model's vocabulary has.
pub(super) fn known_targets<'a>(
    checkpoint: &Checkpoint,
    prompts: &'a Prompts,
    n: usize,
) -> Result<&'a [Targets]> {
    let n_vocab = checkpoint.config.n_vocab;
    let targets = prompts.need_targets()?;
    prompts.check_rows(n, "the tokens")?;
    let mut ids = targets.iter().flatten();
    match ids.find(|&&id| id as usize >= n_vocab) {
        None => Ok(targets),
        Some(id) => Err(Error::Usage(format!(
            "--targets: there is no token {id}; the vocabulary has {n_vocab}"
        ))),
    }
}

/// Runs the model and shows the last positions before block `first_layer`, `at_once` chunks of examples
/// after another, so that memory stays bounded; advances by one for each example and block, and one more for
/// each example.
pub(super) fn by_groups<T: Real>(
    checkpoint: &Checkpoint,
    sequences: &Sequences,
    [first_layer, at_once]: [usize; 2],
    progress: &dyn Progress,
    mut visit: impl FnMut(&[LastPosition<T>]) -> Result<()>,
) -> Result<()> {
    let config = &checkpoint.config;
    let mut last: Vec<LastPosition<T>> = Vec::new();
    let pass = Pass {
        checkpoint,
        patterns: PatternRows::None,
        edit: None,
        at_once,
    };
    pass.run::<T>(sequences, config.n_layers, |layer, chunks| {
        let next = layer.map_or(0, |layer| layer + 1);
        if layer.is_some_and(|layer| layer >= first_layer) {
            for (last, chunk) in last.iter_mut().zip(chunks.iter()) {
                last.keep(&chunk.streams, config);
            }
        }
        if next == first_layer {
            last = chunks
                .iter()
                .map(|chunk| LastPosition::before(chunk, config))
                .collect();
        }
        if next == config.n_layers {
            visit(&last)?;
        }
        let examples: usize = chunks.iter().map(|chunk| chunk.lengths.len()).sum();
        progress.advance(examples as u64);
        Ok(())
    })
}
