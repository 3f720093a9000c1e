//! Options of imbalances.

use serde::{Serialize, Serializer};

use crate::choice::choice;
use crate::profile::asked::asked;
use crate::profile::compare::Target;
use crate::profile::resample::Partitioning;

/// What to compute between layers, and how.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ImbalanceOptions {
    /// What every layer is compared with.
    #[serde(rename = "to")]
    #[cfg_attr(test, schemars(with = "String"))]
    pub target: Target,
    /// Numbers of neighbours, ascending.
    pub k: Vec<usize>,
    /// Disjoint parts of the rows in which everything is computed again.
    #[serde(flatten, serialize_with = "asked::<Partitioning, _, _>")]
    #[cfg_attr(test, schemars(with = "crate::profile::asked::Asked<Partitioning>"))]
    pub partitioning: Option<Partitioning>,
    /// How often the rows of the second layer are permuted, for a null.
    pub shuffle: usize,
    /// Seed of permutations and parts.
    pub seed: u64,
}

impl Default for ImbalanceOptions {
    fn default() -> Self {
        Self {
            target: Target::All,
            k: vec![1],
            partitioning: None,
            shuffle: 0,
            seed: 0,
        }
    }
}

choice! {
    /// What the greedy search makes small.
    pub enum Criterion {
        /// Both directions, as far from (0, 0) as they lie.
        Symmetric = "symmetric",
        /// Δ(subset→full) alone.
        Forward = "forward",
    }
}

/// Which subsets of the columns of a layer are compared with the whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SubsetRule {
    /// These columns; each list is one subset.
    Given(Vec<Vec<usize>>),
    /// Grown one column at a time.
    Greedy(Greedy),
}

/// How subsets grow; the best `beam` of each size are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Greedy {
    /// Largest number of columns.
    pub columns: usize,
    /// Subsets kept of each size.
    pub beam: usize,
    /// What the search makes small: (Δ(full→s) + Δ(s→full))/√2, or Δ(s→full) alone.
    pub criterion: Criterion,
}

/// Reports echo how subsets grow; those that were given stand in the results.
impl Serialize for SubsetRule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let greedy = match self {
            Self::Given(_) => None,
            Self::Greedy(greedy) => Some(greedy),
        };
        greedy.serialize(serializer)
    }
}

/// What to compute between subsets of the columns of layers and whole layers.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SubsetOptions {
    /// Which layer the columns are to predict; their own if `None`.
    #[serde(rename = "to")]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub target: Option<Target>,
    /// How subsets grow; `None` if they are given.
    #[serde(rename = "greedy")]
    #[cfg_attr(test, schemars(with = "Option<Greedy>"))]
    pub rule: SubsetRule,
    /// Number of neighbours.
    pub k: usize,
}
