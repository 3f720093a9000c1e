//! The layers of a dump, found by reading headers only.

use std::io::Read;
use std::path::{Path, PathBuf};

use super::dtype::Dtype;
use super::entry::{Entry, Item};
use super::file::{self, Found};
use super::select::Selection;
use crate::warning::{Warning, WarningCode};
use crate::{Error, Result};

/// Words in the name of an array that mark it as a companion of the layers, not one of them.
const COMPANIONS: [&str; 11] = [
    "label", "labels", "target", "targets", "mask", "masks", "split", "splits", "ids", "index",
    "indices",
];

/// One layer, as its header describes it.
#[derive(Debug, Clone)]
pub struct LayerInfo {
    /// File stem, tensor name or archive member; made unique with the file's name where needed.
    pub name: String,
    /// Position l among the layers of the dump, from 0.
    pub index: usize,
    /// l / (L − 1); 0 in a dump of one layer.
    pub relative_depth: f64,
    /// The axes as stored, rows first.
    pub shape: Vec<usize>,
    /// The type of the stored values.
    pub dtype: Dtype,
    /// Size of the stored values in bytes.
    pub bytes: u64,
    /// The file that holds it.
    pub path: PathBuf,
    pub(super) entry: Entry,
}

impl LayerInfo {
    /// Number of rows N: the first axis.
    pub fn n_rows(&self) -> usize {
        self.shape.first().copied().unwrap_or(1)
    }
}

/// The layers of one dump, in natural order.
#[derive(Debug, Clone)]
pub struct Dump {
    path: PathBuf,
    layers: Vec<LayerInfo>,
    warnings: Vec<Warning>,
}

impl Dump {
    /// Finds the layers at `path`, which must share their number of rows.
    ///
    /// `path` is a directory of `.npy`, `.npz` or `.safetensors` files, one such file, a sharded
    /// `*.safetensors.index.json`, one array as `FILE#NAME`, or `-` for standard input.
    ///
    /// # Errors
    /// [`Error::NoLayers`] if there are none; [`Error::RowMismatch`] if two have different numbers
    /// of rows (see [`Dump::list`]); [`Error::Read`], [`Error::Malformed`] or
    /// [`Error::Unsupported`] naming the file that cannot be used.
    pub fn open(path: &Path) -> Result<Self> {
        let dump = Self::list(path)?;
        same_rows(&dump.layers)?;
        Ok(dump)
    }

    /// Like [`Dump::open`], but lets layers differ in their number of rows, so that a selection can
    /// leave out what does not fit.
    ///
    /// # Errors
    /// As [`Dump::open`], without [`Error::RowMismatch`].
    pub fn list(path: &Path) -> Result<Self> {
        Self::new(path, file::find(path)?)
    }

    /// The layers of a stream (one npy, npz or safetensors file), read to its end; `name` stands
    /// for it in messages.
    ///
    /// # Errors
    /// As [`Dump::open`].
    pub fn from_reader(mut reader: impl Read, name: &str) -> Result<Self> {
        let path = Path::new(name);
        let dump = Self::new(path, file::from_reader(&mut reader, path)?)?;
        same_rows(&dump.layers)?;
        Ok(dump)
    }

    fn new(path: &Path, found: Found) -> Result<Self> {
        let total = found.entries.len();
        let (entries, skipped) = match found.explicit {
            true => (found.entries, Vec::new()),
            false => sort_out(found.entries)?,
        };
        if entries.is_empty() {
            let fact = match total {
                0 => "there are no arrays inside".into(),
                _ => format!(
                    "none of the {total} arrays inside is a layer: {}",
                    file::list(skipped.iter().map(String::as_str))
                ),
            };
            return Err(Error::NoLayers {
                path: path.to_owned(),
                fact,
                remedy: "a layer is an array of numbers with rows and columns; name any other as FILE#NAME".into(),
            });
        }
        let names = unique_names(&entries);
        let last = (entries.len() - 1).max(1) as f64;
        let layers = entries
            .into_iter()
            .zip(names)
            .enumerate()
            .map(|(index, (entry, name))| {
                Ok(LayerInfo {
                    name,
                    index,
                    relative_depth: index as f64 / last,
                    shape: entry.shape.clone(),
                    dtype: entry.dtype()?,
                    bytes: entry.bytes(),
                    path: entry.path.clone(),
                    entry,
                })
            })
            .collect::<Result<_>>()?;
        let warnings = match skipped.len() {
            0 => Vec::new(),
            count => {
                let names = file::list(skipped.iter().map(String::as_str));
                let message = format!("left out as no layers: {names}");
                vec![Warning::new(WarningCode::SkippedArrays, count, message)]
            }
        };
        Ok(Self {
            path: path.to_owned(),
            layers,
            warnings,
        })
    }

