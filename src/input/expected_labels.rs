//! Says how many labels there have to be.

use std::path::Path;

use crate::{Error, Result};

/// How many labels there have to be: a file with more is refused before they are taken to memory.
#[derive(Debug, Clone, Copy)]
pub struct ExpectedLabels<'a> {
    /// The number.
    pub n: usize,
    /// Other numbers that will do.
    pub or: &'a [usize],
    /// What has as many rows.
    pub of: &'a str,
    /// What to do where they differ.
    pub remedy: &'a str,
}

impl<'a> ExpectedLabels<'a> {
    /// One label for each of the `n` rows of a dump, a layer.
    pub fn rows(n: usize, of: &'a str) -> Self {
        Self {
            n,
            or: &[],
            of,
            remedy: "give --labels with one label per row of the dump",
        }
    }

    /// Checks the number of labels found.
    ///
    /// # Errors
    /// [`Error::RowMismatch`] naming both.
    pub(super) fn check(&self, path: &Path, found: usize) -> Result<()> {
        if found == self.n || self.or.contains(&found) {
            return Ok(());
        }
        Err(Error::RowMismatch {
            first: self.of.to_owned(),
            n_first: self.n,
            second: path.display().to_string(),
            n_second: found,
            remedy: self.remedy.to_owned(),
        })
    }
}
