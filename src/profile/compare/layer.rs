//! A layer among others: its name, its place, and what is known of it before it is compared.

use serde::Serialize;

use crate::geometry::Reason;
use crate::input::{LayerInfo, TableSource};
use crate::warning::Warning;

/// One end of a pair of layers.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LayerRef {
    /// Name of the layer.
    pub layer: String,
    /// Its index in its dump, from 0.
    pub index: usize,
    /// Its position between 0 and 1.
    pub relative_depth: f64,
}

impl LayerRef {
    /// Neighbour table `index` of `n`, one a layer.
    pub(crate) fn of_table(source: &TableSource, index: usize, n: usize) -> Self {
        Self {
            layer: source.name.clone(),
            index,
            relative_depth: index as f64 / (n - 1).max(1) as f64,
        }
    }
}

impl From<&LayerInfo> for LayerRef {
    fn from(info: &LayerInfo) -> Self {
        Self {
            layer: info.name.clone(),
            index: info.index,
            relative_depth: info.relative_depth,
        }
    }
}

/// What is known of a layer before it is compared.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ComparedLayer {
    /// Name of the layer.
    pub layer: String,
    /// Its position in the dump, from 0.
    pub index: usize,
    /// Its position between 0 (first layer) and 1 (last).
    pub relative_depth: f64,
    /// Number of columns, D, after pooling; unknown of a neighbour table.
    pub n_columns: Option<usize>,
    /// Type of the stored values; unknown of a neighbour table.
    pub dtype: Option<String>,
    /// Distinct rows among all that were read.
    pub n_unique: Option<usize>,
    /// Rows that repeat an earlier one.
    pub n_duplicates: Option<usize>,
    /// Why no row is nearer than another, if so.
    #[serde(skip)]
    pub no_nearest: Option<Reason>,
    /// Warnings about it.
    pub warnings: Vec<Warning>,
}

impl ComparedLayer {
    /// Whether all rows are equal, so that no neighbour is nearer than another.
    pub fn identical(&self) -> bool {
        self.n_unique == Some(1)
    }

    /// The layer as one end of a pair.
    pub fn place(&self) -> LayerRef {
        LayerRef {
            layer: self.layer.clone(),
            index: self.index,
            relative_depth: self.relative_depth,
        }
    }
}
