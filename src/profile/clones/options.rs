//! Options of chunks: how many, of which sizes, drawn how.

use serde::Serialize;

use crate::error::{Error, Result};

/// Random chunks of each size that are scored by custom.
const SCORE_DRAWS: usize = 100;

/// Which chunks are drawn, and how often.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ClonesOptions {
    /// Chunk sizes; `None` for W/2^i, rounded down, until one neuron.
    pub sizes: Option<Vec<usize>>,
    /// Random chunks of each size that are fitted.
    pub draws: usize,
    /// Random chunks of each size that are scored; `None` in a report without a readout.
    pub score_draws: Option<usize>,
    /// Whether chunks are scored with their logits times W/w as well.
    pub rescale: bool,
    /// Whether disjoint chunks of one size are fitted from each other; absent where not.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub disjoint: bool,
    /// Whether the intrinsic dimension of every chunk is sought; absent where not.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub chunk_id: bool,
    /// Disjoint parts of the rows behind the standard errors, if asked for.
    pub partitions: Option<usize>,
    /// Seed of every random choice.
    pub seed: u64,
    /// Bytes that the fits may hold beside the mapped layer; no limit if `None`. Changes no number.
    #[serde(skip)]
    pub max_memory: Option<u64>,
}

impl Default for ClonesOptions {
    fn default() -> Self {
        Self {
            sizes: None,
            draws: 40,
            score_draws: Some(SCORE_DRAWS),
            rescale: false,
            disjoint: false,
            chunk_id: false,
            partitions: None,
            seed: 0,
            max_memory: None,
        }
    }
}

impl ClonesOptions {
    /// The options as they are used, with a readout or without.
    pub(super) fn used(&self, readout: bool) -> Self {
        Self {
            score_draws: readout.then(|| self.score_draws.unwrap_or(SCORE_DRAWS)),
            ..self.clone()
        }
    }
}

/// The chunk sizes for a layer of `width` neurons, ascending, the whole layer last.
///
/// # Errors
/// [`Error::Usage`] for a chunk of no neuron or larger than the layer.
pub fn chunk_sizes(sizes: Option<&[usize]>, width: usize) -> Result<Vec<usize>> {
    let mut chosen = match sizes {
        None => {
            let halves = std::iter::successors(Some(width), |w| Some(w / 2));
            halves.take_while(|&w| w > 0).collect()
        }
        Some(sizes) => sizes.to_vec(),
    };
    if let Some(wrong) = chosen.iter().find(|&&w| w == 0 || w > width) {
        return Err(Error::Usage(format!(
            "--sizes: a chunk of {wrong} neurons cannot be drawn from a layer of {width}; give \
             sizes from 1 to {width}"
        )));
    }
    chosen.push(width);
    chosen.sort_unstable();
    chosen.dedup();
    Ok(chosen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_halve_down_to_one_neuron_and_always_hold_the_whole_layer() {
        assert_eq!(chunk_sizes(None, 20).unwrap(), [1, 2, 5, 10, 20]);
        assert_eq!(chunk_sizes(Some(&[8, 3, 8]), 20).unwrap(), [3, 8, 20]);
        assert_eq!(chunk_sizes(None, 1).unwrap(), [1]);
        assert!(chunk_sizes(Some(&[21]), 20).is_err());
        assert!(chunk_sizes(Some(&[0]), 20).is_err());
    }
}
