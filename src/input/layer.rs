//! Reads a layer into a matrix.

use super::blank;
use super::dtype::Dtype;
use super::dump::Dump;
use super::entry::Entry;
use super::joined::Joined;
use super::layer_info::LayerInfo;
use super::mask::{Mask, MaskRows};
use super::matrix::Matrix;
use super::pooling::{self, Pooling};
use super::readings::FEW;
use super::token_rows::TokenRows;
use crate::warning::{Warning, WarningCode};
use crate::{Error, Result};

/// How layers are read; the default reads every row of arrays with two axes.
#[derive(Debug, Clone, Copy, Default)]
pub struct ReadOptions<'a> {
    /// What to make of three or four axes.
    pub pool: Option<Pooling>,
    /// Which tokens count when pooling.
    pub mask: Option<&'a Mask>,
    /// Which input rows to keep, ascending; all if `None`.
    pub rows: Option<&'a [u32]>,
}

/// The rows of one layer.
#[derive(Debug, Clone)]
pub struct Layer {
    /// Its name in the dump.
    pub name: String,
    /// Its position in the dump, from 0.
    pub index: usize,
    /// Its position between 0 (first layer) and 1 (last).
    pub relative_depth: f64,
    /// The values.
    pub matrix: Matrix,
    /// The input row behind each row of the matrix.
    pub rows: Vec<u32>,
    /// Warnings from reading it.
    pub warnings: Vec<Warning>,
}

impl Dump {
    /// Reads one layer of this dump.
    ///
    /// Values in the machine's byte order, C order and aligned stay in the memory map. Everything
    /// else is decoded once, into its own precision; 8- and 16-bit integers and booleans become
    /// f32, larger integers f64. Rows that lie in several files are copied into one matrix.
    ///
    /// Where the dump holds a mask or lengths of its tokens, poolings heed it unless
    /// [`ReadOptions::mask`] gives another.
    ///
    /// # Errors
    /// [`Error::NeedsPooling`] for three or four axes without a pooling; [`Error::Unsupported`] for
    /// no or too many axes, no values, integers beyond 2^53, a pooling that does not apply, or axes
    /// that look like layers; [`Error::Usage`] for a row that is not there.
    pub fn read(&self, layer: &LayerInfo, options: &ReadOptions) -> Result<Layer> {
        let entry = layer.entry();
        let n = pooling::rows_in(&layer.parts, options.pool);
        let Ok(all) = u32::try_from(n) else {
            return Err(
                entry.unsupported(format!("{n} rows"), "split it: rows are counted in 32 bits")
            );
        };
        let beyond = |rows: &[u32]| rows.iter().copied().find(|&row| row >= all);
        if let Some(row) = options.rows.and_then(beyond) {
            return Err(Error::Usage(format!(
                "row {row} is beyond the {n} rows of layer {}",
                layer.name
            )));
        }
        self.check_axes(layer, options)?;
        let mut warnings = Vec::new();
        let mask = self.mask_of(layer, options, n, &mut warnings)?;
        let by_token = options.pool == Some(Pooling::Tokens);
        let tokens = match by_token && options.rows.is_none() {
            true => self.tokens_of(layer, options.mask)?,
            false => None,
        };
        if let Some(mask) = mask.filter(|_| entry.shape.len() > 2 && !by_token) {
            mask.check_rows(entry, n)?;
        }
        let kept = tokens.as_ref().and_then(TokenRows::kept);
        let chosen = options.rows.or(kept);
        let matrix = self.joined(layer, options.pool, mask, chosen, &mut warnings)?;
        warnings.extend(integer_warning(&layer.name, layer.dtype, matrix.n_rows()));
        Ok(Layer {
            name: layer.name.clone(),
            index: layer.index,
            relative_depth: layer.relative_depth,
            matrix,
            rows: chosen.map_or_else(|| (0..all).collect(), <[u32]>::to_vec),
            warnings,
        })
    }

