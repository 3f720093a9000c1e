//! Lists the layers of a dump, and says what their values look like where that is asked for.

use serde::Serialize;

use super::bench::Bench;
use super::layers::{LayerOptions, diagnose};
use crate::error::Result;
use crate::geometry::diagnostics::Diagnostics;
use crate::input::{Dump, LayerInfo};
use crate::neighbours::Metric;
use crate::warning::Warning;

/// The layers of a dump, read from headers; with `--scan` also what their values look like.
#[derive(Debug, Clone, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct InspectReport {
    /// What was asked for, defaults included.
    pub parameters: InspectParameters,
    /// One entry a layer, in the order of the dump.
    pub layers: Vec<InspectedLayer>,
    /// Bytes of all layers together, as stored.
    pub total_bytes: u64,
    /// Warnings about the dump and its layers.
    pub warnings: Vec<Warning>,
}

/// What was asked of a dump.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct InspectParameters {
    /// Whether values were read.
    pub scan: bool,
    /// The distance of the neighbours that were sought; `None` unless values were read.
    pub metric: Option<Metric>,
    /// How rows were chosen, in words of the flags.
    pub rows: Vec<String>,
}

/// One layer of a dump.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct InspectedLayer {
    /// Name in the dump.
    pub layer: String,
    /// Position in the dump, from 0.
    pub index: usize,
    /// index / (L − 1); 0 for a single layer.
    pub relative_depth: f64,
    /// Axes as stored, before any pooling.
    pub shape: Vec<usize>,
    /// Stored type: `f16`, `bf16`, `f32`, …
    pub dtype: String,
    /// Bytes of its values, as stored.
    pub bytes: u64,
    /// How far the layer can be trusted; `None` unless its values were scanned.
    pub diagnostics: Option<Diagnostics>,
}

/// How the values of a layer are read; layers of a mere list may differ in their rows.
pub type Reading<'a> = &'a dyn Fn(&LayerInfo) -> Result<LayerOptions>;

/// The layers of `dump`, with diagnostics of their values where `scan` says how to read them.
///
/// # Errors
/// Whatever reading a layer and its nearest neighbours gives; nothing without `scan`.
pub fn inspect(dump: &Dump, scan: Option<Reading<'_>>, bench: &Bench<'_>) -> Result<InspectReport> {
    let mut warnings = dump.warnings().to_vec();
    let mut layers = Vec::new();
    for layer in dump.layers() {
        let found = scan.map(|reading| diagnose(dump, layer, &reading(layer)?, bench));
        let (diagnostics, noticed) = found.transpose()?.unzip();
        warnings.extend(noticed.into_iter().flatten());
        layers.push(InspectedLayer {
            layer: layer.name.clone(),
            index: layer.index,
            relative_depth: layer.relative_depth,
            shape: layer.shape.clone(),
            dtype: layer.dtype.as_str().to_owned(),
            bytes: layer.bytes,
            diagnostics,
        });
    }
    Ok(InspectReport {
        parameters: InspectParameters {
            scan: scan.is_some(),
            metric: scan.map(|_| bench.metric),
            rows: bench.rows.to_vec(),
        },
        layers,
        total_bytes: dump.layers().iter().map(|layer| layer.bytes).sum(),
        warnings,
    })
}
