//! The shape of the report: what `repgeo density-peaks` says, as data.

use serde::Serialize;

use super::dimension::Dimension;
use super::options::PeakOptions;
use super::rows::RowPeaks;
use crate::choice::choice;
use crate::geometry::diagnostics::{Diagnostics, LEVELS, Quantiles};
use crate::geometry::partition::Scores;
use crate::geometry::{Known, known};
use crate::neighbours::Metric;
use crate::profile::bench::Bench;
use crate::profile::events::{Event, Events, Lead};
use crate::profile::parameters::RowParameters;
use crate::warning::Warning;

/// The density peaks of every layer.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PeakProfile {
    /// What was asked for, defaults included.
    pub parameters: PeakParameters,
    /// The layers, in order.
    pub layers: Vec<LayerPeaks>,
    /// Events of the number of peaks and of the ARI with each set of labels; empty unless sought.
    pub events: Vec<QuantityEvents>,
    /// How far the ARI with the first set of labels peaks before that with the second; absent
    /// without two sets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lead: Option<Event<Lead>>,
    /// Warnings about the run.
    pub warnings: Vec<Warning>,
}

/// The options, echoed.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PeakParameters {
    /// What was asked for.
    #[serde(flatten)]
    pub options: PeakOptions,
    /// Neighbours stored for the assignment of rows and the search for saddles.
    pub stored: usize,
    /// Names of the sets of labels, and of the run whose peaks serve as such.
    pub labels: Vec<String>,
    /// The distance.
    pub metric: Metric,
    /// How layers became points.
    #[serde(flatten)]
    pub rows: RowParameters,
}

impl PeakParameters {
    pub(super) fn new(options: &PeakOptions, bench: &Bench<'_>) -> Self {
        Self {
            options: options.clone(),
            stored: options.stored(),
            labels: options.labels.iter().map(|one| one.name.clone()).collect(),
            metric: bench.metric,
            rows: RowParameters::new(&options.layers, bench.rows),
        }
    }
}

/// The peaks of one layer.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LayerPeaks {
    /// Name in the dump.
    pub layer: String,
    /// Position in the dump, from 0.
    pub index: usize,
    /// index / (L − 1); 0 for a single layer.
    pub relative_depth: f64,
    /// Rows analysed, after selection and duplicate policy.
    pub n_rows: usize,
    /// Columns; `None` for a precomputed neighbour table.
    pub n_columns: Option<usize>,
    /// Stored type; `None` for a precomputed neighbour table.
    pub dtype: Option<String>,
    /// Neighbours stored.
    pub stored: usize,
    /// The dimension of the densities.
    pub id: Dimension,
    /// The densities in a few numbers; `None` where there are none.
    pub density: Option<DensitySummary>,
    /// The peaks in a few numbers, or why there are none.
    #[serde(flatten)]
    pub outcome: Known<PeakCounts>,
    /// The peaks, by the row of their centre.
    pub peaks: Vec<PeakSummary>,
    /// Agreement with every set of labels.
    pub scores: Vec<LabelScores>,
    /// How far the layer can be trusted.
    pub diagnostics: Diagnostics,
    /// Warnings about this layer.
    pub warnings: Vec<Warning>,
    /// What is known of single rows, if it was asked for; it goes into files of its own.
    #[serde(skip)]
    pub rows: Option<RowPeaks>,
}

known! {
    /// The peaks of a layer in a few numbers.
    #[derive(Debug, Clone, Copy, PartialEq)]
    pub struct PeakCounts {
        /// Number of peaks.
        pub n_peaks: usize,
        /// Maxima of the density before those that fluctuations explain were merged.
        pub n_putative: usize,
        /// Share of rows outside the halos.
        pub core_fraction: f64,
        /// Rows of the largest peak over all rows.
        pub largest_fraction: f64,
    }
}

impl LayerPeaks {
    /// Number of peaks, where there are densities.
    pub fn n_peaks(&self) -> Option<usize> {
        self.outcome.ok().map(|counts| counts.n_peaks)
    }
}

/// The densities of a layer in a few numbers.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DensitySummary {
    /// −mean of the log-densities.
    pub entropy: Option<f64>,
    /// Smallest log-density.
    pub smallest: Option<f64>,
    /// Largest log-density.
    pub largest: Option<f64>,
    /// Rows without a density, because a distance is 0; they take no part.
    pub n_missing: usize,
    /// Rows where PAk has no maximum and k*NN stands in.
    pub n_fallback: usize,
    /// Mean of k* over rows.
    pub mean_kstar: Option<f64>,
    /// The levels of the quantiles of k*.
    pub levels: [f64; LEVELS.len()],
    /// Quantiles of k*.
    pub kstar: Quantiles,
}

/// One peak.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PeakSummary {
    /// Its number, from 0.
    pub peak: usize,
    /// The input row of its centre.
    pub row: usize,
    /// Log-density there.
    pub log_density: f64,
    /// Its error.
    pub error: f64,
    /// Rows that belong to it.
    pub size: usize,
    /// Of these, the rows outside its halo.
    pub n_core: usize,
}

/// Agreement of peaks with one set of labels.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LabelScores {
    /// Name of the labels.
    pub labels: String,
    /// Rows compared: those with a label and a peak.
    pub n: usize,
    /// Analysed rows without a label, noise labels included.
    pub n_missing: usize,
    /// Classes among the rows compared.
    pub n_classes: usize,
    /// The scores, or why nothing could be compared.
    #[serde(flatten)]
    pub outcome: Known<Compared>,
}

known! {
    /// What stands in a report as `scores`.
    #[derive(Debug, Clone, Copy, PartialEq)]
    pub struct Compared {
        /// The scores.
        pub scores: Scores,
    }
}

impl LabelScores {
    /// The scores, where something could be compared.
    pub fn scores(&self) -> Option<&Scores> {
        self.outcome.ok().map(|one| &one.scores)
    }
}

choice! {
    /// A quantity of the peaks whose events are sought over layers.
    pub enum PeakQuantity {
        /// Number of peaks.
        NPeaks = "n_peaks",
        /// Adjusted Rand index of the peaks with a set of labels.
        Ari = "ari",
    }
}

/// The events of one quantity over layers.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct QuantityEvents {
    /// Which.
    pub quantity: PeakQuantity,
    /// Name of the labels; empty for the number of peaks.
    pub other: String,
    /// The events; of an ARI with classes, `half_maximum` is the nucleation layer.
    pub events: Events,
}

/// The classes of one peak.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ClassMix {
    /// Name of the labels.
    pub labels: String,
    /// Rows with a label.
    pub n: u64,
    /// Share of the most frequent class.
    pub majority_fraction: f64,
    /// Entropy of the classes, in nats.
    pub entropy: f64,
    /// Its classes, the most frequent first.
    pub classes: Vec<ClassCount>,
}

/// A class and its rows.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ClassCount {
    /// The class.
    pub class: String,
    /// Its rows.
    pub n: u64,
}
