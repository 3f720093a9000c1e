//! What `repgeo forward` reports, and how it looks.

use serde::Serialize;

use super::warned::of_run;
use crate::mechanisms::model::Config;
use crate::mechanisms::model::Family;
use crate::report::page::{Column, Grid, Note, Page, Phrase, Piece, index, name};
use crate::report::{Printable, Record};
use crate::storage::TensorSpec;
use crate::warning::Warning;

/// What was run and written.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ForwardReport {
    /// The model.
    pub model: ModelSummary,
    /// Number of examples.
    pub n: usize,
    /// Tokens of all of them.
    pub n_tokens: usize,
    /// What was written.
    pub tensors: Vec<WrittenTensor>,
    /// Warnings about the run.
    pub warnings: Vec<Warning>,
}

/// A model in a few numbers.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ModelSummary {
    /// Its architecture.
    pub family: Family,
    /// Blocks.
    pub n_layers: usize,
    /// Heads of a block.
    pub n_heads: usize,
    /// Width of the residual stream.
    pub width: usize,
    /// Tokens of the vocabulary.
    pub n_vocab: usize,
    /// Whether attention and MLP both read the block's input.
    pub parallel_residual: bool,
}

/// One tensor of the dump.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct WrittenTensor {
    /// Its name.
    pub name: String,
    /// Its axes.
    pub shape: Vec<usize>,
    /// Its type.
    pub dtype: String,
    /// Its size.
    pub bytes: u64,
}

impl ModelSummary {
    /// Of a configuration.
    pub fn new(config: &Config) -> Self {
        Self {
            family: config.family,
            n_layers: config.n_layers,
            n_heads: config.n_heads,
            width: config.width,
            n_vocab: config.n_vocab,
            parallel_residual: config.parallel,
        }
    }
}

impl From<&TensorSpec> for WrittenTensor {
    fn from(spec: &TensorSpec) -> Self {
        Self {
            name: spec.name.clone(),
            shape: spec.shape.clone(),
            dtype: spec.dtype.to_ascii_lowercase(),
            bytes: spec.bytes(),
        }
    }
}

impl Printable for ForwardReport {
    fn records(&self) -> Vec<Record<'_>> {
        self.tensors
            .iter()
            .map(|tensor| Record {
                n: tensor.shape.first().copied(),
                ..Record::new(&tensor.name, "bytes", Some(tensor.bytes as f64))
            })
            .collect()
    }

    fn page(&self) -> Page {
        let mut grid = Grid::new(vec![
            Column::words("tensor"),
            Column::words("shape"),
            Column::words("dtype"),
            Column::bytes("size"),
        ]);
        for tensor in &self.tensors {
            let axes = tensor.shape.iter().map(|&axis| index(axis).into());
            grid.push(vec![
                name(&tensor.name).into(),
                Phrase::join(axes, " × ").into(),
                name(&tensor.dtype).into(),
                Piece::Bytes(tensor.bytes).into(),
            ]);
        }
        let model = &self.model;
        let words = format!(
            "{}: {} blocks of {} heads, width {}; {} examples, {} tokens",
            model.family.as_str(),
            model.n_layers,
            model.n_heads,
            model.width,
            self.n,
            self.n_tokens
        );
        let mut closing = vec![Note::Line(words.into())];
        closing.extend(of_run(&self.warnings));
        Page::new("Forward pass", vec![grid.into()], closing.into())
    }
}
