//! The shape of the report: what `repgeo id-profile` says, as data.

use serde::Serialize;

use super::options::IdOptions;
use super::rules::OrderKind;
use crate::geometry::Reason;
use crate::geometry::diagnostics::Diagnostics;
use crate::geometry::id::{ErrorKind, Estimate, Estimator, Outcome};
use crate::geometry::{Known, known};
use crate::neighbours::Metric;
use crate::profile::bench::Bench;
use crate::profile::controls::Control;
use crate::profile::events::Events;
use crate::profile::parameters::RowParameters;
use crate::profile::resample::Resampling;
use crate::warning::Warning;

/// Intrinsic dimension over the layers of a dump.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct IdProfile {
    /// What was asked for, defaults included.
    pub parameters: IdParameters,
    /// One entry a layer, in the order of the dump.
    pub layers: Vec<LayerId>,
    /// Where the profile peaks and where it is lowest; `None` without two estimates.
    pub summary: Option<IdSummary>,
    /// Events on the first estimate over layers; absent unless asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub events: Option<Events>,
    /// Why there are none where they were asked for: fewer layers than an event needs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub events_reason: Option<Reason>,
    /// Warnings about the run as a whole.
    pub warnings: Vec<Warning>,
}

/// The options, echoed.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct IdParameters {
    /// What was asked for.
    #[serde(flatten)]
    pub options: IdOptions,
    /// The distance.
    pub metric: Metric,
    /// How layers became points.
    #[serde(flatten)]
    pub rows: RowParameters,
}

impl IdParameters {
    pub(super) fn new(options: &IdOptions, bench: &Bench<'_>) -> Self {
        Self {
            options: options.clone(),
            metric: bench.metric,
            rows: RowParameters::new(&options.layers, bench.rows),
        }
    }
}

/// Everything about one layer.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LayerId {
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
    /// Stored type: `f16`, `bf16`, `f32`, …; `None` for a precomputed neighbour table.
    pub dtype: Option<String>,
    /// One entry per estimator and fit, headline first.
    pub estimates: Vec<IdEstimate>,
    /// Gride at every order; empty unless asked for.
    pub scaling: Vec<ScalePoint>,
    /// TwoNN on ever smaller sub-samples; empty unless asked for.
    pub decimation_scaling: Vec<DecimationPoint>,
    /// The plateau of `scaling`, or why there is none; absent without scaling.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plateau: Option<Plateau>,
    /// The largest eigenvalues of the covariance; absent unless a linear dimension was asked for
    /// and they exist.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spectrum: Option<LeadingEigenvalues>,
    /// The same estimates on layers made up from this one; absent unless asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub controls: Vec<ControlId>,
    /// How far the layer can be trusted.
    pub diagnostics: Diagnostics,
    /// Warnings about this layer.
    pub warnings: Vec<Warning>,
    /// Dimension at every input row by one local estimator, NaN where it does not exist; it goes
    /// into a file of its own, not into the report.
    #[serde(skip)]
    pub local: Option<Vec<f64>>,
}

impl IdProfile {
    /// The dimensions at single rows, layer after layer, and their shape: \[N\] for one layer,
    /// \[L, N\] for several; `None` unless they were asked for.
    pub fn local(&self) -> Option<(Vec<usize>, Vec<f64>)> {
        let layers: Option<Vec<&[f64]>> = self.layers.iter().map(|l| l.local.as_deref()).collect();
        let layers = layers?;
        let n = layers.first()?.len();
        let shape = match layers.len() {
            1 => vec![n],
            n_layers => vec![n_layers, n],
        };
        let same = layers.iter().all(|layer| layer.len() == n);
        same.then(|| (shape, layers.concat()))
    }
}

/// The estimates of a layer on one control of it.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ControlId {
    /// What it keeps of the layer.
    pub control: Control,
    /// Seed of the control.
    pub seed: u64,
    /// The estimates of the layer, on the control.
    pub estimates: Vec<IdEstimate>,
    /// Its scaling, on the control.
    pub scaling: Vec<ScalePoint>,
}

