//! Shapes what `repgeo probe` reports.

use serde::Serialize;

use super::options::ProbeOptions;
use crate::choice::choice;
use crate::geometry::{Known, known};
use crate::neighbours::Metric;
use crate::profile::compare::LayerRef;
use crate::profile::parameters::RowParameters;
use crate::warning::Warning;

/// How well a linear read-out of each layer does on rows that it has not seen.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ProbeProfile {
    /// What was asked for, defaults included.
    pub parameters: ProbeParameters,
    /// What was read out.
    pub target: ProbeTarget,
    /// The layers, in order.
    pub layers: Vec<ProbeLayer>,
    /// The layer with the best score, the first on ties; null without scores.
    pub best: Option<ProbeBest>,
    /// The layers that the intrinsic dimension proposes without any labels (arXiv 2302.00294).
    pub proposed: Vec<ProposedLayer>,
    /// Warnings about the run.
    pub warnings: Vec<Warning>,
}

choice! {
    /// What the splits of a probe deal.
    pub enum Dealt {
        /// Single rows
        Rows = "rows",
        /// Whole prompts, where rows are tokens
        Prompts = "prompts",
    }
}

choice! {
    /// How well targets were read out.
    pub enum ScoreKind {
        /// Share of rows whose class was found
        Accuracy = "accuracy",
        /// Share of the variance of numbers that was found
        R2 = "r2",
    }
}

/// The options, echoed.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ProbeParameters {
    /// What was asked for.
    #[serde(flatten)]
    pub options: ProbeOptions,
    /// What the splits deal: `rows`, or whole `prompts` where rows are tokens.
    pub dealt: Dealt,
    /// How columns were standardised, in words.
    pub standardised: &'static str,
    /// How far rows are apart where the dimension proposes a layer.
    pub metric: Metric,
    /// How layers became points.
    #[serde(flatten)]
    pub rows: RowParameters,
}

/// What was read out.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ProbeTarget {
    /// The name of the labels or targets.
    pub name: String,
    /// `accuracy` of classes, `r2` of numbers.
    pub score: ScoreKind,
    /// Rows with a target.
    pub n: usize,
    /// Rows without one, which took no part.
    pub n_missing: usize,
    /// The classes; null for numbers.
    pub n_classes: Option<usize>,
    /// What an answer without looking gets: the share of the most frequent training class, 0 of r2.
    pub chance: Option<f64>,
}

/// The probe of one layer.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ProbeLayer {
    /// Name of the layer.
    pub layer: String,
    /// Its index, from 0.
    pub index: usize,
    /// Its position between 0 and 1.
    pub relative_depth: f64,
    /// Its columns.
    pub n_columns: usize,
    /// How well it was read out, or why it was not.
    #[serde(flatten)]
    pub outcome: Known<ProbeScore>,
    /// The score of every fold.
    pub folds: Vec<f64>,
}

known! {
    /// How well a layer was read out.
    #[derive(Debug, Clone, Copy, PartialEq)]
    pub struct ProbeScore {
        /// Mean over folds of the accuracy, or of R² = 1 − Σ(y − ŷ)²/Σ(y − ȳ)², on rows not learned
        /// from.
        pub score: f64,
        /// Standard deviation over folds (ddof 1); null for one split.
        pub std_dev: Option<f64>,
        /// The same mean on the rows learned from.
        pub train_score: Option<f64>,
        /// Steps of the longest fit; null for ridge, which needs none.
        pub n_steps: Option<usize>,
    }
}

impl ProbeLayer {
    /// The score, where there is one.
    pub fn score(&self) -> Option<f64> {
        self.outcome.ok().map(|found| found.score)
    }

    /// Its standard deviation over folds, where it has one.
    pub fn std_dev(&self) -> Option<f64> {
        self.outcome.ok()?.std_dev
    }

    /// The score on the rows learned from.
    pub fn train_score(&self) -> Option<f64> {
        self.outcome.ok()?.train_score
    }
}

/// The layer with the best score.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ProbeBest {
    /// The layer.
    #[serde(flatten)]
    pub at: LayerRef,
    /// Its score.
    pub score: f64,
}

choice! {
    /// How the intrinsic dimension proposes a layer.
    pub enum ProposalRule {
        /// The relative minimum after the first maximum
        RelativeMinimum = "relative_minimum",
        /// The maximum
        Peak = "peak",
    }
}

/// A layer that the intrinsic dimension (TwoNN) proposes.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ProposedLayer {
    /// By which rule.
    pub rule: ProposalRule,
    /// The layer, or why there is no such layer.
    #[serde(flatten)]
    pub outcome: Known<Proposal>,
}

known! {
    /// A layer by its dimension, and how well it was read out.
    #[derive(Debug, Clone, PartialEq)]
    pub struct Proposal {
        /// The layer; null where there is no such layer.
        pub layer: String,
        /// Its dimension.
        pub id: f64,
        /// Its score.
        pub score: Option<f64>,
        /// The best score less this one.
        pub below_best: Option<f64>,
    }
}
