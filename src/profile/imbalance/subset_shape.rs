//! Shapes what `repgeo imbalance --coordinates` and `--greedy` report.

use serde::Serialize;

use super::options::SubsetOptions;
use crate::geometry::{Known, Reason, known};
use crate::neighbours::Metric;
use crate::profile::parameters::RowParameters;
use crate::warning::Warning;

/// Subsets of columns against whole layers.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SubsetsProfile {
    /// How they were computed.
    pub parameters: SubsetParameters,
    /// A line a layer, or a pair of layers.
    pub layers: Vec<LayerSubsets>,
    /// Warnings about the run.
    pub warnings: Vec<Warning>,
}

/// The options, echoed.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SubsetParameters {
    /// What was asked for.
    #[serde(flatten)]
    pub options: SubsetOptions,
    /// The distance.
    pub metric: Metric,
    /// How layers became points.
    #[serde(flatten)]
    pub rows: RowParameters,
}

/// One layer and its subsets.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LayerSubsets {
    /// Name of the layer that the columns are of.
    pub layer: String,
    /// Its index, from 0.
    pub index: usize,
    /// The whole layer that they are compared with, where it is another one.
    pub target: Option<String>,
    /// Rows, N.
    pub n: usize,
    /// Columns, D.
    pub n_columns: usize,
    /// (k + 1)/N; null without rows.
    pub floor: Option<f64>,
    /// The subsets, as given or as they grew.
    pub subsets: Vec<SubsetPair>,
    /// Why there are none.
    pub reason: Option<Reason>,
    /// Warnings about it.
    pub warnings: Vec<Warning>,
}

/// One subset of columns against a whole layer.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SubsetPair {
    /// The columns, from 0, ascending.
    pub columns: Vec<usize>,
    /// Both imbalances, or why there are none.
    #[serde(flatten)]
    pub outcome: Known<SubsetImbalances>,
}

known! {
    /// The imbalances between a layer and some columns.
    #[derive(Debug, Clone, Copy, PartialEq)]
    pub struct SubsetImbalances {
        /// Δ(full→subset).
        pub full_to_subset: f64,
        /// Δ(subset→full): small where the subset predicts the whole layer.
        pub subset_to_full: f64,
        /// Standard error of `full_to_subset`.
        pub std_error_full_to_subset: f64,
        /// Standard error of `subset_to_full`.
        pub std_error_subset_to_full: f64,
    }
}