known! {
    /// An intrinsic dimension, as a report gives it.
    #[derive(Debug, Clone, Copy, PartialEq)]
    pub struct IdValue {
        /// The intrinsic dimension.
        pub id: f64,
        /// Its standard error.
        pub std_error: Option<f64>,
        /// What the standard error includes.
        pub error_kind: Option<ErrorKind>,
    }
}

/// One estimate of one layer.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct IdEstimate {
    /// The estimator.
    pub estimator: &'static Estimator,
    /// TwoNN's fit or lPCA's rule; `None` for the others.
    pub fit: Option<&'static str>,
    /// Share of ratios fitted, where the fit has one.
    pub fraction: Option<f64>,
    /// First neighbour order n1 (1 for TwoNN); `None` where the rule chose none.
    pub order: Option<usize>,
    /// How the order was chosen.
    pub order_rule: Option<OrderKind>,
    /// Neighbours looked at; absent for TwoNN, Gride and linear dimensions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub k: Option<usize>,
    /// The dimension and its error, or why there is none.
    #[serde(flatten)]
    pub outcome: Known<IdValue>,
    /// Mean distance at which the estimator looks; `None` for linear dimensions.
    pub distance: Option<f64>,
    /// Ratios or rows used.
    pub n: usize,
    /// Ratios fitted.
    pub n_fit: usize,
    /// Ratios excluded: zero denominator.
    pub n_zero: usize,
    /// Ratios equal to 1.
    pub n_tied: usize,
    /// Ratios excluded by the outlier filter.
    pub n_filtered: usize,
    /// Mode of the posterior (`bayes` only).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<f64>,
    /// How ABIDE came to its estimate; absent for the others.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<AdaptiveStep>,
    /// The same estimate in disjoint parts or decimated samples; absent unless asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resampled: Option<Resampled>,
}

impl IdEstimate {
    /// What `estimator` found, looking at `distance`; what only some estimators have is absent.
    pub(super) fn new(
        estimator: &'static Estimator,
        outcome: Outcome,
        distance: Option<f64>,
    ) -> Self {
        let found = outcome.ok();
        Self {
            estimator,
            fit: None,
            fraction: None,
            order: None,
            order_rule: None,
            k: None,
            outcome: outcome.map(IdValue::from).into(),
            distance,
            n: found.map_or(0, |estimate| estimate.n),
            n_fit: found.map_or(0, |estimate| estimate.n_fit),
            n_zero: found.map_or(0, |estimate| estimate.n_zero),
            n_tied: found.map_or(0, |estimate| estimate.n_tied),
            n_filtered: found.map_or(0, |estimate| estimate.n_filtered),
            mode: found.and_then(|estimate| estimate.mode),
            steps: Vec::new(),
            resampled: None,
        }
    }

    /// The intrinsic dimension, where it exists.
    pub fn id(&self) -> Option<f64> {
        self.outcome.ok().map(|value| value.id)
    }

    /// Its standard error, where it has one.
    pub fn std_error(&self) -> Option<f64> {
        self.outcome.ok()?.std_error
    }

    /// How the estimate was made, in one word: `two_nn_base`, `gride`, `gride_plateau`, …
    ///
    /// A fixed order is part of the scale, not of the name.
    pub fn variant(&self) -> String {
        match (self.fit, self.order_rule) {
            (Some(fit), _) => format!("{}_{fit}", self.estimator.name),
            (None, None | Some(OrderKind::Fixed)) => self.estimator.name.to_owned(),
            (None, Some(rule)) => format!("{}_{rule}", self.estimator.name),
        }
    }

    /// The scale as a number of neighbours: the order n1, or k.
    pub fn scale(&self) -> Option<usize> {
        self.order.or(self.k)
    }
}

impl From<Estimate> for IdValue {
    fn from(estimate: Estimate) -> Self {
        Self {
            id: estimate.id,
            std_error: estimate.std_error,
            error_kind: estimate.error_kind.filter(|_| estimate.std_error.is_some()),
        }
    }
}

