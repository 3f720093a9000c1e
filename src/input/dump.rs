//! Finds the layers of a dump by reading headers only.

use std::io::Read;
use std::path::{Path, PathBuf};

use super::axes::Axes;
use super::candidate::{self, Candidate};
use super::companions;
use super::dtype::Dtype;
use super::entry::Entry;
use super::file::{self, Found};
use super::folders;
use super::item::Item;
use super::join::Join;
use super::order::{self, LayerOrder};
use super::padding::Padding;
use super::pooling::{Pooling, rows_in};
use super::select::Selection;
use super::square::Square;
use super::stack;
use crate::warning::{Warning, WarningCode};
use crate::{Error, Result};

/// How arrays become layers; the default lets the arrays speak for themselves.
#[derive(Debug, Clone, Default)]
pub struct DumpOptions {
    /// Which axis is which (`--axes`).
    pub axes: Option<Axes>,
    /// What is done with rows in several files (`--join`).
    pub join: Join,
    /// Names of the layers in order of depth (`--order-file`).
    pub order: Option<Vec<String>>,
    /// Read 16-bit integers as the bits of bfloat16 (`--bf16-bits`).
    pub bf16_bits: bool,
    /// Leave a mask that lies in the dump unused (`--mask none`).
    pub ignore_padding: bool,
    /// How layers will be pooled: [`Pooling::Tokens`] makes rows of tokens, and [`Dump::understood`]
    /// names the others.
    pub pooling: Option<Pooling>,
    /// The mask that will be given when they are read, for [`Dump::understood`].
    pub mask: Option<String>,
    /// What the dump is called, for [`Dump::understood`].
    pub name: Option<String>,
    /// How rows will be chosen, in words of the flags, for [`Dump::understood`].
    pub rows: Vec<String>,
}

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
    pooling: Option<Pooling>,
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

/// The layers of one dump, in order of depth.
#[derive(Debug, Clone)]
pub struct Dump {
    path: PathBuf,
    candidates: Vec<Candidate>,
    layers: Vec<LayerInfo>,
    order: LayerOrder,
    warnings: Vec<Warning>,
    pub(super) padding: Padding,
    pub(super) options: DumpOptions,
    /// Names and lengths of the lists of one value a row, or a token, that lie beside the layers.
    pub(super) lists: Vec<(String, usize)>,
    pub(super) n_files: usize,
    /// The layers that were chosen, as typed.
    pub(super) selection: Option<String>,
}

impl Dump {
    /// Finds the layers at `path`, which must share their number of rows.
    ///
    /// `path` is a directory of array files, one such file, a sharded `*.safetensors.index.json`,
    /// one array as `FILE#NAME`, or `-` for standard input.
    ///
    /// # Errors
    /// [`Error::NoLayers`] if there are none; [`Error::RowMismatch`] if two have different numbers
    /// of rows (see [`Dump::list`]); [`Error::Read`], [`Error::Malformed`] or
    /// [`Error::Unsupported`] naming the file that cannot be used.
    pub fn open(path: &Path) -> Result<Self> {
        Self::open_with(path, &DumpOptions::default(), None)
    }

    /// Like [`Dump::open`], with a say in how arrays become layers and which of them are meant.
    ///
    /// # Errors
    /// As [`Dump::open`] and [`Dump::select`].
    pub fn open_with(
        path: &Path,
        options: &DumpOptions,
        selection: Option<&Selection>,
    ) -> Result<Self> {
        let dump = Self::list_with(path, options)?;
        if let Some(selection) = selection {
            return dump.select(selection);
        }
        dump.all_readable()?;
        same_rows(&dump.layers)?;
        Ok(dump)
    }

    /// Like [`Dump::open`], but lets layers differ in their number of rows, so that a selection can
    /// leave out what does not fit.
    ///
    /// # Errors
    /// As [`Dump::open`], without [`Error::RowMismatch`].
    pub fn list(path: &Path) -> Result<Self> {
        Self::list_with(path, &DumpOptions::default())
    }

