//! Says which tokens of each row count.

use std::path::Path;

use super::beside;
use super::entry::Entry;
use super::file;
use super::range::whole_index;
use crate::{Error, Result};

/// A mask over the tokens of N rows, which may have different numbers of them.
#[derive(Debug, Clone)]
pub struct Mask {
    label: String,
    /// Neighbouring rows of as many tokens.
    spans: Vec<Span>,
    n_rows: usize,
    keep: Vec<bool>,
}

/// Rows of one width, the first of which is row `first`, and begins at `start` of the flags.
#[derive(Debug, Clone, Copy)]
struct Span {
    first: usize,
    start: usize,
    tokens: usize,
}

/// A mask, seen from the first row of one part of a layer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MaskRows<'a> {
    /// The mask of all parts.
    pub mask: &'a Mask,
    /// Its row that is row 0 of the part.
    pub first: usize,
}

impl Mask {
    /// Reads a mask from `FILE` or `FILE#NAME`: an array `[N, T]` of booleans, or of the numbers 0
    /// and 1, whose ones count; behind `not:` its zeros count.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for another shape or other values; whatever reading the file can give.
    pub fn open(path: &Path) -> Result<Self> {
        let (entry, ones_are_padding) = source(path)?;
        Self::of_source(entry, ones_are_padding)
    }

    /// Reads a mask as [`Mask::open`] does, if it has the `n` rows of the dump: one of more rows is
    /// refused before it is taken to memory.
    ///
    /// # Errors
    /// As [`Mask::open`]; [`Error::RowMismatch`].
    pub fn open_for(path: &Path, n: usize) -> Result<Self> {
        let (entry, ones_are_padding) = source(path)?;
        match entry.shape.as_slice() {
            &[found, _] if found != n => {
                Err(row_mismatch("the dump".into(), n, entry.label(), found))
            }
            _ => Self::of_source(entry, ones_are_padding),
        }
    }

    fn of_source(entry: Entry, ones_are_padding: bool) -> Result<Self> {
        let mut mask = Self::of_parts(&[entry])?;
        if ones_are_padding {
            mask.keep.iter_mut().for_each(|keep| *keep = !*keep);
        }
        Ok(mask)
    }

    /// The rows of several arrays `[N, T]`, one after the other.
    pub(crate) fn of_parts(parts: &[Entry]) -> Result<Self> {
        let mut mask = Self::empty(parts);
        for entry in parts {
            // [N, 1, 1, T], as attention takes it, and [N, T, 1] say the same.
            let mut axes = entry.shape.clone();
            while axes.len() > 2
                && let Some(at) = axes[1..].iter().position(|&n| n == 1)
            {
                axes.remove(at + 1);
            }
            let &[n_rows, n_tokens] = axes.as_slice() else {
                let fact = format!("shape {:?}", entry.shape);
                return Err(entry.unsupported(fact, "a mask needs the shape [rows, tokens]"));
            };
            entry.dtype()?;
            let array = entry.load()?;
            let read = array.runs_f64().expect("the dtype was checked");
            let is_one = |x: f64| x.to_bits() == 1f64.to_bits();
            // A row at a time: all values as f64 would take eight times the file.
            let mut row = vec![0.0; n_tokens];
            for at in 0..n_rows {
                read(at, 0, &mut row);
                let bad = |x: &&f64| !is_one(**x) && x.abs() > 0.0 || x.is_nan();
                if let Some(value) = row.iter().find(bad) {
                    let fact = format!("the value {value}");
                    return Err(entry.unsupported(fact, "a mask holds booleans, or 0 and 1"));
                }
                mask.keep.extend(row.iter().map(|&x| is_one(x)));
            }
            mask.end_rows(n_rows, n_tokens);
        }
        Ok(mask)
    }

