//! Reads a series back from what the writers of reports wrote, or from any CSV.

mod choose;
mod csv;
mod json;

use std::io;
use std::path::Path;

use self::choose::malformed;
use crate::input::{SeriesChoice, SeriesFile, read_file, read_stream};
use crate::{Error, Result};

/// Reads one series from `path`, by ending: `.json` is a report of repgeo; `.csv` is the tidy
/// CSV of repgeo or any CSV with a header.
///
/// A choice that was left open falls on the first quantity and the first variant of the file,
/// which is a report's headline; two scales, two second layers or two columns that are both
/// possible are an error that lists them.
///
/// # Errors
/// [`Error::Read`] or [`Error::Malformed`] if the file is bad; [`Error::NoLayers`] if nothing,
/// or more than one series, fits `choice`.
pub fn read_series(path: &Path, choice: &SeriesChoice) -> Result<SeriesFile> {
    let read = if path == Path::new("-") {
        read_stream(&mut io::stdin().lock())
    } else {
        read_file(path)
    };
    let bytes = read.map_err(|source| Error::Read {
        path: path.to_owned(),
        source,
    })?;
    let text = String::from_utf8(bytes).map_err(|_| malformed(path, "the text is not UTF-8"))?;
    // A CSV begins with the name of a column; only JSON begins with a brace.
    match text.trim_start().starts_with('{') {
        true => json::read(&text, path, choice),
        false => csv::read(&text, path, choice),
    }
}
