//! What a forward pass holds, and how many chunks of examples that leaves room for.

use super::model::{Config, LastLogits, PatternRows, Sequences, chunks_at_once};
use crate::{Error, Result};

/// Bytes of a forward pass beside the mapped checkpoint and the prompts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Held {
    /// Of the weights in work, and of what is written at a time.
    pub fixed: u64,
    /// Of each chunk of examples, from the embedding to the last block.
    pub chunk: u64,
    /// Of each thread more, while it takes a chunk through a block.
    pub thread: u64,
}

/// A thread's packed parts of two matrices.
const PACKED: u64 = 2 << 20;

impl Held {
    /// Of a pass in numbers of `size` bytes that keeps these `patterns`, and the `logits` of last
    /// tokens where they are asked for.
    ///
    /// With d the width, h that of the MLP, c the tokens of the largest chunk, t those of the longest
    /// example, all of them numbers of `size` bytes:
    ///
    /// ```text
    /// fixed    4d² + 2dh + 9d + h of a block; V·d of the unembedding, 2V an example for its logits
    /// chunk    9·c·d streams, the patterns kept
    /// thread   the same once more, c·(2d + h), t² attention weights, 2 MiB
    /// ```
    pub(super) fn new(
        config: &Config,
        sequences: &Sequences,
        size: usize,
        patterns: PatternRows,
        logits: bool,
    ) -> Self {
        let size = size as u64;
        let [d, hidden, heads] = [config.width, config.hidden, config.n_heads].map(|x| x as u64);
        let longest = sequences.longest() as u64;
        let [mut tokens, mut examples, mut pattern] = [0; 3];
        for chunk in sequences.chunks() {
            let lengths = || chunk.clone().map(|at| sequences.tokens(at).len() as u64);
            let rows = |length: u64| match patterns {
                PatternRows::None => 0,
                PatternRows::Last => 1,
                PatternRows::All => length,
            };
            tokens = lengths().sum::<u64>().max(tokens);
            examples = (chunk.len() as u64).max(examples);
            let kept = lengths().map(|length| heads * rows(length) * length);
            pattern = kept.sum::<u64>().max(pattern);
        }
        let block = block(config);
        let unembedding = match logits {
            true => config.n_vocab as u64 * (d + 2 * examples),
            false => 0,
        };
        // Keys and values, and the bytes of one stream.
        let written = 3 * tokens * d;
        let streams = 9 * tokens * d + pattern;
        let work = tokens * (2 * d + hidden) + longest * longest;
        Self {
            fixed: size * (block + unembedding + written),
            chunk: size * streams,
            thread: size * (streams + work) + PACKED,
        }
    }

    /// How many chunks may be held at once under a `limit`: up to `most`, on as many threads.
    ///
    /// # Errors
    /// [`Error::Memory`] where one is too many.
    pub(super) fn chunks(self, most: usize, threads: usize, limit: Option<u64>) -> Result<usize> {
        let Some(limit) = limit else {
            return Ok(most);
        };
        let room = limit.saturating_sub(self.fixed);
        let both = self.chunk + self.thread;
        // Chunks come with a thread each until all threads work.
        let working = room / both.max(1);
        let held = match usize::try_from(working) {
            Ok(working) if working < threads => working as u64,
            _ => (room - threads as u64 * self.thread) / self.chunk.max(1),
        };
        match usize::try_from(held).unwrap_or(usize::MAX).min(most) {
            0 => Err(Error::Memory {
                work: "the weights in work and some 256 tokens on their way through them".into(),
                needed: self.fixed + both,
                limit,
                remedy: "raise it, or give shorter prompts".into(),
            }),
            chunks => Ok(chunks),
        }
    }
}

/// Changes of a model whose logits are read at the last token.
pub(super) struct Changes {
    /// The first block that is changed.
    pub first_layer: usize,
    /// How many there are, nothing changed among them.
    pub count: usize,
    /// Whether every token is changed, not the last alone.
    pub everywhere: bool,
}