    /// The mask that was given, or that of the dump where the pooling heeds it.
    fn mask_of<'a>(
        &'a self,
        layer: &LayerInfo,
        options: &ReadOptions<'a>,
        n: usize,
        warnings: &mut Vec<Warning>,
    ) -> Result<Option<&'a Mask>> {
        let mask = match options.mask {
            Some(mask) => Some(mask),
            None => self.own_mask(layer, options.pool, warnings)?,
        };
        if layer.shape.len() == 2 && options.rows.is_none() && !self.options.ignore_padding {
            let unused = self.padding.unused_over_rows(n)?;
            warnings.extend(unused.map(|text| Warning::new(WarningCode::PaddingUnused, 1, text)));
        }
        // A square mask fits both ways.
        if let Some(mask) = mask
            && layer.shape.len() == 3
            && layer.shape[0] == layer.shape[1]
        {
            mask.check_direction(layer.entry())?;
        }
        Ok(mask)
    }

    /// The chosen rows of all parts of a layer, pooled.
    fn joined(
        &self,
        layer: &LayerInfo,
        pool: Option<Pooling>,
        mask: Option<&Mask>,
        chosen: Option<&[u32]>,
        warnings: &mut Vec<Warning>,
    ) -> Result<Matrix> {
        let n_wanted = chosen.map_or_else(|| pooling::rows_in(&layer.parts, pool), <[u32]>::len);
        let unmasked = mask.is_none() && !self.options.ignore_padding;
        // Rows that are tokens were chosen under the mask.
        let mask = mask.filter(|_| pool != Some(Pooling::Tokens));
        let mut alone = None;
        let mut joined = Joined::new(n_wanted);
        let mut first = 0;
        for part in &layer.parts {
            let n = pooling::rows_in(std::slice::from_ref(part), pool);
            let rows = chosen.map(|rows| rows_of(rows, first, n));
            let own = part.warnings().into_iter();
            let new: Vec<Warning> = own.filter(|one| !warnings.contains(one)).collect();
            warnings.extend(new);
            // The last batch, or a rank that got nothing.
            if n == 0 && layer.parts.len() > 1 {
                continue;
            }
            if rows.as_ref().is_none_or(|rows| !rows.is_empty()) {
                let mask = mask.map(|mask| MaskRows { mask, first });
                if unmasked && pool.is_some_and(Pooling::heeds_mask) {
                    warnings.extend(blank_tokens(part)?);
                }
                let matrix = read_part(part, pool, mask, rows.as_deref())?;
                // Rows of one file stay where they are.
                if matrix.n_rows() == n_wanted {
                    alone = Some(matrix);
                } else if !joined.push(&matrix) {
                    return Err(part.unsupported(
                        "columns of another number or type than the files before",
                        "rows can be joined only where columns are the same",
                    ));
                }
            }
            first += n;
        }
        alone.or_else(|| joined.finish()).ok_or_else(|| {
            let entry = layer.entry();
            entry.unsupported("no rows", "dump at least one row and one column")
        })
    }

    /// Fails where it is not said, or not believable, how axes become rows and columns.
    fn check_axes(&self, layer: &LayerInfo, options: &ReadOptions) -> Result<()> {
        let entry = layer.entry();
        let shape = &layer.shape;
        match (shape.len(), options.pool) {
            (0, _) => return Err(entry.unsupported("no axes", "a layer needs rows and columns")),
            (5.., pool) if pool != Some(Pooling::Flatten) => {
                let fact = format!("shape {shape:?}");
                return Err(
                    entry.unsupported(fact, "use --pool flatten, or dump at most four axes")
                );
            }
            (3.., None) => {
                return Err(Error::NeedsPooling {
                    path: layer.path.clone(),
                    name: layer.name.escape_debug().to_string(),
                    shape: shape.clone(),
                });
            }
            _ => {}
        }
        if self.options.axes.is_some() && shape.len() == 2 {
            return self.check_flat(layer, options);
        }
        self.check_axes_beside(layer, options)
    }

    /// Fails where what lies beside a layer says that its axes mean something else.
    fn check_axes_beside(&self, layer: &LayerInfo, options: &ReadOptions) -> Result<()> {
        let entry = layer.entry();
        let shape = &layer.shape;
        if self.options.axes.is_some() || shape.len() < 2 {
            return Ok(());
        }
        let [rows, second] = [shape[0], shape[1]];
        let has = |n: usize| self.lists.iter().find(|(_, length)| *length == n);
        let tokens_alone = self.padding.tokens.iter().any(|stack| {
            let first = &stack.parts[0];
            first.shape.len() == 1 && first.shape[0] == rows
        });
        if shape.len() > 2 && layer.parts.len() == 1 && tokens_alone {
            let fact =
                format!("shape {shape:?}, and token ids beside it say that axis 0 is tokens");
            return Err(entry.unsupported(
                fact,
                "one prompt a file: give --axes TLD, and --join rows for a folder of them; if its \
                 tokens are the rows, --axes NLD",
            ));
        }
        let (stacked, plain) = match shape.len() {
            2 => ("DN", "ND"),
            3 => ("LND", "NTD"),
            _ => ("LNTD", "NCHW"),
        };
        if let Some((name, _)) = has(second).filter(|_| has(rows).is_none()) {
            let name = name.escape_debug();
            return Err(entry.unsupported(
                format!("shape {shape:?}, and {name} beside it has {second} values, as axis 1 has"),
                format!(
                    "if axis 1 is the rows give --axes {stacked}; if axis 0 is, --axes {plain}"
                ),
            ));
        }
        if shape.len() < 3 {
            return self.check_flat(layer, options);
        }
        self.check_tokens(layer, options.pool)?;
        if let (&[_, a, b, c], Some(Pooling::Gap)) = (shape.as_slice(), options.pool)
            && a == b
            && b != c
        {
            return Err(entry.unsupported(
                format!("shape {shape:?}: axes 1 and 2 look like height and width"),
                "if the last axis is the channels give --axes NHWC; if axis 1 is, --axes NCHW",
            ));
        }
        // A mask of rows and tokens says which axis is which.
        let said = options.mask.is_some() || self.padding.name().is_some();
        if rows < FEW && rows < second && !said && self.padding.tokens.is_empty() {
            let fact = format!("shape {shape:?}: {rows} rows, fewer than what follows");
            let turned = match shape.len() {
                3 => "; if they are tokens, --axes TND",
                _ => "",
            };
            return Err(entry.unsupported(
                fact,
                format!(
                    "if axis 0 holds {rows} layers of {second} rows give --axes {stacked}; if it \
                     holds the rows, --axes {plain}{turned}"
                ),
            ));
        }
        Ok(())
    }

    /// Fails where a mask says that rows are tokens of which some are padding, and nobody else does.
    fn check_flat(&self, layer: &LayerInfo, options: &ReadOptions) -> Result<()> {
        if options.pool == Some(Pooling::Tokens) || self.options.ignore_padding {
            return Ok(());
        }
        if options.pool.is_some_and(Pooling::heeds_mask)
            && let Some((name, prompts)) = self.padding.lengths_over_rows(layer.shape[0])?
        {
            let (shape, name) = (&layer.shape, name.escape_debug());
            return Err(layer.entry().unsupported(
                format!(
                    "shape {shape:?}, and {name} beside it adds up to that many tokens of {prompts} \
                     prompts: rows without an axis of tokens, so nothing is left to pool"
                ),
                "--pool tokens takes each token as a row of its prompt; to pool prompts save \
                 [prompts, tokens, columns]; --mask none takes the rows as they are",
            ));
        }
        match self.padding.over_rows(layer.shape[0]) {
            None => Ok(()),
            Some((name, shape)) => {
                let name = name.escape_debug();
                Err(layer.entry().unsupported(
                    format!(
                        "shape {:?}, and {name} beside it of shape {shape:?}, as if each row were a \
                         token, padding among them",
                        layer.shape
                    ),
                    "--pool tokens leaves out what the mask does; --mask none takes every row",
                ))
            }
        }
    }

    /// Fails where token ids `[N, T]` say that axis 1 is no tokens.
    fn check_tokens(&self, layer: &LayerInfo, pool: Option<Pooling>) -> Result<()> {
        let heeds = pool.is_some_and(Pooling::heeds_tokens) && layer.shape.len() == 3;
        for stack in self.padding.tokens.iter().filter(|_| heeds) {
            let shape = stack.shape();
            if let &[n, tokens] = shape.as_slice()
                && n == layer.shape[0]
                && tokens != layer.shape[1]
            {
                let fact = format!(
                    "shape {:?}, and {} beside it has {tokens} tokens a row",
                    layer.shape,
                    stack.name.escape_debug()
                );
                return Err(layer.entry().unsupported(
                    fact,
                    "if axis 1 is layers give --axes NLD; if it is tokens, --axes NTD",
                ));
            }
        }
        Ok(())
    }

    /// The mask that lies in the dump, where the pooling heeds it.
    fn own_mask(
        &self,
        layer: &LayerInfo,
        pool: Option<Pooling>,
        warnings: &mut Vec<Warning>,
    ) -> Result<Option<&Mask>> {
        let (Some(pool), 3, false) = (pool, layer.shape.len(), self.options.ignore_padding) else {
            return Ok(None);
        };
        if pool.heeds_mask() {
            return self.padding.mask(&layer.parts, &layer.shape);
        }
        let unused = self.padding.unused(pool);
        warnings.extend(unused.map(|text| Warning::new(WarningCode::PaddingUnused, 1, text)));
        Ok(None)
    }
}

