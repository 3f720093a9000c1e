//! Which tokens of each row count.

use std::path::Path;

use super::entry::Entry;
use super::file;
use crate::{Error, Result};

/// A mask of N rows and T tokens.
#[derive(Debug, Clone)]
pub struct Mask {
    label: String,
    n_rows: usize,
    n_tokens: usize,
    keep: Vec<bool>,
}

impl Mask {
    /// Reads a mask from `FILE` or `FILE#NAME`: an array `[N, T]` of booleans, or of the numbers 0
    /// and 1.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for another shape or other values; whatever reading the file can give.
    pub fn open(path: &Path) -> Result<Self> {
        let entry = file::single(path)?;
        let &[n_rows, n_tokens] = entry.shape.as_slice() else {
            let fact = format!("shape {:?}", entry.shape);
            return Err(entry.unsupported(fact, "a mask needs the shape [rows, tokens]"));
        };
        entry.dtype()?;
        let values = entry.load()?.to_f64().expect("the dtype was checked");
        let is_one = |x: &f64| x.to_bits() == 1f64.to_bits();
        if let Some(value) = values
            .iter()
            .find(|x| !is_one(x) && x.abs() > 0.0 || x.is_nan())
        {
            let fact = format!("the value {value}");
            return Err(entry.unsupported(fact, "a mask holds booleans, or 0 and 1"));
        }
        Ok(Self {
            label: entry.label(),
            n_rows,
            n_tokens,
            keep: values.iter().map(is_one).collect(),
        })
    }

    /// The tokens of one row.
    pub(crate) fn row(&self, row: usize) -> &[bool] {
        &self.keep[row * self.n_tokens..(row + 1) * self.n_tokens]
    }

    /// Whether the mask fits an array of `n` rows and `tokens` tokens, and keeps a token of each of
    /// `rows`.
    ///
    /// # Errors
    /// [`Error::RowMismatch`] or [`Error::Unsupported`], naming both arrays or the empty row.
    pub(crate) fn check(
        &self,
        entry: &Entry,
        n: usize,
        tokens: usize,
        rows: Option<&[u32]>,
    ) -> Result<()> {
        if self.n_rows != n {
            return Err(Error::RowMismatch {
                first: entry.label(),
                n_first: n,
                second: self.label.clone(),
                n_second: self.n_rows,
                remedy: "give the --mask that was used for this dump".into(),
            });
        }
        if self.n_tokens != tokens {
            let fact = format!("{tokens} tokens but {} masks {}", self.label, self.n_tokens);
            return Err(entry.unsupported(fact, "give the --mask that was used for this dump"));
        }
        let empty = |row: &usize| !self.row(*row).contains(&true);
        let found = match rows {
            None => (0..n).find(empty),
            Some(rows) => rows.iter().map(|&row| row as usize).find(empty),
        };
        match found {
            None => Ok(()),
            Some(row) => Err(entry.unsupported(
                format!("no token left in row {row} under {}", self.label),
                "drop that row with --rows, or fix the mask",
            )),
        }
    }
}