    /// Where the dump was found.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Every layer, in natural order.
    pub fn layers(&self) -> &[LayerInfo] {
        &self.layers
    }

    /// What was noticed while looking for layers.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// Number of rows of the first layer, before any selection of rows.
    pub fn n_rows(&self) -> usize {
        self.layers.first().map_or(0, LayerInfo::n_rows)
    }

    /// The dump cut down to some of its layers, which keep their index and relative depth.
    ///
    /// # Errors
    /// [`Error::NoLayers`] if an item of the selection matches nothing; [`Error::RowMismatch`] if
    /// two chosen layers have different numbers of rows.
    pub fn select(&self, selection: &Selection) -> Result<Self> {
        let names: Vec<&str> = self
            .layers
            .iter()
            .map(|layer| layer.name.as_str())
            .collect();
        let positions = selection
            .positions(&names)
            .map_err(|fact| Error::NoLayers {
                path: self.path.clone(),
                fact,
                remedy: format!(
                    "there are {} layers: {}",
                    names.len(),
                    file::list(names.iter().copied())
                ),
            })?;
        let layers: Vec<LayerInfo> = positions
            .iter()
            .map(|&at| self.layers[at].clone())
            .collect();
        same_rows(&layers)?;
        Ok(Self {
            path: self.path.clone(),
            layers,
            warnings: self.warnings.clone(),
        })
    }
}

/// Splits arrays into layers and the names of what is left out.
///
/// A layer has at least two axes, no companion's name, and floating-point values; integers count
/// only where no floating-point layer stands beside them.
fn sort_out(entries: Vec<Entry>) -> Result<(Vec<Entry>, Vec<String>)> {
    let is_float = |entry: &Entry| matches!(entry.item, Item::Number(dtype) if dtype.is_float());
    let (candidates, mut left): (Vec<Entry>, Vec<Entry>) = entries
        .into_iter()
        .partition(|entry| entry.shape.len() >= 2 && !is_companion(&entry.name));
    let any_float = candidates.iter().any(is_float);
    let (layers, integers): (Vec<Entry>, Vec<Entry>) = candidates
        .into_iter()
        .partition(|entry| is_float(entry) || !any_float || entry.dtype().is_err());
    left.extend(integers);
    // Two axes of something that is no number: a layer was meant, so silence would mislead.
    layers
        .iter()
        .try_for_each(|entry| entry.dtype().map(|_| ()))?;
    Ok((layers, left.into_iter().map(|entry| entry.name).collect()))
}

fn is_companion(name: &str) -> bool {
    name.to_lowercase()
        .split(|c: char| !c.is_alphanumeric())
        .any(|word| COMPANIONS.contains(&word))
}

/// The shortest names that tell all entries apart: own name, with file stem, with file name.
fn unique_names(entries: &[Entry]) -> Vec<String> {
    let with = |prefix: fn(&Path) -> Option<&std::ffi::OsStr>| {
        let name = |entry: &Entry| match prefix(&entry.path) {
            Some(file) => format!("{}#{}", file::text_of(file), entry.name),
            None => entry.name.clone(),
        };
        entries.iter().map(name).collect()
    };
    let plain: Vec<String> = entries.iter().map(|entry| entry.name.clone()).collect();
    [plain, with(Path::file_stem)]
        .into_iter()
        .find(|names| {
            let mut sorted: Vec<&String> = names.iter().collect();
            sorted.sort_unstable();
            sorted.windows(2).all(|pair| pair[0] != pair[1])
        })
        .unwrap_or_else(|| with(Path::file_name))
}

fn same_rows(layers: &[LayerInfo]) -> Result<()> {
    let Some(first) = layers.first() else {
        return Ok(());
    };
    match layers.iter().find(|layer| layer.n_rows() != first.n_rows()) {
        None => Ok(()),
        Some(other) => Err(Error::RowMismatch {
            first: first.entry.label(),
            n_first: first.n_rows(),
            second: other.entry.label(),
            n_second: other.n_rows(),
            remedy: "layers must hold the same samples: choose some with --layers, or dump again"
                .into(),
        }),
    }
}
