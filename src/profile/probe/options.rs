//! What is read out, and how it is checked.

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
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum SplitRule {
    /// So many disjoint folds, each asked about once.
    Folds(usize),
    /// One split with this share to ask about.
    Holdout(f64),
}

/// How a layer is probed.
#[derive(Debug, Clone, PartialEq)]
pub struct ProbeOptions {
    /// The read-out.
    pub readout: Readout,
    /// What the squares of the weights cost, beside the sum over training rows.
    pub penalty: f64,
    /// How rows are split.
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
