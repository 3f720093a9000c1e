//! Finds the layers of a dump by reading headers only.

use std::io::Read;
use std::path::{Path, PathBuf};

use super::axes::Axes;
use super::candidate::{self, Candidate};
use super::companions::{self, Sorted};
use super::dtype::Dtype;
use super::entry::Entry;
use super::file::{self, Found};
use super::folders;
use super::item::Item;
use super::join::Join;
use super::layer_info::{LayerInfo, same_rows};
use super::order::{self, Arranged, LayerOrder, OwnOrder};
use super::padding::Padding;
use super::pooling::{Pooling, rows_in};
use super::select::Selection;
use super::square::Square;
use super::stack::{self, Stack};
use super::unused;
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
        let total = found.entries.len();
        let read_bits = options.bf16_bits && read_as_bf16(&mut found.entries);
        let own = found.order;
        let mut sorted = sort(path, found, options)?;
        let stacks = sorted.layers;
        if stacks.is_empty() {
            let (left_out, n_tables) = (&sorted.left_out, sorted.n_tables);
            return Err(candidate::no_layers(path, total, left_out, n_tables));
        }
        let n_files = stacks.iter().map(|stack| stack.parts.len()).max();
        let (candidates, arranged) = arrange(path, &stacks, own, options)?;
        for candidate in &candidates {
            if let Err(error) = candidate.stack.parts[0].dtype() {
                let name = candidate.name.clone();
                sorted.left_out.push((name, error.fact()));
            }
        }
        let padding = sorted.padding;
        // What says which tokens count is used, and named where it is not.
        let with_tokens = have_tokens(&candidates, &padding, options.pooling);
        let mut left_out = sorted.left_out;
        left_out.retain(|(name, _)| !with_tokens || padding.name() != Some(name));
        let mut warnings = Vec::new();
        if !left_out.is_empty() {
            let all = candidate::with_reasons(&left_out);
            warnings.push(Warning::new(
                WarningCode::SkippedArrays,
                left_out.len(),
                format!("left out as no layers: {all}"),
            ));
        }
        if options.bf16_bits && !read_bits {
            warnings.push(unused::bf16_bits(total));
        }
        warnings.extend(arranged.doubt.map(|why| unsure_order(why, &candidates)));
        warnings.extend(candidate::short_first_axis(
            &candidates,
            options.axes.is_some(),
            &padding,
        ));
        let mut dump = Self {
            path: path.to_owned(),
            candidates,
            layers: Vec::new(),
            order: arranged.order,
            warnings,
            padding,
            options: DumpOptions {
                bf16_bits: read_bits,
                ..options.clone()
            },
            lists: sorted.lists,
            n_files: n_files.unwrap_or(1),
            selection: None,
        };
        let all: Vec<usize> = (0..dump.candidates.len()).collect();
        dump.layers = dump.infos(&all);
        dump.warnings.extend(dump.unpooled(&dump.layers));
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

    /// Warnings from the search for layers.
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
        let [before, unpooled] = [&self.layers, &layers].map(|layers| self.unpooled(layers));
        warnings.retain(|warning| before.as_ref() != Some(warning));
        warnings.extend(unpooled);
        Ok(Self {
            layers,
            order,
            warnings,
            selection: Some(selection.to_string()),
            ..self.clone()
        })
    }

    /// What is said of a pooling for which none of `layers` has a use.
    fn unpooled(&self, layers: &[LayerInfo]) -> Option<Warning> {
        let masked = self.options.mask.is_some();
        unused::pooling(self.options.pooling?, masked, layers, &self.padding)
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

/// Takes 16-bit integers for bfloat16; whether there are any.
fn read_as_bf16(entries: &mut [Entry]) -> bool {
    let mut any = false;
    for entry in entries {
        if matches!(entry.item, Item::Number(Dtype::I16 | Dtype::U16)) {
            entry.item = Item::Number(Dtype::Bf16);
            any = true;
        }
    }
    any
}

/// What may be layers, and what lies beside them; arrays that were named are layers.
fn sort(path: &Path, found: Found, options: &DumpOptions) -> Result<Sorted> {
    if !found.explicit {
        let stacks = stack::join(path, found.entries, options.join)?;
        let mut sorted = companions::sort_out(stacks, options.axes.is_some());
        sorted.left_out.extend(found.passed_over);
        return Ok(sorted);
    }
    let total = found.entries.len();
    let layers = stack::join(path, found.entries, Join::Never)?;
    let beside = stack::join(path, found.beside, Join::Never)?;
    let mut parts = layers.iter().flat_map(|stack| &stack.parts);
    if options.axes.is_none()
        && let Some(square) = parts.find_map(Square::of)
    {
        let reason = (layers[0].name.clone(), square.words().to_owned());
        let n_tables = usize::from(square != Square::Similarities);
        return Err(candidate::no_layers(path, total, &[reason], n_tables));
    }
    Ok(Sorted {
        layers,
        left_out: found.passed_over,
        padding: Padding::among(&beside),
        lists: Vec::new(),
        n_tables: 0,
    })
}

/// The layers in order of depth, why in that order, and why it may be another.
fn arrange(
    path: &Path,
    stacks: &[Stack],
    own: OwnOrder,
    options: &DumpOptions,
) -> Result<(Vec<Candidate>, Arranged)> {
    let names = candidate::unique_names(stacks);
    candidate::no_name_twice(&names, stacks)?;
    let texts: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut arranged = order::arrange(&texts, own);
    let mut candidates: Vec<Candidate> = Vec::new();
    for &at in &arranged.places {
        candidates.extend(candidate::split(
            &names[at],
            &stacks[at],
            options.axes.as_ref(),
        )?);
    }
    let mut told = None;
    if options.axes.as_ref().is_some_and(Axes::has_layers) {
        told = Some(LayerOrder::Axis);
    }
    if let Some(list) = &options.order {
        candidates = candidate::by_list(path, candidates, list)?;
        told = Some(LayerOrder::List);
    }
    if let Some(told) = told.filter(|&told| told != arranged.order) {
        arranged.order = told;
        arranged.doubt = None;
    }
    Ok((candidates, arranged))
}

/// Whether any of them has an axis of tokens, or rows that are tokens.
fn have_tokens(candidates: &[Candidate], padding: &Padding, pooling: Option<Pooling>) -> bool {
    let has_axis = |one: &Candidate| one.stack.parts[0].shape.len() > 2;
    let of_tokens = |one: &Candidate| {
        let rows = rows_in(&one.stack.parts, None);
        padding.words_over_rows(rows).is_some()
    };
    candidates.iter().any(has_axis)
        || pooling == Some(Pooling::Tokens) && candidates.iter().any(of_tokens)
}

fn unsure_order(why: &str, candidates: &[Candidate]) -> Warning {
    let all = candidates.iter().map(|candidate| candidate.name.as_str());
    Warning::new(
        WarningCode::UnsureOrder,
        candidates.len(),
        format!(
            "{why}: {}; give the order of depth with --layers or --order-file",
            file::list(all)
        ),
    )
}