    /// Like [`Dump::list`], with a say in how arrays become layers. Arrays without numbers are
    /// passed over with a warning.
    ///
    /// # Errors
    /// As [`Dump::list`].
    pub fn list_with(path: &Path, options: &DumpOptions) -> Result<Self> {
        let dump = Self::new(path, folders::find(path)?, options)?;
        if dump.layers.is_empty() {
            dump.all_readable()?;
        }
        Ok(dump)
    }

    /// The layers of a stream (one npy, npz or safetensors file), read to its end; `name` stands
    /// for it in messages.
    ///
    /// # Errors
    /// As [`Dump::open`].
    pub fn from_reader(mut reader: impl Read, name: &str) -> Result<Self> {
        let path = Path::new(name);
        let found = file::from_reader(&mut reader, path)?;
        let dump = Self::new(path, found, &DumpOptions::default())?;
        dump.all_readable()?;
        same_rows(&dump.layers)?;
        Ok(dump)
    }

    fn new(path: &Path, mut found: Found, options: &DumpOptions) -> Result<Self> {
        if options.bf16_bits {
            for entry in &mut found.entries {
                if matches!(entry.item, Item::Number(Dtype::I16 | Dtype::U16)) {
                    entry.item = Item::Number(Dtype::Bf16);
                }
            }
        }
        let total = found.entries.len();
        let mut left_out = found.passed_over;
        let own = found.order;
        let (stacks, padding, lists, n_tables) = if found.explicit {
            let alone = stack::join(path, found.entries, Join::Never)?;
            let beside = stack::join(path, found.beside, Join::Never)?;
            let mut parts = alone.iter().flat_map(|stack| &stack.parts);
            if options.axes.is_none()
                && let Some(square) = parts.find_map(Square::of)
            {
                let reason = (alone[0].name.clone(), square.words().to_owned());
                let n_tables = usize::from(square != Square::Similarities);
                return Err(candidate::no_layers(path, total, &[reason], n_tables));
            }
            (alone, Padding::among(&beside), Vec::new(), 0)
        } else {
            let stacks = stack::join(path, found.entries, options.join)?;
            let sorted = companions::sort_out(stacks, options.axes.is_some());
            left_out.splice(0..0, sorted.left_out);
            (sorted.layers, sorted.padding, sorted.lists, sorted.n_tables)
        };
        if stacks.is_empty() {
            return Err(candidate::no_layers(path, total, &left_out, n_tables));
        }
        let mut n_files = 1;
        for stack in &stacks {
            n_files = n_files.max(stack.parts.len());
        }
        let names = candidate::unique_names(&stacks);
        candidate::no_name_twice(&names, &stacks)?;
        let arranged = {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            order::arrange(&names, own)
        };
        let (mut order, places) = (arranged.order, arranged.places);
        let mut candidates: Vec<Candidate> = Vec::new();
        for at in places {
            candidates.extend(candidate::split(
                &names[at],
                &stacks[at],
                options.axes.as_ref(),
            )?);
        }
        if options.axes.as_ref().is_some_and(Axes::has_layers) {
            order = LayerOrder::Axis;
        }
        let mut warnings = Vec::new();
        if let Some(list) = &options.order {
            candidates = candidate::by_list(path, candidates, list)?;
            order = LayerOrder::List;
        }
        for candidate in &candidates {
            if let Err(error) = candidate.stack.parts[0].dtype() {
                left_out.push((candidate.name.clone(), error.fact()));
            }
        }
        // What says which tokens count is used, and named where it is not.
        let with_tokens = candidates
            .iter()
            .any(|one| one.stack.parts[0].shape.len() > 2)
            || options.pooling == Some(Pooling::Tokens)
                && candidates.iter().any(|one| {
                    let rows = rows_in(&one.stack.parts, None);
                    padding.words_over_rows(rows).is_some()
                });
        left_out.retain(|(name, _)| !with_tokens || padding.name() != Some(name));
        if !left_out.is_empty() {
            let message = format!(
                "left out as no layers: {}",
                candidate::with_reasons(&left_out)
            );
            warnings.push(Warning::new(
                WarningCode::SkippedArrays,
                left_out.len(),
                message,
            ));
        }
        if let Some(why) = arranged.doubt.filter(|_| order == arranged.order) {
            let all = candidates.iter().map(|candidate| candidate.name.as_str());
            warnings.push(Warning::new(
                WarningCode::UnsureOrder,
                candidates.len(),
                format!(
                    "{why}: {}; give the order of depth with --layers or --order-file",
                    file::list(all)
                ),
            ));
        }
        warnings.extend(candidate::short_first_axis(
            &candidates,
            options.axes.is_some(),
            &padding,
        ));
        let mut dump = Self {
            path: path.to_owned(),
            candidates,
            layers: Vec::new(),
            order,
            warnings,
            padding,
            options: options.clone(),
            lists,
            n_files,
            selection: None,
        };
        let all: Vec<usize> = (0..dump.candidates.len()).collect();
        dump.layers = dump.infos(&all);
        Ok(dump)
    }

