//! One number for every pair of layers.

use serde::Serialize;

use super::layer::{ComparedLayer, LayerRef};
use super::sides::Comparison;

/// Rows to columns: `values[r][c]` belongs to the pair (row r → column c).
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LayerMatrix {
    /// Layers of the rows, where the arrow starts.
    pub rows: Vec<String>,
    /// Layers of the columns, where it ends.
    pub columns: Vec<String>,
    /// The numbers; `None` where one does not exist.
    pub values: Vec<Vec<Option<f64>>>,
    /// Their standard errors.
    pub std_errors: Vec<Vec<Option<f64>>>,
}

impl LayerMatrix {
    /// A matrix of nothing yet.
    pub fn empty(rows: Vec<String>, columns: Vec<String>) -> Self {
        let nothing = vec![vec![None; columns.len()]; rows.len()];
        Self {
            rows,
            columns,
            values: nothing.clone(),
            std_errors: nothing,
        }
    }

    /// A matrix of nothing yet, between the layers of a comparison.
    pub(crate) fn between(comparison: &Comparison<'_>) -> Self {
        let names = |layers: &[ComparedLayer]| layers.iter().map(|one| one.layer.clone()).collect();
        Self::empty(names(comparison.left()), names(comparison.right()))
    }

    /// Sets the entry of one pair.
    pub fn set(&mut self, row: usize, column: usize, value: Option<f64>, error: Option<f64>) {
        self.values[row][column] = value;
        self.std_errors[row][column] = error;
    }

    /// The columns as rows.
    pub fn transposed(&self) -> Self {
        let flip = |of: &[Vec<Option<f64>>]| -> Vec<Vec<Option<f64>>> {
            (0..self.columns.len())
                .map(|column| of.iter().map(|row| row[column]).collect())
                .collect()
        };
        Self {
            rows: self.columns.clone(),
            columns: self.rows.clone(),
            values: flip(&self.values),
            std_errors: flip(&self.std_errors),
        }
    }
}

/// Where the layers of a pair stand among the rows and the columns of its matrix.
pub(crate) fn places(
    comparison: &Comparison<'_>,
    a: &LayerRef,
    b: &LayerRef,
) -> Option<(usize, usize)> {
    let place = |layers: &[ComparedLayer], of: &LayerRef| {
        layers.iter().position(|layer| layer.index == of.index)
    };
    Some((place(comparison.left(), a)?, place(comparison.right(), b)?))
}