/// One step of ABIDE: a dimension, and the neighbourhoods k* that it allows.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AdaptiveStep {
    /// The dimension; at the first step TwoNN's.
    pub id: f64,
    /// Its model error; `None` at the first step.
    pub std_error: Option<f64>,
    /// Its log-likelihood; `None` at the first step.
    pub log_likelihood: Option<f64>,
    /// Mean of k* over rows.
    pub mean_kstar: Option<f64>,
    /// Median of k* over rows.
    pub median_kstar: Option<f64>,
    /// Rows that have a k*.
    pub n: usize,
}

/// The largest eigenvalues of the covariance of a layer.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LeadingEigenvalues {
    /// Eigenvalues in all, min(N, D).
    pub n: usize,
    /// Their sum: the total variance.
    pub total: f64,
    /// The largest of them, descending, 64 at most unless another number was asked for.
    pub eigenvalues: Vec<f64>,
    /// Share of the total in the first 1, 2, … of them.
    pub cumulative: Vec<f64>,
}

/// One order of Gride's scaling.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ScalePoint {
    /// n1; n2 is twice that.
    pub order: usize,
    /// Ratios used.
    pub n: usize,
    /// Mean over rows of the pooled r_n1 and r_n2.
    pub distance: Option<f64>,
    /// Gride's dimension, or why there is none.
    #[serde(flatten)]
    pub outcome: Known<ScaleValue>,
    /// The same order in disjoint parts or decimated samples; absent unless asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resampled: Option<Resampled>,
}

known! {
    /// The dimension at one order.
    #[derive(Debug, Clone, Copy, PartialEq)]
    pub struct ScaleValue {
        /// Gride's dimension.
        pub id: f64,
        /// Its Fisher (model) error.
        pub std_error: Option<f64>,
    }
}

impl From<Estimate> for ScaleValue {
    fn from(estimate: Estimate) -> Self {
        Self {
            id: estimate.id,
            std_error: estimate.std_error,
        }
    }
}

impl ScalePoint {
    /// Gride's dimension, where it exists.
    pub fn id(&self) -> Option<f64> {
        self.outcome.ok().map(|value| value.id)
    }

    /// Its error, where it has one.
    pub fn std_error(&self) -> Option<f64> {
        self.outcome.ok()?.std_error
    }
}

/// TwoNN at one sub-sample size.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DecimationPoint {
    /// Rows of each sub-sample.
    pub n: usize,
    /// Mean over sub-samples, their spread and values.
    pub resampled: Resampled,
}

/// An estimate repeated on sub-samples.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Resampled {
    /// Disjoint parts, or random sub-samples that may share rows.
    pub rule: Resampling,
    /// Rows in the smallest part.
    pub n: usize,
    /// Estimates per part; `None` where a part has none.
    pub values: Vec<Option<f64>>,
    /// Mean over parts with a value.
    pub mean: Option<f64>,
    /// Standard deviation over parts (ddof 1).
    pub std: Option<f64>,
    /// std / sqrt(parts), only when the parts are disjoint.
    pub std_error: Option<f64>,
    /// Mean distance of the estimates.
    pub distance: Option<f64>,
    /// True when parts share rows, so that no standard error exists.
    pub overlapping: bool,
}

/// A window of scales over which the dimension is steady, or why there is none.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "ScalingPlateau"))]
pub struct Plateau {
    /// The rule, in words.
    pub rule: &'static str,
    /// The window.
    #[serde(flatten)]
    pub outcome: Known<crate::geometry::id::Plateau>,
}

/// The sentence a reader looks for.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct IdSummary {
    /// Which estimate the summary reads, e.g. `two_nn_base`.
    pub variant: String,
    /// Layer of the largest dimension (lowest index on ties).
    pub peak: Extremum,
    /// Layer of the smallest dimension (lowest index on ties).
    pub minimum: Extremum,
}

/// One end of a profile.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "IdExtremum"))]
pub struct Extremum {
    /// Layer name.
    pub layer: String,
    /// Its index.
    pub index: usize,
    /// Its relative depth.
    pub relative_depth: f64,
    /// The value there.
    pub id: f64,
    /// Whether it is the first or last layer with a value.
    pub at_edge: bool,
}
