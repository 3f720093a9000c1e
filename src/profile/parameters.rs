//! Says how layers became points, as every report echoes it.

use serde::Serialize;

use super::layers::{DuplicatePolicy, LayerOptions};

/// How layers became points.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RowParameters {
    /// What was done with repeated rows.
    pub duplicates: DuplicatePolicy,
    /// How layers were read.
    #[serde(flatten)]
    pub read: ReadParameters,
}

/// How layers were read, where repeated rows are kept whatever is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ReadParameters {
    /// Whether rows with NaN or infinity were to be left out.
    pub drop_nonfinite: bool,
    /// How arrays with more axes became rows; `None` if nothing was asked for.
    pub pool: Option<String>,
    /// Whether a mask chose the tokens to pool.
    pub masked: bool,
    /// How rows were chosen, in words of the flags; empty for all rows.
    pub rows: Vec<String>,
}

impl RowParameters {
    /// The options, echoed; `rows` says in words how rows were chosen.
    pub fn new(layers: &LayerOptions, rows: &[String]) -> Self {
        Self {
            duplicates: layers.duplicates,
            read: ReadParameters::new(layers, rows),
        }
    }
}

impl ReadParameters {
    /// The options, echoed; `rows` says in words how rows were chosen.
    pub fn new(layers: &LayerOptions, rows: &[String]) -> Self {
        Self {
            drop_nonfinite: layers.drop_nonfinite,
            pool: layers.pool.map(|pool| pool.to_string()),
            masked: layers.mask.is_some(),
            rows: rows.to_vec(),
        }
    }
}
