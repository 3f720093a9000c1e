//! What to compute, and how.

use serde::Serialize;

use crate::choice::choice;
use crate::profile::compare::Target;
use crate::profile::resample::PartitionOrder;

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
    pub partitions: Option<usize>,
    /// How rows are dealt into parts.
    #[serde(skip)]
    pub partition_order: PartitionOrder,
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
            partitions: None,
            partition_order: PartitionOrder::Random,
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
    /// Grown one column at a time, up to so many, keeping the best `beam` subsets of each size.
    Greedy {
        /// Largest number of columns.
        columns: usize,
        /// Subsets kept of each size.
        beam: usize,
        /// What is made small.
        criterion: Criterion,
    },
}

/// What to compute between subsets of the columns of layers and whole layers.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SubsetOptions {
    /// Which layer the columns are to predict; their own if `None`.
    #[serde(rename = "to")]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub target: Option<Target>,
    /// Which subsets.
    #[serde(skip)]
    pub rule: SubsetRule,
    /// Number of neighbours.
    pub k: usize,
}
