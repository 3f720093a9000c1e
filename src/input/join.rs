//! Says what is done with rows that lie in several files, and refuses what may mean two things.

use std::path::Path;

use crate::Error;
use crate::choice::choice;

choice! {
    /// What is done with rows that lie in several files, as typed after `--join`.
    pub enum Join {
        /// Join pieces that are numbered without gaps (layer_03_batch_0007); refuse numbers that may
        /// mean layers as well as rows
        Auto = "auto",
        /// Join arrays of one name along their rows, file after file
        Rows = "rows",
        /// Take every array for a layer of its own
        Never = "never",
    }
}

/// An error that offers readings.
pub(super) fn refused(path: &Path, fact: &str, remedy: &str) -> Error {
    Error::NoLayers {
        path: path.to_owned(),
        fact: fact.into(),
        remedy: remedy.into(),
    }
}