    /// Rows that keep as many of their first tokens as arrays `[N]` say; `widths` are the rows and
    /// tokens of each part of the layer.
    pub(crate) fn of_lengths(parts: &[Entry], widths: &[(usize, usize)]) -> Result<Self> {
        let mut mask = Self::empty(parts);
        let mut tokens = widths
            .iter()
            .flat_map(|&(n, tokens)| std::iter::repeat_n(tokens, n));
        for entry in parts {
            for value in Self::lengths(entry)? {
                let Some(tokens) = tokens.next() else {
                    let fact = "more lengths than the layer has rows";
                    return Err(entry.unsupported(fact, "dump one length a row"));
                };
                let length = whole_index(value, tokens + 1).filter(|&length| length > 0);
                let Some(length) = length else {
                    let fact = format!("the length {value}");
                    return Err(entry.unsupported(
                        fact,
                        format!("a row of {tokens} tokens keeps from 1 to all of them"),
                    ));
                };
                let length = length as usize;
                mask.keep.extend((0..tokens).map(|token| token < length));
                mask.end_rows(1, tokens);
            }
        }
        Ok(mask)
    }

    /// The lengths that an array `[N]` holds, or that lie between the N + 1 places of one that says
    /// where prompts begin.
    pub(crate) fn lengths(entry: &Entry) -> Result<Vec<f64>> {
        entry.dtype()?;
        let values = entry.load()?.to_f64().expect("the dtype was checked");
        if !beside::is_offsets(&entry.name.to_lowercase()) {
            return Ok(values);
        }
        match values.first() {
            Some(&first) if first.abs() <= 0.0 => {
                Ok(values.windows(2).map(|two| two[1] - two[0]).collect())
            }
            _ => Err(entry.unsupported(
                "it does not begin with 0, as places where prompts begin do",
                "save the number of tokens of each prompt as lengths",
            )),
        }
    }

    fn empty(parts: &[Entry]) -> Self {
        Self {
            label: parts[0].label(),
            spans: Vec::new(),
            n_rows: 0,
            keep: Vec::new(),
        }
    }

    /// Counts rows whose flags have just been kept.
    fn end_rows(&mut self, rows: usize, tokens: usize) {
        if self.spans.last().is_none_or(|last| last.tokens != tokens) {
            self.spans.push(Span {
                first: self.n_rows,
                start: self.keep.len() - rows * tokens,
                tokens,
            });
        }
        self.n_rows += rows;
    }

    /// Number of rows.
    pub(crate) fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// A mask for rows of these `lengths`, all of whose tokens count.
    pub(crate) fn of_ragged(parts: &[Entry], lengths: &[usize]) -> Self {
        let mut mask = Self::empty(parts);
        for &length in lengths {
            mask.keep.extend(std::iter::repeat_n(true, length));
            mask.end_rows(1, length);
        }
        mask
    }

    /// A flag a token, row after row.
    pub(crate) fn flags(&self) -> &[bool] {
        &self.keep
    }

    /// What it is called in messages.
    pub(crate) fn label(&self) -> &str {
        &self.label
    }

    /// The number of tokens of each row, as neighbouring rows of one number: `(rows, tokens)`.
    pub(crate) fn widths(&self) -> Vec<(usize, usize)> {
        let ends = self.spans.iter().skip(1).map(|span| span.first);
        let ends = ends.chain([self.n_rows]);
        let spans = self.spans.iter().zip(ends);
        spans
            .map(|(span, end)| (end - span.first, span.tokens))
            .collect()
    }

    /// The tokens of one row.
    fn row(&self, row: usize) -> &[bool] {
        let after = self.spans.partition_point(|span| span.first <= row);
        let span = self.spans[after - 1];
        let start = span.start + (row - span.first) * span.tokens;
        &self.keep[start..start + span.tokens]
    }

