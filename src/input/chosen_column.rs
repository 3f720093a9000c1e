//! Finds the column of a table that `FILE:COLUMN` names.

use std::path::Path;

use super::file;
use super::text::Table;
use crate::{Error, Result};

/// The place of the column that was named, or of the only one.
///
/// # Errors
/// [`Error::NoLayers`] naming the columns that there are.
pub(super) fn chosen_column(path: &Path, table: &Table, column: Option<&str>) -> Result<usize> {
    let at = match column {
        Some(column) => table.place(column),
        None => (table.header.len() == 1).then_some(0),
    };
    at.ok_or_else(|| Error::NoLayers {
        path: path.to_owned(),
        fact: match column {
            Some(column) => format!("there is no column {column:?}"),
            None => format!("there are {} columns", table.header.len()),
        },
        remedy: format!(
            "choose one as FILE:COLUMN: {}",
            file::list(table.header.iter().map(String::as_str))
        ),
    })
}
