//! The shape of the report: what `clones` says, as data.

use serde::Serialize;

use super::options::ClonesOptions;
use crate::choice::choice;
use crate::geometry::clones::{Baseline, CriticalWidth};
use crate::geometry::{Known, known};
use crate::profile::parameters::ReadParameters;
use crate::warning::Warning;

/// Chunks of one layer.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ClonesProfile {
    /// What was asked for, defaults included.
    pub parameters: ClonesParameters,
    /// The layer.
    pub layer: CloneLayer,
    /// One entry a chunk size, ascending; the last is the whole layer.
    pub widths: Vec<ChunkWidth>,
    /// From which size on chunks are clones.
    pub critical_width: CriticalReport,
    /// What the readout says; absent without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<NetworkReport>,
    /// The answer in one sentence.
    pub verdict: String,
    /// Warnings about the run.
    pub warnings: Vec<Warning>,
}

/// The options, echoed.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ClonesParameters {
    /// What was asked for; null where it was not used.
    #[serde(flatten)]
    pub options: ClonesOptions,
    /// How the layer was read.
    #[serde(flatten)]
    pub read: ReadParameters,
}

/// The layer whose neurons are drawn.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CloneLayer {
    /// Name of the layer.
    pub layer: String,
    /// Type of the stored values.
    pub dtype: String,
    /// Rows, N.
    pub n_rows: usize,
    /// Neurons, W.
    pub width: usize,
    /// Neurons that say the same for every row.
    pub n_constant: usize,
}

/// A mean over draws and how far they spread.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Spread {
    /// The mean over draws.
    pub mean: f64,
    /// The standard deviation over draws; `None` of one draw. It is no error of the mean over data.
    pub std_dev: Option<f64>,
    /// The standard error of the mean over data, from disjoint parts of the rows.
    pub std_error: Option<f64>,
    /// Number of draws.
    pub n: usize,
}

/// Chunks of one size.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ChunkWidth {
    /// Neurons in a chunk, w.
    pub width: usize,
    /// Over all neurons, those of the chunk included, as published.
    #[serde(flatten)]
    pub of_all: Known<OverAll>,
    /// Over the neurons outside the chunk only.
    #[serde(flatten)]
    pub of_others: Known<OverOthers>,
    /// A chunk from a disjoint one of its size, both directions averaged; absent unless asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disjoint: Option<Known<ChunkStatistics>>,
    /// The dimension of the rows as a chunk shows them; absent unless asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dimension: Option<Known<ChunkDimension>>,
    /// Mean over draws of the complement's R² adjusted for the number of predictors,
    /// 1 − (1 − R²)(N − 1)/(N − 1 − w).
    pub adjusted_r2: Option<f64>,
    /// What independent neurons would show; `None` without a degree of freedom.
    pub baseline: Option<Baseline>,
    /// Smallest number of linearly independent neurons in a chunk.
    pub smallest_rank: Option<usize>,
    /// Largest number of neurons outside a chunk without residual variance, left out of the
    /// correlations.
    pub most_explained: Option<usize>,
    /// How the readout does on the given rows; absent without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test: Option<ChunkScores>,
    /// How it does on the training rows; absent without them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub train: Option<ChunkScores>,
}

known! {
    /// What stands in a report as `paper`.
    #[derive(Debug, Clone)]
    pub struct OverAll {
        /// Over all neurons, those of the chunk included, as published.
        pub paper: ChunkStatistics,
    }
    else "paper_reason"
}

known! {
    /// What stands in a report as `complement`.
    #[derive(Debug, Clone)]
    pub struct OverOthers {
        /// Over the neurons outside the chunk only.
        pub complement: ChunkStatistics,
    }
    else "complement_reason"
}

impl ChunkWidth {
    /// Over all neurons, where there is such a thing.
    pub fn paper(&self) -> Option<&ChunkStatistics> {
        self.of_all.ok().map(|found| &found.paper)
    }

    /// From a disjoint chunk, where there is such a thing.
    pub fn disjoint(&self) -> Option<&ChunkStatistics> {
        self.disjoint.as_ref()?.ok()
    }

    /// The intrinsic dimension, where there is one.
    pub fn id(&self) -> Option<Spread> {
        Some(self.dimension.as_ref()?.ok()?.id)
    }

