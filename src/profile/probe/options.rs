//! Options of probes: the read-out, and how it is checked.

use serde::Serialize;

use crate::choice::choice;

choice! {
    /// The linear read-out.
    pub enum Readout {
        /// Multinomial logistic regression, for classes
        Logistic = "logistic",
        /// Ridge regression: for numbers, or for classes as 1 and −1 a class
        Ridge = "ridge",
    }
}

/// Which rows are learned from, and which are asked about.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(into = "SplitFields")]
pub enum SplitRule {
    /// A number of disjoint folds, each held out once.
    Folds(usize),
    /// One split that holds out this share of the rows.
    Holdout(f64),
}

/// A [`SplitRule`] as reports show it.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct SplitFields {
    /// Number of folds; null where a share was held out.
    folds: Option<usize>,
    /// Share of rows held out; null with folds.
    holdout: Option<f64>,
}

impl From<SplitRule> for SplitFields {
    fn from(rule: SplitRule) -> Self {
        let (folds, holdout) = match rule {
            SplitRule::Folds(count) => (Some(count), None),
            SplitRule::Holdout(share) => (None, Some(share)),
        };
        Self { folds, holdout }
    }
}

/// How a layer is probed.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ProbeOptions {
    /// The read-out.
    pub readout: Readout,
    /// What the squares of the weights cost, beside the sum over training rows.
    pub penalty: f64,
    /// How rows are split.
    #[serde(flatten)]
    #[cfg_attr(test, schemars(with = "SplitFields"))]
    pub split: SplitRule,
    /// Seed of the splits.
    pub seed: u64,
}

impl Default for ProbeOptions {
    fn default() -> Self {
        Self {
            readout: Readout::Logistic,
            penalty: 1.0,
            split: SplitRule::Folds(5),
            seed: 0,
        }
    }
}
