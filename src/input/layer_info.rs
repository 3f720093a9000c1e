//! Describes a layer by its header.

use std::path::PathBuf;

use super::dtype::Dtype;
use super::entry::Entry;
use super::pooling::{Pooling, rows_in};
use crate::{Error, Result};

/// One layer, as its header describes it.
#[derive(Debug, Clone)]
pub struct LayerInfo {
    /// File stem, tensor name or archive member; made unique with the file's name where needed.
    pub name: String,
    /// Position among the layers of the whole dump, from 0.
    pub index: usize,
    /// l / (L − 1) for position l among the L layers that are analysed; 0 for a single one.
    pub relative_depth: f64,
    /// The axes, rows first; the rows of all files where a layer lies in several.
    pub shape: Vec<usize>,
    /// The type of the stored values.
    pub dtype: Dtype,
    /// Size of the stored values in bytes.
    pub bytes: u64,
    /// The file that holds it, or the first of them.
    pub path: PathBuf,
    pub(super) parts: Vec<Entry>,
    pub(super) pooling: Option<Pooling>,
}

impl LayerInfo {
    /// Number of rows N: the first axis, or the tokens where each of them is a row.
    pub fn n_rows(&self) -> usize {
        rows_in(&self.parts, self.pooling)
    }

    pub(super) fn entry(&self) -> &Entry {
        &self.parts[0]
    }

    /// The rows of each file.
    pub(super) fn rows(&self) -> Vec<usize> {
        let rows = |part: &Entry| rows_in(std::slice::from_ref(part), self.pooling);
        self.parts.iter().map(rows).collect()
    }

    /// The prompts and tokens of each file, where tokens are rows.
    fn tokens(&self) -> Vec<&[usize]> {
        let by_token = self.pooling == Some(Pooling::Tokens) && self.shape.len() == 3;
        let parts = self.parts.iter().filter(|_| by_token);
        parts.map(|part| &part.shape[..2]).collect()
    }
}

/// Fails unless all layers have the same rows.
pub(super) fn same_rows(layers: &[LayerInfo]) -> Result<()> {
    let Some(first) = layers.first() else {
        return Ok(());
    };
    let rows = first.rows();
    let differs = |layer: &&LayerInfo| match layer.parts.len() {
        // Part by part, or the rows of one file would stand beside those of another.
        parts if parts == rows.len() => layer.rows() != rows || layer.tokens() != first.tokens(),
        _ => layer.n_rows() != first.n_rows(),
    };
    match layers.iter().find(differs) {
        None => Ok(()),
        Some(other) => Err(Error::RowMismatch {
            first: first.entry().label(),
            n_first: first.n_rows(),
            second: other.entry().label(),
            n_second: other.n_rows(),
            remedy: format!(
                "layers must hold the same samples: choose some with --layers, or dump again{}",
                other_readings(layers)
            ),
        }),
    }
}

/// What layers of different lengths may be instead.
fn other_readings(layers: &[LayerInfo]) -> &'static str {
    let alike = |at: fn(&LayerInfo) -> Option<&usize>| {
        let first = at(&layers[0]);
        first.is_some() && layers.iter().all(|layer| at(layer) == first)
    };
    let axes = layers.iter().map(|layer| layer.shape.len());
    let flat = axes.clone().all(|axes| axes == 2);
    let one_width =
        alike(|layer| layer.shape.last()) && layers.iter().all(|layer| layer.shape.len() > 1);
    match (one_width, flat) {
        (true, true) => {
            "; if they are pieces of one layer, --join rows; if each is a prompt, --axes TD --join \
             rows; if axis 1 is the rows, --axes DN"
        }
        (true, false) => {
            "; if they are pieces of one layer, --join rows; one prompt a file: --axes TLD --join rows"
        }
        _ => "",
    }
}