    /// Over the neurons outside the chunk, where there is such a thing.
    pub fn complement(&self) -> Option<&ChunkStatistics> {
        self.of_others.ok().map(|found| &found.complement)
    }
}

known! {
    /// The intrinsic dimension in chunks of one size.
    #[derive(Debug, Clone, Copy)]
    pub struct ChunkDimension {
        /// Over the draws in which there is one.
        pub id: Spread,
    }
}

known! {
    /// Fit and residuals of chunks of one size.
    #[derive(Debug, Clone, Serialize)]
    pub struct ChunkStatistics {
        /// Share of variance explained.
        pub r2: Spread,
        /// Mean |correlation| of the residuals of two neurons; `None` without two that have any.
        pub residual_correlation: Option<Spread>,
        /// ‖correlations of all pairs‖₂ over their number; `None` as above.
        pub frobenius: Option<Spread>,
    }
}

/// The readout on chunks of one size.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ChunkScores {
    /// Share of rows answered rightly.
    pub accuracy: Spread,
    /// Mean cross-entropy in nats; `None` for one output.
    pub loss: Option<Spread>,
    /// Accuracy with the chunk's logits times W/w; absent unless asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rescaled_accuracy: Option<Spread>,
}

choice! {
    /// Whether training errors took part in the critical width.
    pub enum TrainingCondition {
        /// They did.
        Checked = "checked",
        /// They did not: there were none.
        NotChecked = "not_checked",
    }
}

choice! {
    /// Where the error of infinitely many clones comes from.
    pub enum LimitSource {
        /// An ensemble of whole networks.
        Ensemble = "ensemble",
        /// The widths of one network.
        Extrapolated = "extrapolated",
    }
}

/// From which size on chunks are clones.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CriticalReport {
    /// The critical width, or why there is none.
    #[serde(flatten)]
    pub outcome: Known<CriticalWidth>,
    /// The rule in words.
    pub rule: String,
    /// Whether training errors took part.
    pub training_condition: TrainingCondition,
}

/// What the readout says beyond single sizes.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct NetworkReport {
    /// Networks that were given, this one included.
    pub n_networks: usize,
    /// Accuracy of ensembles of whole networks; empty with one network.
    pub ensembles: Vec<EnsemblePoint>,
    /// The error that chunks cannot fall below.
    pub error_limit: ErrorLimit,
    /// How the error above the limit falls with width.
    pub excess_error: SlopeReport,
}

/// Ensembles of one size.
#[derive(Debug, Clone, Copy, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct EnsemblePoint {
    /// Networks in the ensemble.
    pub n_networks: usize,
    /// Mean accuracy over subsets of the networks: all of them where they are at most 1000, else
    /// drawn ones.
    pub accuracy: f64,
    /// The standard error of the mean over drawn subsets; `None` where all were taken.
    pub std_error: Option<f64>,
    /// How many subsets it is over.
    pub n_subsets: usize,
}

/// The error of infinitely many clones.
#[derive(Debug, Clone, Copy, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ErrorLimit {
    /// The error, or why there is none.
    #[serde(flatten)]
    pub outcome: Known<LimitError>,
    /// Where it comes from.
    pub source: LimitSource,
    /// Networks of the ensemble, or widths of the fit.
    pub n: Option<usize>,
}

known! {
    /// What stands in a report as `error`.
    #[derive(Debug, Clone, Copy, PartialEq)]
    pub struct LimitError {
        /// err_inf.
        pub error: f64,
    }
}

/// The slope of ln(error − err_inf) against ln w over w ≥ w_c.
#[derive(Debug, Clone, Copy, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SlopeReport {
    /// The slope, or why there is none.
    #[serde(flatten)]
    pub outcome: Known<SlopeValue>,
    /// Widths on the line.
    pub n: usize,
    /// Widths left out because their error is not above the limit.
    pub n_excluded: usize,
}

known! {
    /// A slope and its error.
    #[derive(Debug, Clone, Copy, PartialEq)]
    pub struct SlopeValue {
        /// Expected −1/2.
        pub slope: f64,
        /// From the residuals; `None` with fewer than three widths.
        pub std_error: Option<f64>,
    }
}
