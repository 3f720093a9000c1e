//! By what numbers are joined, and how they are correlated.

use serde::Serialize;

use crate::choice::choice;
use crate::geometry::correlation::{Correlation, IntervalRule};

choice! {
    /// What a number of a report and a line of the table have in common.
    pub enum JoinKey {
        /// The run
        Run = "run",
        /// The layer
        Layer = "layer",
        /// The row of the input
        Row = "row",
    }
}

/// How numbers are joined and correlated.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CorrelateOptions {
    /// By what they are joined.
    pub by: JoinKey,
    /// How they are correlated.
    pub correlation: Correlation,
    /// The column whose groups values do not leave when they are permuted.
    pub within: Option<String>,
    /// Orders drawn where not all can be listed, and samples of a bootstrap.
    pub draws: usize,
    /// The interval, where one is wanted.
    pub interval: Option<IntervalRule>,
    /// Seed of every random choice.
    pub seed: u64,
}

impl Default for CorrelateOptions {
    fn default() -> Self {
        Self {
            by: JoinKey::Run,
            correlation: Correlation::Spearman,
            within: None,
            draws: 10_000,
            interval: None,
            seed: 0,
        }
    }
}
