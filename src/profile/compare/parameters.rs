//! Which rows were compared, as every report on layers side by side echoes it.

use serde::Serialize;

use crate::profile::layers::{DuplicatePolicy, LayerOptions};

/// How layers became points.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RowParameters {
    /// What was done with repeated rows.
    pub duplicates: DuplicatePolicy,
    /// Whether rows with NaN or infinity were left out.
    pub drop_nonfinite: bool,
    /// How arrays with more axes became rows.
    pub pool: Option<String>,
    /// Whether a mask chose tokens.
    pub masked: bool,
    /// How rows were chosen, in words of the flags.
    pub rows: Vec<String>,
}

impl RowParameters {
    /// The options, echoed; `rows` says in words how rows were chosen.
    pub fn new(layers: &LayerOptions, rows: &[String]) -> Self {
        Self {
            duplicates: layers.duplicates,
            drop_nonfinite: layers.drop_nonfinite,
            pool: layers.pool.map(|pool| pool.to_string()),
            masked: layers.mask.is_some(),
            rows: rows.to_vec(),
        }
    }
}
