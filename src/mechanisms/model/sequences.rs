//! Token ids of the examples, and which of them go through the model together.

use std::ops::Range;

use super::config::Config;
use crate::{Error, Result};

/// Tokens that go through a block together: enough to keep the matrix product busy.
pub(super) const CHUNK_TOKENS: usize = 256;

/// Token ids of every example, without padding.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sequences {
    ids: Vec<u32>,
    starts: Vec<usize>,
}

impl Sequences {
    /// Sequences of these token ids.
    pub fn new<'a>(examples: impl IntoIterator<Item = &'a [u32]>) -> Self {
        let mut sequences = Self {
            ids: Vec::new(),
            starts: vec![0],
        };
        for example in examples {
            sequences.ids.extend_from_slice(example);
            sequences.starts.push(sequences.ids.len());
        }
        sequences
    }

    /// Number of examples.
    pub fn len(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The tokens of one example.
    pub fn tokens(&self, example: usize) -> &[u32] {
        &self.ids[self.starts[example]..self.starts[example + 1]]
    }

    /// The longest example.
    pub fn longest(&self) -> usize {
        self.starts
            .windows(2)
            .map(|pair| pair[1] - pair[0])
            .max()
            .unwrap_or(0)
    }

    /// Examples that go through a block together, chunk after chunk.
    pub fn chunks(&self) -> impl Iterator<Item = Range<usize>> + '_ {
        let mut next = 0;
        std::iter::from_fn(move || {
            let (first, mut tokens) = (next, 0);
            while next < self.len() && tokens < CHUNK_TOKENS {
                tokens += self.tokens(next).len();
                next += 1;
            }
            (first < next).then_some(first..next)
        })
    }

    /// Whether a model can read them.
    ///
    /// # Errors
    /// [`Error::Usage`] naming the first example with a token outside the vocabulary, without
    /// tokens, or longer than the model's positions.
    pub fn check(&self, config: &Config) -> Result<()> {
        for example in 0..self.len() {
            let tokens = self.tokens(example);
            if tokens.is_empty() || tokens.len() > config.n_positions {
                return Err(Error::Usage(format!(
                    "--tokens: example {example} has {} tokens; the model takes 1 to {}",
                    tokens.len(),
                    config.n_positions
                )));
            }
            if let Some(id) = tokens.iter().find(|&&id| id as usize >= config.n_vocab) {
                return Err(Error::Usage(format!(
                    "--tokens: example {example} holds token {id}; the vocabulary has {}",
                    config.n_vocab
                )));
            }
        }
        Ok(())
    }
}