    /// Fails where columns, not rows, look like prompts with padding at their end, or all at their
    /// beginning: the mask of `[N, T]` was saved as `[T, N]`. To be asked where either would fit.
    ///
    /// # Errors
    /// [`Error::Unsupported`].
    pub(crate) fn check_direction(&self, entry: &Entry) -> Result<()> {
        let &[Span { tokens, .. }] = self.spans.as_slice() else {
            return Ok(());
        };
        let n = self.n_rows;
        let runs = |along: usize, across: usize, step: [usize; 2]| {
            [true, false].into_iter().any(|first| {
                (0..across).all(|line| {
                    let flags = (0..along).map(|at| self.keep[line * step[0] + at * step[1]]);
                    let mut rest = flags.skip_while(|&flag| flag == first);
                    rest.all(|flag| flag != first)
                })
            })
        };
        if runs(tokens, n, [tokens, 1]) || !runs(n, tokens, [1, tokens]) {
            return Ok(());
        }
        Err(entry.unsupported(
            format!(
                "two readings of {}, of shape [{n}, {tokens}]: its columns end in padding as prompts \
                 do, its rows do not",
                self.label
            ),
            "save the mask as [rows, tokens], or leave it out with --mask none",
        ))
    }

    /// The first row in which two masks of one kind differ.
    pub(crate) fn first_difference(&self, other: &Self) -> Option<usize> {
        let n = self.n_rows().max(other.n_rows());
        (0..n).find(|&row| {
            row >= self.n_rows() || row >= other.n_rows() || self.row(row) != other.row(row)
        })
    }

    /// Whether the mask has as many rows as the layer that begins with `entry`.
    ///
    /// # Errors
    /// [`Error::RowMismatch`].
    pub(crate) fn check_rows(&self, entry: &Entry, n: usize) -> Result<()> {
        if self.n_rows() == n {
            return Ok(());
        }
        let found = self.n_rows();
        Err(row_mismatch(entry.label(), n, self.label.clone(), found))
    }
}

fn row_mismatch(first: String, n_first: usize, second: String, n_second: usize) -> Error {
    Error::RowMismatch {
        first,
        n_first,
        second,
        n_second,
        remedy: "give the --mask that was used for this dump, or --mask none".into(),
    }
}

/// The array at `path`, and whether its ones are padding: `not:FILE`.
fn source(path: &Path) -> Result<(Entry, bool)> {
    let padding = path.to_str().and_then(|text| text.strip_prefix("not:"));
    Ok(match padding.filter(|_| !path.exists()) {
        None => (file::single(path)?, false),
        Some(path) => (file::single(Path::new(path))?, true),
    })
}

impl MaskRows<'_> {
    /// Whether the mask fits the `n` rows of `tokens` tokens of a part.
    ///
    /// # Errors
    /// [`Error::Unsupported`], naming both arrays.
    pub(crate) fn check_widths(&self, entry: &Entry, n: usize, tokens: usize) -> Result<()> {
        match (0..n).map(|row| self.row(row).len()).find(|&m| m != tokens) {
            None => Ok(()),
            Some(masked) => Err(entry.unsupported(
                format!("{tokens} tokens but {} masks {masked}", self.mask.label),
                "give the --mask that was used for this dump, or --mask none",
            )),
        }
    }

    /// The tokens of one row of the part.
    pub(crate) fn row(&self, row: usize) -> &[bool] {
        self.mask.row(self.first + row)
    }

    /// Whether the mask fits the `n` rows of `tokens` tokens of a part, and keeps a token of each
    /// of `rows`.
    ///
    /// # Errors
    /// [`Error::Unsupported`], naming both arrays or the empty row.
    pub(crate) fn check(
        &self,
        entry: &Entry,
        n: usize,
        tokens: usize,
        rows: Option<&[u32]>,
    ) -> Result<()> {
        let label = &self.mask.label;
        self.check_widths(entry, n, tokens)?;
        let empty = |row: &usize| !self.row(*row).contains(&true);
        let found = match rows {
            None => (0..n).find(empty),
            Some(rows) => rows.iter().map(|&row| row as usize).find(empty),
        };
        match found {
            None => Ok(()),
            Some(row) => Err(entry.unsupported(
                format!("no token left in row {row} under {label}"),
                "drop that row with --rows, or fix the mask",
            )),
        }
    }
}
