//! Options of chunks: how many, of which sizes, drawn how.

use serde::Serialize;

use crate::error::{Error, Result};
use crate::geometry::id::{ESTIMATORS, Estimator, GRIDE, TWO_NN};
use crate::profile::asked::asked;
use crate::profile::id::{IdOptions, OrderFields, OrderRule};

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
    /// How the intrinsic dimension of every chunk is sought; absent where it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chunk_id: Option<ChunkId>,
    /// Disjoint parts of the rows behind the standard errors, if asked for.
    pub partitions: Option<usize>,
    /// Seed of every random choice.
    pub seed: u64,
    /// Bytes that the fits may hold beside the mapped layer; no limit if `None`. Changes no number.
    #[serde(skip)]
    pub max_memory: Option<u64>,
}

/// How the intrinsic dimension of a chunk is sought: as that of a layer of its columns.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ChunkId {
    /// The estimator.
    pub estimator: &'static Estimator,
    /// Neighbours in place of the customary number; absent unless asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub k: Option<usize>,
    /// Gride's order; `None` for the plateau of its scaling, and for other estimators.
    #[serde(flatten, serialize_with = "asked::<OrderFields, _, _>")]
    #[cfg_attr(test, schemars(with = "crate::profile::asked::Asked<OrderFields>"))]
    pub order: Option<OrderRule>,
}

impl Default for ChunkId {
    fn default() -> Self {
        Self {
            estimator: &TWO_NN,
            k: None,
            order: None,
        }
    }
}

impl ChunkId {
    /// The options with which a layer of the chunk's columns has the same number.
    ///
    /// # Errors
    /// [`Error::Usage`] for an estimator that gives several.
    pub(super) fn of_a_layer(self) -> Result<IdOptions> {
        let name = self.estimator.name;
        let parts = ESTIMATORS
            .iter()
            .filter(|one| one.part_of == Some(name))
            .map(|one| one.flag);
        let parts: Vec<&str> = parts.collect();
        if !parts.is_empty() {
            return Err(Error::Usage(format!(
                "--estimator {} gives several dimensions, and a chunk has one; take {}",
                self.estimator.flag,
                parts.join(" or ")
            )));
        }
        Ok(IdOptions {
            estimators: vec![self.estimator],
            k: self.k,
            order: self.order(),
            ..IdOptions::default()
        })
    }

    /// Gride's order, by custom the plateau.
    fn order(self) -> Option<OrderRule> {
        let order = self.order.unwrap_or(OrderRule::Plateau);
        (*self.estimator == GRIDE).then_some(order)
    }

    /// What tells its numbers from those of other estimators.
    pub fn variant(self) -> String {
        let name = self.estimator.name;
        match self.order() {
            None | Some(OrderRule::Fixed(_)) => name.to_owned(),
            Some(rule) => format!("{name}_{}", rule.kind()),
        }
    }
}

impl Default for ClonesOptions {
    fn default() -> Self {
        Self {
            sizes: None,
            draws: 40,
            score_draws: Some(SCORE_DRAWS),
            rescale: false,
            disjoint: false,
            chunk_id: None,
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
