//! What a forward pass holds, and how many chunks of examples that leaves room for.

use super::model::{Config, PatternRows, Sequences};
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
        let block = 4 * d * d + 2 * d * hidden + 9 * d + hidden;
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
                work: "a block of the model and some 256 tokens on their way through it".into(),
                needed: self.fixed + both,
                limit,
                remedy: "raise it, or give shorter prompts".into(),
            }),
            chunks => Ok(chunks),
        }
    }
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
