//! Shapes what `repgeo overlap` reports.

use serde::Serialize;

use super::options::OverlapOptions;
use crate::geometry::id::ErrorKind;
use crate::geometry::relation::LabelOverlap;
use crate::geometry::{Known, known};
use crate::neighbours::Metric;
use crate::profile::compare::{ComparedLayer, LayerMatrix, LayerRef};
use crate::profile::parameters::RowParameters;
use crate::warning::Warning;

/// Overlaps between layers and with labels.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct OverlapProfile {
    /// How they were computed.
    pub parameters: OverlapParameters,
    /// Common rows, N.
    pub n: usize,
    /// The layers.
    pub layers: Vec<ComparedLayer>,
    /// The layers of the other dump, if there is one.
    pub against: Option<Vec<ComparedLayer>>,
    /// Every pair that was asked for, at every k.
    pub pairs: Vec<OverlapPair>,
    /// The same as matrices, one for each k, where all layers were compared.
    pub matrices: Vec<OverlapMatrix>,
    /// The overlap of every layer with every set of labels, at every k.
    pub labels: Vec<LabelledLayer>,
    /// Warnings about the run.
    pub warnings: Vec<Warning>,
}

/// The options, echoed.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct OverlapParameters {
    /// What was asked for; of the numbers of neighbours those that the rows allow.
    #[serde(flatten)]
    pub options: OverlapOptions,
    /// The distance.
    pub metric: Metric,
    /// How layers became points.
    #[serde(flatten)]
    pub rows: RowParameters,
}

/// Two layers at one k.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct OverlapPair {
    /// The first layer.
    pub a: LayerRef,
    /// The second.
    pub b: LayerRef,
    /// Number of neighbours.
    pub k: usize,
    /// Rows, N.
    pub n: usize,
    /// The overlap, or why there is none.
    #[serde(flatten)]
    pub outcome: Known<OverlapValue>,
    /// `blocks` of rows, or `partitions` in which neighbours were sought again.
    pub error_kind: ErrorKind,
    /// What independent layers have on average, k/(N − 1).
    pub chance: Option<f64>,
    /// Standard deviation over rows for independent layers.
    pub chance_std_per_row: Option<f64>,
    /// Mean over parts, where parts were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partitions_mean: Option<f64>,
    /// The overlap of class histograms with each set of labels.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub class_histograms: Vec<LabelledPair>,
    /// o_i of every row, if they were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_row: Option<Vec<f64>>,
}

known! {
    /// The overlap of two layers.
    #[derive(Debug, Clone, Copy, PartialEq)]
    pub struct OverlapValue {
        /// χ, the mean share of common neighbours.
        pub value: f64,
        /// Standard error by `error_kind`.
        pub std_error: Option<f64>,
        /// (χ − chance)/(1 − chance).
        pub adjusted: Option<f64>,
    }
}

impl OverlapPair {
    /// χ, where it exists.
    pub fn value(&self) -> Option<f64> {
        self.outcome.ok().map(|found| found.value)
    }

    /// Its standard error, where it has one.
    pub fn std_error(&self) -> Option<f64> {
        self.outcome.ok()?.std_error
    }
}

/// The class-histogram overlap of a pair.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LabelledPair {
    /// The set of labels.
    pub labels: String,
    /// The overlap.
    pub value: f64,
}

/// One symmetric matrix, or one of two dumps.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct OverlapMatrix {
    /// Number of neighbours.
    pub k: usize,
    /// What independent layers have on average.
    pub chance: Option<f64>,
    /// χ of the row's layer and the column's; 1 where a layer meets itself.
    #[serde(flatten)]
    pub data_overlap: LayerMatrix,
}

/// One layer, one set of labels, one k.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LabelledLayer {
    /// Name of the layer.
    pub layer: String,
    /// Its index, from 0.
    pub index: usize,
    /// Its position between 0 and 1.
    pub relative_depth: f64,
    /// The set of labels.
    pub labels: String,
    /// Number of neighbours; `None` where it depends on the class.
    pub k: Option<usize>,
    /// The overlap, or why there is none.
    #[serde(flatten)]
    pub outcome: Known<LabelledValue>,
}

known! {
    /// The overlap of a layer with labels.
    #[derive(Debug, Clone, PartialEq)]
    pub struct LabelledValue {
        /// What was found.
        pub label_overlap: LabelOverlap,
        /// Standard error of `micro` over blocks of rows.
        pub std_error_micro: Option<f64>,
        /// Standard error of `macro` over blocks of rows.
        pub std_error_macro: Option<f64>,
    }
}
