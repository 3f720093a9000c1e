//! Reads a layer, its readout, its targets and other networks from their files.

use std::path::{Path, PathBuf};

use super::data::{CloneData, Network};
use super::options::ClonesOptions;
use super::run::clones;
use super::shape::{CloneLayer, ClonesProfile};
use super::targets::targets;
use crate::error::{Error, Result};
use crate::geometry::clones::{Readout, Targets};
use crate::input::{Dump, ExpectedLabels, Labels, LayerInfo, Matrix};
use crate::profile::bench::Bench;
use crate::profile::layers::{DuplicatePolicy, LayerOptions, PreparedLayer, prepare};
use crate::profile::parameters::ReadParameters;

/// What belongs to a layer, file by file.
#[derive(Debug, Clone, Default)]
pub struct CloneFiles {
    /// The layer that reads this one out, and the targets of its rows.
    pub readout: Option<ReadoutFiles>,
    /// The same layer over training rows, and their targets.
    pub train: Option<[PathBuf; 2]>,
    /// Layer, weights and bias of the same network trained from other seeds.
    pub networks: Vec<[PathBuf; 3]>,
}

/// A readout and what it should say.
#[derive(Debug, Clone)]
pub struct ReadoutFiles {
    /// Weights, outputs × neurons.
    pub weights: PathBuf,
    /// Bias, one value an output.
    pub bias: PathBuf,
    /// Class of each row, or its sign for one output.
    pub targets: PathBuf,
}

/// As [`clones`] of the one layer of `dump`, read as `layers` say; `path` names the dump.
///
/// # Errors
/// As [`clones`]; [`Error::NoLayers`] where one layer is needed and there are others,
/// [`Error::RowMismatch`] for files over other rows, whatever reading a file gives.
pub fn clones_of_files(
    (dump, path): (&Dump, &Path),
    layers: &LayerOptions,
    files: &CloneFiles,
    options: &ClonesOptions,
    bench: &Bench<'_>,
) -> Result<ClonesProfile> {
    let info = only_layer(dump, path, "choose one with --layers")?;
    let layer = prepare(dump, info, layers)?;
    let whole = Whole {
        layer: &layer,
        n: dump.n_rows(),
        layers,
    };
    let data = whole.data(files)?;
    let described = CloneLayer {
        layer: info.name.clone(),
        dtype: info.dtype.as_str().to_owned(),
        n_rows: layer.matrix.n_rows(),
        width: layer.matrix.n_columns(),
        n_constant: layer.diagnostics.n_constant_columns.unwrap_or(0),
    };
    let warnings = [dump.warnings(), &layer.warnings].concat();
    clones(
        &layer.matrix,
        described,
        &data,
        options,
        ReadParameters::new(layers, bench.rows),
        warnings,
        bench,
    )
}

/// The layer that the other files belong to.
struct Whole<'a> {
    layer: &'a PreparedLayer,
    /// Rows of its dump, before any are chosen.
    n: usize,
    layers: &'a LayerOptions,
}

impl Whole<'_> {
    fn data(&self, files: &CloneFiles) -> Result<CloneData> {
        let mut data = CloneData::default();
        let Some(asked) = &files.readout else {
            return Ok(data);
        };
        let readout = readout(&asked.weights, &asked.bias)?;
        let targets = targets_of(&asked.targets, self.n, &self.layer.rows, &readout)?;
        if let Some([path, train_targets]) = &files.train {
            let train = self.other(path)?;
            let n = train.diagnostics.n_rows;
            let targets = targets_of(train_targets, n, &train.rows, &readout)?;
            data.train = Some((train.matrix, targets));
        }
        for [path, weights, bias] in &files.networks {
            data.networks.push(Network {
                features: same_rows(self.other(path)?, self.layer, self.n, path)?,
                readout: self::readout(weights, bias)?,
            });
        }
        data.readout = Some((readout, targets));
        Ok(data)
    }

    /// Another layer, all of its rows, read in the same way.
    fn other(&self, path: &Path) -> Result<PreparedLayer> {
        let dump = Dump::open(path)?;
        let info = only_layer(&dump, path, "name it as FILE#NAME")?;
        if self.layers.mask.is_some() && dump.n_rows() != self.n {
            return Err(Error::Usage(
                "--mask is of the rows of LAYER only; pool the other layers before dumping".into(),
            ));
        }
        let layers = LayerOptions {
            rows: None,
            ..self.layers.clone()
        };
        prepare(&dump, info, &layers)
    }
}

/// The layer of a dump that holds one.
fn only_layer<'a>(dump: &'a Dump, path: &Path, remedy: &str) -> Result<&'a LayerInfo> {
    match dump.layers() {
        [layer] => Ok(layer),
        layers => Err(Error::NoLayers {
            path: path.to_owned(),
            fact: format!("there are {} layers inside and one is needed", layers.len()),
            remedy: remedy.into(),
        }),
    }
}

/// A readout from its two files.
fn readout(weights: &Path, bias: &Path) -> Result<Readout> {
    let weights_of = array(weights)?;
    let bias_of: Matrix = array(bias)?;
    let count = bias_of.n_rows() * bias_of.n_columns();
    if weights_of.n_rows() != count {
        return Err(Error::Usage(format!(
            "{} has shape [{}, {}] and {} has {count} values; a readout is W of outputs x neurons \
             and B with one value an output",
            weights.display(),
            weights_of.n_rows(),
            weights_of.n_columns(),
            bias.display(),
        )));
    }
    let mut values = Vec::with_capacity(count);
    let mut row = vec![0.0; bias_of.n_columns()];
    for at in 0..bias_of.n_rows() {
        bias_of.widen_row(at, &mut row);
        values.extend_from_slice(&row);
    }
    Ok(Readout::new(&weights_of, values))
}

/// The finite values of one array, one row for each entry of its first axis.
fn array(path: &Path) -> Result<Matrix> {
    let dump = Dump::open(path)?;
    let info = only_layer(&dump, path, "name it as FILE#NAME")?;
    let options = LayerOptions {
        duplicates: DuplicatePolicy::Keep,
        ..LayerOptions::default()
    };
    Ok(prepare(&dump, info, &options)?.matrix)
}

/// The targets of the rows `rows` of `n`.
fn targets_of(path: &Path, n: usize, rows: &[u32], readout: &Readout) -> Result<Targets> {
    let labels = Labels::open_for(path, ExpectedLabels::rows(n, "the layer"))?;
    targets(&labels, rows, readout.n_outputs())
}

/// The features of another network over the rows that `layer` keeps of `n`.
fn same_rows(other: PreparedLayer, layer: &PreparedLayer, n: usize, path: &Path) -> Result<Matrix> {
    if other.rows.len() != n {
        return Err(Error::RowMismatch {
            first: "the layer".into(),
            n_first: n,
            second: path.display().to_string(),
            n_second: other.rows.len(),
            remedy: "every network needs the same test rows".into(),
        });
    }
    Ok(other.matrix.select(&layer.rows))
}
