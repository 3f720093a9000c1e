//! The result of every intrinsic-dimension estimator.

use serde::Serialize;

use crate::geometry::Reason;
use crate::warning::WarningCode;

/// Where an error bar comes from, and so what it includes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorKind {
    /// Curvature of the likelihood; ignores that rows share neighbours.
    Model,
    /// Delete-one-block jackknife over rows.
    Jackknife,
    /// Spread between disjoint sub-samples, each analysed afresh.
    Partitions,
    /// Delete-one-block jackknife over blocks of rows whose neighbours stay as they are.
    Blocks,
}

impl ErrorKind {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Jackknife => "jackknife",
            Self::Partitions => "partitions",
            Self::Blocks => "blocks",
        }
    }
}

/// An intrinsic dimension and what it rests on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The intrinsic dimension, d.
    pub id: f64,
    /// Its standard error; `None` where none exists.
    pub std_error: Option<f64>,
    /// What the standard error includes.
    pub error_kind: Option<ErrorKind>,
    /// Mean distance at which the estimator looks: of r_n1 and r_n2 for ratios, of the k-th
    /// neighbour for local estimators, of the two radii for counts; `None` for spectra.
    pub distance: Option<f64>,
    /// Ratios (or rows) that entered, M.
    pub n: usize,
    /// Of these, the ones that the line or the censored likelihood was fitted to.
    pub n_fit: usize,
    /// Ratios left out because their denominator is zero.
    pub n_zero: usize,
    /// Ratios equal to 1: kept by TwoNN, left out by Gride beyond order 1.
    pub n_tied: usize,
    /// Ratios left out by Gride's outlier filter.
    pub n_filtered: usize,
    /// Mode of the posterior, where the fit has one.
    pub mode: Option<f64>,
    /// A rule that could not be followed to the letter on these data.
    pub note: Option<WarningCode>,
}

impl Estimate {
    /// An estimate of `id` from `n` rows or ratios, all of them fitted, without an error.
    pub fn new(id: f64, n: usize) -> Self {
        Self {
            id,
            std_error: None,
            error_kind: None,
            distance: None,
            n,
            n_fit: n,
            n_zero: 0,
            n_tied: 0,
            n_filtered: 0,
            mode: None,
            note: None,
        }
    }

    /// The same estimate with the error `std_error` of kind `kind`; without either if it is
    /// `None` or not finite.
    pub fn with_error(self, kind: ErrorKind, std_error: Option<f64>) -> Self {
        let std_error = std_error.filter(|error| error.is_finite());
        Self {
            std_error,
            error_kind: std_error.map(|_| kind),
            ..self
        }
    }
}

/// One step of [`abide`](super::abide()).
#[derive(Debug, Clone, PartialEq)]
pub struct AbideStep {
    /// The dimension; at the first step the one that was given.
    pub id: f64,
    /// Its model error; `None` at the first step.
    pub std_error: Option<f64>,
    /// Its log-likelihood (Gride); `None` at the first step.
    pub log_likelihood: Option<f64>,
    /// k* of every row for this dimension.
    pub kstar: Vec<Option<usize>>,
}

/// An estimate, or why there is none.
pub type Outcome = std::result::Result<Estimate, Reason>;