impl Changes {
    /// How many chunks of a pass in numbers of `size` bytes may be held at once under a `limit`.
    ///
    /// With L for the blocks from the first that is changed, which stay in memory, and else as
    /// [`Held::new`]:
    ///
    /// ```text
    /// fixed    as of a pass with logits; the L blocks; 72 bytes an example and change
    /// chunk    as of a pass; keys and values of L blocks, 2·c·d·L, or, everywhere, all streams once more
    /// thread   as of a pass
    /// ```
    ///
    /// # Errors
    /// [`Error::Memory`] where one is too many.
    pub(super) fn chunks(
        &self,
        config: &Config,
        sequences: &Sequences,
        size: usize,
        limit: Option<u64>,
    ) -> Result<usize> {
        let pass = Held::new(config, sequences, size, PatternRows::None, true);
        let tokens = sequences.chunks().map(|chunk| {
            let lengths = chunk.map(|at| sequences.tokens(at).len());
            lengths.sum::<usize>()
        });
        let stream = tokens.max().unwrap_or(0) as u64 * config.width as u64;
        let again = match self.everywhere {
            true => 9 * stream,
            false => 2 * stream * self.kept(config),
        };
        let held = Held {
            fixed: pass.fixed + self.fixed(config, sequences.len(), size),
            chunk: pass.chunk + size as u64 * again,
            thread: pass.thread,
        };
        let threads = rayon::current_num_threads();
        held.chunks(chunks_at_once(config.width), threads, limit)
    }

    /// The same of a replay from a dump of examples of these `lengths`, all of which are held at once:
    /// the unembedding, and 2·L·d of every token.
    ///
    /// # Errors
    /// [`Error::Memory`] where that is too much.
    pub(super) fn check_replay(
        &self,
        config: &Config,
        lengths: &[usize],
        size: usize,
        limit: Option<u64>,
    ) -> Result<()> {
        let tokens = lengths.iter().sum::<usize>() as u64;
        let [d, vocabulary] = [config.width, config.n_vocab].map(|x| x as u64);
        let dumped = 2 * tokens * d * self.kept(config) + vocabulary * d;
        let needed = self.fixed(config, lengths.len(), size) + size as u64 * dumped + PACKED;
        match limit {
            Some(limit) if needed > limit => Err(Error::Memory {
                work: "the changed blocks of the model, with keys and values of every token".into(),
                needed,
                limit,
                remedy: "raise it, or leave --replay out: a pass holds some examples at a time"
                    .into(),
            }),
            _ => Ok(()),
        }
    }

    /// Blocks that stay in memory.
    fn kept(&self, config: &Config) -> u64 {
        config.n_layers.saturating_sub(self.first_layer) as u64
    }

    /// Bytes of these blocks, and of what is found of `n` examples.
    fn fixed(&self, config: &Config, n: usize, size: usize) -> u64 {
        let found = (self.count * n * size_of::<LastLogits>()) as u64;
        size as u64 * self.kept(config) * block(config) + found
    }
}

/// Numbers of a block's weights.
fn block(config: &Config) -> u64 {
    let [d, hidden] = [config.width, config.hidden].map(|x| x as u64);
    4 * d * d + 2 * d * hidden + 9 * d + hidden
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_come_with_a_thread_each_until_all_threads_work() {
        let held = Held {
            fixed: 100,
            chunk: 10,
            thread: 5,
        };
        let chunks = |limit| held.chunks(8, 3, limit);
        assert_eq!(chunks(None).unwrap(), 8);
        assert_eq!(chunks(Some(115)).unwrap(), 1);
        assert_eq!(chunks(Some(144)).unwrap(), 2);
        assert_eq!(chunks(Some(145)).unwrap(), 3);
        assert_eq!(chunks(Some(155)).unwrap(), 4);
        assert_eq!(chunks(Some(1000)).unwrap(), 8);
        let Err(Error::Memory { needed, limit, .. }) = chunks(Some(114)) else {
            panic!("one chunk does not fit");
        };
        assert_eq!([needed, limit], [115, 114]);
    }
}
