//! Shapes what `repgeo dynamics` reports.

use serde::Serialize;

use super::options::DynamicsOptions;
use crate::choice::choice;
use crate::geometry::{Known, known};
use crate::profile::clones::ClonesParameters;
use crate::profile::events::{EventOptions, PlacedEvent};
use crate::profile::id::IdParameters;
use crate::profile::imbalance::ImbalanceParameters;
use crate::profile::landscape::PeakParameters;
use crate::profile::overlap::OverlapParameters;
use crate::profile::similarity::SimilarityParameters;
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
    /// Run by run, then series by series: a value for every layer of any run that has one.
    pub values: Vec<DynamicsValue>,
    /// The runs where each layer has its smallest and its largest value, and the phases between.
    pub ranges: Vec<DynamicsRange>,
    /// The events over the layers of every run.
    pub events: Vec<RunEvents>,
    /// Between which runs a shape appears or goes.
    pub shape_changes: Vec<ShapeChange>,
    /// Warnings about the runs as a whole.
    pub warnings: Vec<Warning>,
}

/// The options, echoed.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DynamicsParameters {
    /// What was asked for.
    #[serde(flatten)]
    pub options: DynamicsOptions,
    /// How events were sought.
    pub events: EventOptions,
    /// What the command for a single dump says of its options, for the first run.
    pub analysis: RunParameters,
}

/// The options of the command for a single dump.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum RunParameters {
    /// Those of `id-profile`.
    Id(Box<IdParameters>),
    /// Those of `imbalance`.
    Imbalance(Box<ImbalanceParameters>),
    /// Those of `overlap`.
    Overlap(Box<OverlapParameters>),
    /// Those of `similarity`.
    Similarity(Box<SimilarityParameters>),
    /// Those of `density-peaks`.
    Peaks(Box<PeakParameters>),
    /// Those of `clones`.
    Clones(Box<ClonesParameters>),
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
    /// Rows of its dump, before any are chosen; null for a run that was left out.
    pub n_rows: Option<usize>,
    /// Its layers; null for a run that was left out.
    pub n_layers: Option<usize>,
    /// What its dump was understood to be, in one line; null for a run that was left out.
    pub understood: Option<String>,
    /// Why it was left out; absent otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
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

/// One number of one layer of one run, as the command for a single dump gives it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DynamicsValue {
    /// The run.
    pub run: String,
    /// The layer.
    pub layer: String,
    /// The layer that it was compared with, or the set of labels; null for neither and for gaps.
    pub other: Option<String>,
    /// What was measured, as in the CSV of the command for a single dump.
    pub quantity: &'static str,
    /// How it was measured, as there.
    pub variant: String,
    /// Neighbour order n1, k or chunk width.
    pub scale: Option<usize>,
    /// The number, or why there is none.
    #[serde(flatten)]
    pub outcome: Known<DynamicsNumber>,
    /// The mean over neighbouring layers; absent without `--smooth`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub smoothed: Option<f64>,
    /// Rows or ratios that it rests on; null for gaps.
    pub n: Option<usize>,
}

known! {
    /// A number and its error.
    #[derive(Debug, Clone, Copy, PartialEq)]
    pub struct DynamicsNumber {
        /// The number.
        pub value: f64,
        /// Its standard error.
        pub std_error: Option<f64>,
    }
}

impl DynamicsValue {
    /// The number, where there is one.
    pub fn value(&self) -> Option<f64> {
        self.outcome.ok().map(|found| found.value)
    }

    /// Its standard error, where it has one.
    pub fn std_error(&self) -> Option<f64> {
        self.outcome.ok()?.std_error
    }
}

/// What tells one series over layers from others of the same run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SeriesKey {
    /// What was measured.
    pub quantity: &'static str,
    /// How it was measured.
    pub variant: String,
    /// The set of labels; null without one.
    pub labels: Option<String>,
    /// Chunk width of `clones`; null otherwise.
    pub width: Option<usize>,
}

/// Where over runs a layer has its extremes.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DynamicsRange {
    /// The layer.
    pub layer: String,
    /// Of what.
    #[serde(flatten)]
    pub series: SeriesKey,
    /// Runs with a value.
    pub n_runs: usize,
    /// The first run with the smallest value; null without values.
    pub argmin: Option<DynamicsExtreme>,
    /// The first run with the largest value; null without values.
    pub argmax: Option<DynamicsExtreme>,
    /// The two phases before and after the smallest value, or why there are none.
    #[serde(flatten)]
    pub parted: Known<Parted>,
}

known! {
    /// What stands in a report as `phases`.
    #[derive(Debug, Clone, PartialEq)]
    pub struct Parted {
        /// The two phases before and after the smallest value.
        pub phases: DynamicsPhases,
    }
}

/// A run, and the value there.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DynamicsExtreme {
    /// The run.
    pub run: String,
    /// Its place in `--runs`.
    pub x: Option<f64>,
    /// The value.
    pub value: f64,
}

/// A fall over the first runs and a rise over the later ones (of Δ(last→first) of an autoencoder:
/// rapid fit and slow generalisation, arXiv 2411.01978).
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DynamicsPhases {
    /// The first run with a value.
    pub first: DynamicsExtreme,
    /// The run of the smallest value, where the phases part.
    pub split: DynamicsExtreme,
    /// The last run with a value.
    pub last: DynamicsExtreme,
    /// What the first phase falls by.
    pub fall: f64,
    /// What the second rises by.
    pub rise: f64,
}

/// The events of one series over the layers of one run.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RunEvents {
    /// The run.
    pub run: String,
    /// Of what.
    #[serde(flatten)]
    pub series: SeriesKey,
    /// Whether there is one hump.
    pub hunchback: Known<Presence>,
    /// Whether there are two.
    pub double_hunchback: Known<Presence>,
    /// The events that have a place.
    pub events: Vec<PlacedEvent>,
}

known! {
    /// Whether a shape is there.
    #[derive(Debug, Clone, Copy, PartialEq)]
    pub struct Presence {
        /// Whether it is.
        pub present: bool,
    }
}

choice! {
    /// A shape of a series over layers.
    pub enum RunShape {
        /// A rise, then a fall
        Hunchback = "hunchback",
        /// Two of them
        DoubleHunchback = "double_hunchback",
    }
}

/// Two neighbouring runs between which a shape appears or goes.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ShapeChange {
    /// Of what.
    #[serde(flatten)]
    pub series: SeriesKey,
    /// `hunchback` or `double_hunchback`.
    pub shape: RunShape,
    /// The last run before.
    pub from: String,
    /// Its place in `--runs`.
    pub from_x: Option<f64>,
    /// The first run after.
    pub to: String,
    /// Its place in `--runs`.
    pub to_x: Option<f64>,
    /// Whether it is there from then on.
    pub present: bool,
}