    /// The readable layers among `chosen` candidates.
    fn infos(&self, chosen: &[usize]) -> Vec<LayerInfo> {
        let mut layers: Vec<LayerInfo> = chosen
            .iter()
            .filter_map(|&index| {
                let Candidate { name, stack } = &self.candidates[index];
                let first = &stack.parts[0];
                Some(LayerInfo {
                    name: name.clone(),
                    index,
                    relative_depth: 0.0,
                    shape: stack.shape(),
                    dtype: first.dtype().ok()?,
                    bytes: stack.parts.iter().map(Entry::bytes).sum(),
                    path: first.path.clone(),
                    parts: stack.parts.clone(),
                    pooling: self.options.pooling,
                })
            })
            .collect();
        let last = layers.len().saturating_sub(1).max(1) as f64;
        for (place, layer) in layers.iter_mut().enumerate() {
            layer.relative_depth = place as f64 / last;
        }
        layers
    }

    /// Where the dump was found.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Every layer, in order of depth.
    pub fn layers(&self) -> &[LayerInfo] {
        &self.layers
    }

    /// Where that order comes from.
    pub fn order(&self) -> LayerOrder {
        self.order
    }

    /// What was noticed while looking for layers.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// Number of rows of the first layer, before any selection of rows.
    pub fn n_rows(&self) -> usize {
        self.layers.first().map_or(0, LayerInfo::n_rows)
    }

    /// The dump cut down to some of its layers, in the order of the selection; they keep their
    /// index, and their depth is that among themselves.
    ///
    /// # Errors
    /// [`Error::NoLayers`] if an item of the selection matches nothing; [`Error::RowMismatch`] if
    /// two chosen layers have different numbers of rows; [`Error::Unsupported`] if one holds no
    /// numbers.
    pub fn select(&self, selection: &Selection) -> Result<Self> {
        let names: Vec<&str> = self
            .candidates
            .iter()
            .map(|candidate| candidate.name.as_str())
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
        for &at in &positions {
            self.candidates[at].stack.parts[0].dtype()?;
        }
        let layers = self.infos(&positions);
        same_rows(&layers)?;
        // Several items say which comes first.
        let chosen_order = selection.is_list() && positions.len() > 1;
        let order = match chosen_order {
            true => LayerOrder::Selection,
            false => self.order,
        };
        let mut warnings = self.warnings.clone();
        // A selection that says an order, or leaves one layer, settles it.
        if chosen_order || layers.len() < 2 {
            warnings.retain(|warning| warning.code != WarningCode::UnsureOrder);
        }
        Ok(Self {
            layers,
            order,
            warnings,
            selection: Some(selection.to_string()),
            ..self.clone()
        })
    }

    /// Fails at the first array that was meant as a layer and holds no numbers.
    fn all_readable(&self) -> Result<()> {
        let mut entries = self.candidates.iter().map(|one| &one.stack.parts[0]);
        match entries.find_map(|entry| entry.dtype().err()) {
            None => Ok(()),
            // Two axes of something that is no number: a layer was meant, so silence would mislead.
            Some(error) => Err(error),
        }
    }
}

fn same_rows(layers: &[LayerInfo]) -> Result<()> {
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
