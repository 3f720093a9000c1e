//! Writes the dimension at every row as a table, a line a layer and row.

use std::path::Path;

use super::row_peaks::{place_cells, place_header};
use super::write::csv::plain_csv;
use super::zero;
use crate::error::Result;
use crate::input::TokenRows;
use crate::profile::id::IdProfile;
use crate::storage::write_atomically;

/// `layer`, `row` of the input from 0, of rows that are `tokens` also `prompt` and `token`, and `id`,
/// which is empty where a row has none. Tokens of the padding have no line.
///
/// # Errors
/// [`Error::Write`](crate::Error::Write).
pub fn write_local(path: &Path, profile: &IdProfile, tokens: Option<&TokenRows>) -> Result<()> {
    let header = [&["layer"][..], &place_header(tokens), &["id"]].concat();
    let counts = |row: usize| match tokens.and_then(TokenRows::kept) {
        None => true,
        Some(kept) => u32::try_from(row).is_ok_and(|row| kept.binary_search(&row).is_ok()),
    };
    let lines = profile.layers.iter().flat_map(|layer| {
        let values = layer.local.iter().flatten().enumerate();
        let values = values.filter(|&(row, _)| counts(row));
        values.map(|(row, &value)| {
            let mut cells = vec![layer.layer.clone()];
            cells.extend(place_cells(row, tokens));
            cells.push(match value.is_finite() {
                true => zero::plain(value),
                false => String::new(),
            });
            cells
        })
    });
    write_atomically(path, plain_csv(&header, lines).as_bytes())
}
