//! Runs a checkpoint over prompts and writes its streams to one file, whole or not at all.

use std::path::Path;

use serde::Serialize;

use super::forward::forward;
use super::model::{Checkpoint, Config, Family, Precision, Real};
use super::prompts::Prompts;
use super::streams::{ForwardOptions, absent, metadata, plan};
use crate::error::Result;
use crate::input::check_files;
use crate::progress::Progress;
use crate::storage::{TensorFile, TensorSpec};
use crate::warning::Warning;

/// What was run and written.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ForwardReport {
    /// What was asked for, defaults included.
    pub parameters: ForwardParameters,
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

/// What was asked for.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ForwardParameters {
    /// The options.
    #[serde(flatten)]
    pub options: ForwardOptions,
    /// The precision of the pass and of the streams.
    pub precision: Precision,
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

/// Runs `checkpoint` over `prompts` and writes the streams of `options` to `path`.
///
/// # Errors
/// As [`plan`] and [`forward`]; whatever writing
/// gives.
pub fn forward_to_file(
    checkpoint: &Checkpoint,
    prompts: &Prompts,
    options: &ForwardOptions,
    precision: Precision,
    path: &Path,
    progress: &dyn Progress,
) -> Result<ForwardReport> {
    let write = match precision {
        Precision::F32 => write::<f32>,
        Precision::F64 => write::<f64>,
    };
    let tensors = write(checkpoint, prompts, options, path, progress)?;
    Ok(ForwardReport {
        parameters: ForwardParameters {
            options: options.clone(),
            precision,
        },
        model: ModelSummary::new(&checkpoint.config),
        n: prompts.n().unwrap_or(0),
        n_tokens: prompts.lengths.iter().flatten().sum(),
        tensors: tensors.iter().map(Into::into).collect(),
        warnings: absent(&checkpoint.config, options),
    })
}

fn write<T: Real>(
    checkpoint: &Checkpoint,
    prompts: &Prompts,
    options: &ForwardOptions,
    path: &Path,
    progress: &dyn Progress,
) -> Result<Vec<TensorSpec>> {
    let planned = plan::<T>(checkpoint, prompts, options)?.into_iter();
    let tensors: Vec<TensorSpec> = planned
        .map(|planned| TensorSpec {
            name: planned.name,
            dtype: planned.dtype,
            shape: planned.shape,
        })
        .collect();
    let mut file = TensorFile::create(path, &tensors, &metadata(&checkpoint.config))?;
    forward::<T>(
        checkpoint,
        prompts,
        options,
        &mut |name, offset, bytes| file.write(name, offset, bytes),
        progress,
    )?;
    check_files()?;
    file.finish()?;
    Ok(tensors)
}
