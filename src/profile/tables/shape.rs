//! Shapes what `repgeo neighbours` reports.

use serde::Serialize;

use crate::neighbours::Metric;
use crate::profile::parameters::RowParameters;
use crate::warning::Warning;

/// The tables that were written.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct NeighboursReport {
    /// What was asked for, defaults included.
    pub parameters: TableParameters,
    /// One entry a layer.
    pub layers: Vec<WrittenTable>,
    /// Warnings about the run.
    pub warnings: Vec<Warning>,
}

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TableParameters {
    /// Neighbours of each row.
    pub k: usize,
    /// The distance.
    pub metric: Metric,
    /// How layers became points.
    #[serde(flatten)]
    pub rows: RowParameters,
}

/// The table of one layer.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct WrittenTable {
    /// Name of the layer.
    pub layer: String,
    /// Its index, from 0.
    pub index: usize,
    /// Rows, N.
    pub n: usize,
    /// The layer that the queries are from, if they are from another dump.
    pub query_layer: Option<String>,
    /// Its rows.
    pub n_queries: Option<usize>,
    /// Neighbours of each row or query; a row itself is not counted.
    pub k: usize,
    /// Mean distance of the first neighbour.
    pub mean_r1: Option<f64>,
    /// Mean distance of the last neighbour.
    pub mean_rk: Option<f64>,
    /// The file, in the folder that was named.
    pub file: String,
    /// Warnings about it.
    pub warnings: Vec<Warning>,
}
