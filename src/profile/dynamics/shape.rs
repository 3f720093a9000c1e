//! What `repgeo dynamics` reports.

use serde::Serialize;

use super::quantity::DynamicsQuantity;
use crate::geometry::Reason;
use crate::geometry::id::Estimator;
use crate::neighbours::Metric;
use crate::profile::compare::RowParameters;
use crate::warning::Warning;

/// A quantity over runs and layers.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DynamicsProfile {
    /// What was asked for, defaults included.
    pub parameters: DynamicsParameters,
    /// The runs, in order.
    pub runs: Vec<DynamicsRun>,
    /// Every layer of any run, in one order.
    pub layers: Vec<DynamicsLayer>,
    /// Run by run, then variant by variant: a value for every layer of any run that has one.
    pub values: Vec<DynamicsValue>,
    /// The runs where each layer has its smallest and its largest value.
    pub ranges: Vec<DynamicsRange>,
    /// Warnings about the runs as a whole.
    pub warnings: Vec<Warning>,
}

/// The options, echoed.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DynamicsParameters {
    /// What was computed.
    pub quantity: DynamicsQuantity,
    /// Estimators of the intrinsic dimension; empty for other quantities.
    pub estimators: Vec<&'static Estimator>,
    /// Gride's order: a number, `match_density` or `plateau`.
    pub order: Option<String>,
    /// What every layer was compared with, in its own run; null for the intrinsic dimension.
    pub to: Option<String>,
    /// Numbers of neighbours; empty where each estimator has its own.
    pub k: Vec<usize>,
    /// The distance.
    pub metric: Metric,
    /// How layers became points.
    #[serde(flatten)]
    pub rows: RowParameters,
    /// Seed of every random choice.
    pub seed: u64,
}

/// One run.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DynamicsRun {
    /// What tells its path from those of the others.
    pub run: String,
    /// Its place in `--runs`: epoch, width, …; null where nobody said.
    pub x: Option<f64>,
    /// What else `--runs` says of it; absent without such columns.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<DynamicsColumn>,
    /// Rows of its dump, before any are chosen.
    pub n_rows: usize,
    /// Its layers.
    pub n_layers: usize,
    /// Warnings about it; those of a layer name the layer.
    pub warnings: Vec<Warning>,
}

/// A word about a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DynamicsColumn {
    /// The column of `--runs`.
    pub column: String,
    /// Its cell.
    pub words: String,
}

/// A layer of at least one run.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DynamicsLayer {
    /// Its name.
    pub layer: String,
    /// Its place among all layers, from 0.
    pub index: usize,
    /// Its place between 0 and 1 among all layers.
    pub relative_depth: f64,
    /// Runs that have it.
    pub n_runs: usize,
}

/// The quantity in one layer of one run.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DynamicsValue {
    /// The run.
    pub run: String,
    /// The layer.
    pub layer: String,
    /// The layer that it was compared with; null for the intrinsic dimension and for gaps.
    pub other: Option<String>,
    /// How it was measured, as in the CSV of the command for a single dump.
    pub variant: String,
    /// Neighbour order n1 or k.
    pub scale: Option<usize>,
    /// The number.
    pub value: Option<f64>,
    /// Its standard error.
    pub std_error: Option<f64>,
    /// Rows or ratios that it rests on; null for gaps.
    pub n: Option<usize>,
    /// Why there is none.
    pub reason: Option<Reason>,
}

/// Where over runs a layer has its extremes.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DynamicsRange {
    /// The layer.
    pub layer: String,
    /// How it was measured.
    pub variant: String,
    /// Runs with a value.
    pub n_runs: usize,
    /// The first run with the smallest value; null without values.
    pub argmin: Option<DynamicsExtreme>,
    /// The first run with the largest value; null without values.
    pub argmax: Option<DynamicsExtreme>,
}

/// A run, and the value there.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DynamicsExtreme {
    /// The run.
    pub run: String,
    /// The value.
    pub value: f64,
}
