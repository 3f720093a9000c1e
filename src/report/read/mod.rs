//! Reads a series back from what the writers of reports wrote, or from any CSV.

mod choose;
mod csv;
mod json;
mod measured;

use std::path::Path;

pub use measured::{NumberChoice, read_measured};

use crate::Result;
use crate::input::{SeriesChoice, SeriesFile, decode_text, read_text};

/// Reads one series from `path`, by ending: `.json` is a report of repgeo; `.csv` is the tidy
/// CSV of repgeo or any CSV with a header.
///
/// A choice that was left open falls on the first quantity and the first variant of the file,
/// which is a report's headline; two scales, two second layers or two columns that are both
/// possible are an error that lists them.
///
/// # Errors
/// [`Error::Read`](crate::Error::Read) or [`Error::Malformed`](crate::Error::Malformed) if the file is bad; [`Error::NoLayers`](crate::Error::NoLayers) if nothing,
/// or more than one series, fits `choice`.
pub fn read_series(path: &Path, choice: &SeriesChoice) -> Result<SeriesFile> {
    let text = decode_text(path, &read_text(path)?)?;
    // A CSV begins with the name of a column; only JSON begins with a brace.
    match text.trim_start().starts_with('{') {
        true => json::read(&text, path, choice),
        false => csv::read(&text, path, choice),
    }
}