/// What tokens that are blank say of an array that is pooled without a mask.
///
/// # Errors
/// [`Error::Unsupported`] for NaN, which no pooling survives.
fn blank_tokens(entry: &Entry) -> Result<Option<Warning>> {
    let &[_, tokens, width] = entry.shape.as_slice() else {
        return Ok(None);
    };
    let Some(found) = blank::find(&entry.load()?, tokens, width) else {
        return Ok(None);
    };
    let what = if found.is_nan { "NaN" } else { "0" };
    let fact = format!(
        "{} of {} rows that end or begin in tokens of nothing but {what}, as padding is",
        found.rows, found.of
    );
    let remedy = "say which tokens count with --mask";
    if found.is_nan {
        return Err(entry.unsupported(fact, remedy));
    }
    let name = entry.name.escape_debug();
    Ok(Some(Warning::new(
        WarningCode::PaddingUnused,
        found.rows,
        format!(
            "{name} has {fact}, and all were pooled; {remedy}, or that all do with --mask none"
        ),
    )))
}

/// Those of `rows` that lie in a part of `n` rows, counted from its first.
fn rows_of(rows: &[u32], first: usize, n: usize) -> Vec<u32> {
    let inside = |row: &&u32| (first..first + n).contains(&(**row as usize));
    let local = |row: &u32| u32::try_from(*row as usize - first).expect("below the row itself");
    rows.iter().filter(inside).map(local).collect()
}

/// The chosen rows of one part of a layer.
fn read_part(
    entry: &Entry,
    pool: Option<Pooling>,
    mask: Option<MaskRows<'_>>,
    rows: Option<&[u32]>,
) -> Result<Matrix> {
    let array = entry.load()?;
    if let Some(value) = array.beyond_f64() {
        return Err(entry.unsupported(
            format!("the integer {value}, which no f64 holds exactly"),
            "subtract an offset or convert to float before dumping",
        ));
    }
    match pool {
        Some(pooling) if entry.shape.len() > 2 => pooling::pool(entry, &array, pooling, mask, rows),
        _ => pooling::whole(entry, &array, rows),
    }
}

fn integer_warning(name: &str, dtype: Dtype, n: usize) -> Option<Warning> {
    let bits = match dtype {
        Dtype::I16 | Dtype::U16 => "; if they are the bits of bfloat16, --bf16-bits",
        _ => "",
    };
    let message =
        format!("{name}: {dtype} values were converted to float; tied distances are likely{bits}");
    (!dtype.is_float()).then(|| Warning::new(WarningCode::IntegerInput, n, message))
}
