//! Peaks and densities of single rows, as files beside a report.

use std::path::Path;

use super::write::csv::plain_csv;
use super::zero;
use crate::Error;
use crate::choice::choice;
use crate::error::Result;
use crate::input::TokenRows;
use crate::profile::landscape::{DecisionGraph, GraphRow, LayerPeaks, RowPeaks};
use crate::storage::{npy, short_stem, write_atomically};

choice! {
    /// The format of files about single rows.
    pub enum RowFormat {
        /// One CSV a layer, empty cells where a row has nothing.
        Csv = "csv",
        /// One array a layer and quantity; −1 and NaN where a row has nothing.
        Npy = "npy",
    }
}

/// The label in an array of a row in the halo of its peak.
const HALO: i64 = -1;

/// The label in an array of a row that took no part.
const NO_PART: i64 = -2;

/// Writes the rows of every layer into `folder`, which is made if it is not there; rows that are
/// `tokens` also say which token of which prompt they are.
///
/// # Errors
/// [`Error::Write`].
pub fn write_assignments(
    folder: &Path,
    layers: &[LayerPeaks],
    format: RowFormat,
    tokens: Option<&TokenRows>,
) -> Result<()> {
    std::fs::create_dir_all(folder).map_err(|source| Error::Write {
        path: folder.to_owned(),
        source,
    })?;
    for (name, layer) in file_names(layers).iter().zip(layers) {
        let Some(rows) = &layer.rows else {
            continue;
        };
        match format {
            RowFormat::Csv => {
                let path = folder.join(format!("{name}.csv"));
                write_atomically(&path, assignments_csv(rows, tokens).as_bytes())?;
            }
            RowFormat::Npy => {
                for (what, bytes) in assignment_arrays(rows) {
                    write_atomically(&folder.join(format!("{name}.{what}.npy")), &bytes)?;
                }
            }
        }
    }
    Ok(())
}

/// Names of layers as names of files: anything but letters, digits, `.`, `_` and `-` becomes `_`,
/// and names that collide get their index.
fn file_names(layers: &[LayerPeaks]) -> Vec<String> {
    let plain = |name: &str| -> String {
        let keep = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-');
        let plain = name.chars().map(|c| if keep(c) { c } else { '_' });
        short_stem(&plain.collect::<String>())
    };
    let names: Vec<String> = layers.iter().map(|layer| plain(&layer.layer)).collect();
    let unique = |name: &String| {
        let same = names.iter().filter(|other| *other == name);
        same.count() == 1 && !name.starts_with('.') && !name.is_empty()
    };
    let named = names.iter().zip(layers);
    named
        .map(|(name, layer)| match unique(name) {
            true => name.clone(),
            false => format!("{:03}_{name}", layer.index),
        })
        .collect()
}

/// The columns that say which row a line is about.
pub(super) fn place_header(tokens: Option<&TokenRows>) -> Vec<&'static str> {
    match tokens {
        Some(_) => vec!["row", "prompt", "token"],
        None => vec!["row"],
    }
}

/// Their cells.
pub(super) fn place_cells(row: usize, tokens: Option<&TokenRows>) -> Vec<String> {
    let mut cells = vec![row.to_string()];
    if let Some(tokens) = tokens {
        let (prompt, token) = tokens.place(row);
        cells.extend([prompt.to_string(), token.to_string()]);
    }
    cells
}

/// One line a row of the input.
fn assignments_csv(rows: &RowPeaks, tokens: Option<&TokenRows>) -> String {
    let mut header = place_header(tokens);
    header.extend([
        "cluster",
        "halo",
        "log_density",
        "error",
        "kstar",
        "repeats",
    ]);
    let count = |count: Option<usize>| count.map(|n| n.to_string()).unwrap_or_default();
    let number = |value: f64| match value.is_finite() {
        true => zero::plain(value),
        false => String::new(),
    };
    let lines = (0..rows.peak.len()).map(|row| {
        let halo = rows.peak[row].map(|_| u8::from(rows.halo[row]).to_string());
        let mut cells = place_cells(row, tokens);
        cells.extend([
            count(rows.peak[row]),
            halo.unwrap_or_default(),
            number(rows.log_density[row]),
            number(rows.error[row]),
            count(rows.kstar[row]),
            count(rows.repeats[row]),
        ]);
        cells
    });
    plain_csv(&header, lines)
}

fn assignment_arrays(rows: &RowPeaks) -> [(&'static str, Vec<u8>); 4] {
    let label = |peak: Option<usize>| {
        peak.and_then(|peak| i64::try_from(peak).ok())
            .unwrap_or(NO_PART)
    };
    let clusters: Vec<i64> = rows.peak.iter().map(|&peak| label(peak)).collect();
    let cores: Vec<i64> = clusters
        .iter()
        .zip(&rows.halo)
        .map(|(&cluster, &halo)| if halo { HALO } else { cluster })
        .collect();
    let shape = [clusters.len()];
    [
        ("cluster", npy(&shape, &clusters)),
        ("core", npy(&shape, &cores)),
        ("log_density", npy(&shape, &rows.log_density)),
        ("error", npy(&shape, &rows.error)),
    ]
}

/// Log-densities of every input row, layer after layer: \[N\] for one layer, \[L, N\] for several,
/// NaN where there is none; the bytes of an `.npy` file. `None` unless rows were kept and layers
/// have the same number of them.
pub fn log_density_npy(layers: &[LayerPeaks]) -> Option<Vec<u8>> {
    let rows: Option<Vec<&[f64]>> = layers
        .iter()
        .map(|layer| Some(layer.rows.as_ref()?.log_density.as_slice()))
        .collect();
    let rows = rows?;
    let n = rows.first()?.len();
    let shape = match rows.len() {
        1 => vec![n],
        n_layers => vec![n_layers, n],
    };
    let same = rows.iter().all(|layer| layer.len() == n);
    same.then(|| npy(&shape, &rows.concat()))
}

/// Writes the decision graph as CSV, rows that stand out first; rows that are `tokens` also say which
/// token of which prompt they are.
///
/// # Errors
/// [`Error::Write`].
pub fn write_decision_graph(
    path: &Path,
    graph: &DecisionGraph,
    tokens: Option<&TokenRows>,
) -> Result<()> {
    let mut rows: Vec<&GraphRow> = graph.rows.iter().collect();
    rows.sort_by(|a, b| b.delta.total_cmp(&a.delta).then(a.row.cmp(&b.row)));
    let count = |count: Option<usize>| count.map(|n| n.to_string()).unwrap_or_default();
    let lines = rows.into_iter().map(|row| {
        let mut cells = place_cells(row.row, tokens);
        cells.extend([
            zero::plain(row.log_density),
            zero::plain(row.delta),
            count(row.reference),
            count(row.peak),
        ]);
        cells
    });
    let mut header = place_header(tokens);
    header.extend(["log_density", "delta", "reference", "peak"]);
    write_atomically(path, plain_csv(&header, lines).as_bytes())
}
