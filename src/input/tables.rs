//! Neighbour tables that somebody computed before.

use std::path::{Path, PathBuf};

use ndarray::Array2;

use super::entry::Entry;
use super::file;
use super::range::whole_index;
use crate::{Error, Result};

/// Endings of names that mark distances; the longest that fits counts.
const DISTANCES: [&str; 2] = ["distances", "dist"];
/// Endings of names that mark indices.
const INDICES: [&str; 3] = ["dist_indices", "indices", "index"];
/// Largest relative difference between the two halves of a square matrix.
const ASYMMETRY: f64 = 1e-9;

/// The nearest rows of every row, as given. Self is excluded.
#[derive(Debug, Clone, PartialEq)]
pub struct PrecomputedTable {
    /// Number of rows.
    pub n: usize,
    /// Number of neighbours of each row.
    pub k: usize,
    /// N × k: the neighbours of each row, nearest first.
    pub indices: Array2<u32>,
    /// N × k: their distances, ascending.
    pub distances: Array2<f64>,
}

/// A table that was found but not read.
#[derive(Debug, Clone)]
pub struct TableSource {
    /// What it is called: the common part of the two arrays' names, or the file's.
    pub name: String,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    Pair { distances: Entry, indices: Entry },
    Square(Entry),
}

/// Finds the tables at `path`, in natural order.
///
/// In a directory or a file of several arrays, `X_dist` or `X_distances` belongs with `X_index`,
/// `X_indices` or `X_dist_indices` (X may be empty). A single array is a square matrix of distances.
///
/// # Errors
/// [`Error::NoLayers`] if there are none or one half of a pair is not there; whatever reading
/// headers can give.
pub fn find_tables(path: &Path) -> Result<Vec<TableSource>> {
    let entries = file::find(path)?.entries;
    let none = |fact: String| Error::NoLayers {
        path: path.to_owned(),
        fact,
        remedy: "give pairs X_dist and X_index, or one square matrix (docs/formats.md)".into(),
    };
    let mut tables = Vec::new();
    for entry in &entries {
        let Some(stem) = stem(&entry.name, &DISTANCES) else {
            continue;
        };
        let mut partners = entries
            .iter()
            .filter(|other| self::stem(&other.name, &INDICES) == Some(stem));
        // Several archives may each hold a pair of the same names.
        let partner = partners
            .clone()
            .find(|other| other.path == entry.path)
            .or_else(|| partners.next());
        match partner {
            Some(indices) => tables.push(TableSource {
                name: if stem.is_empty() {
                    file_stem(&entry.path)
                } else {
                    stem.to_owned()
                },
                kind: Kind::Pair {
                    distances: entry.clone(),
                    indices: indices.clone(),
                },
            }),
            None if entries.len() > 1 => {
                return Err(none(format!("{:?} has no indices beside it", entry.name)));
            }
            None => {}
        }
    }
    match (tables.is_empty(), entries.as_slice()) {
        (false, _) => Ok(tables),
        (true, [entry]) => Ok(vec![TableSource {
            name: entry.name.clone(),
            kind: Kind::Square(entry.clone()),
        }]),
        (true, _) => {
            let names = file::list(entries.iter().map(|entry| entry.name.as_str()));
            Err(none(format!("there is no neighbour table among {names}")))
        }
    }
}

/// What is left of `name` without one of `endings` and the joint before it.
fn stem<'a>(name: &'a str, endings: &[&str]) -> Option<&'a str> {
    endings
        .iter()
        .filter_map(|ending| name.strip_suffix(ending))
        .find(|stem| stem.is_empty() || stem.ends_with(['_', '.', '-', '/']))
        .map(|stem| stem.trim_end_matches(['_', '.', '-', '/']))
}

fn file_stem(path: &Path) -> String {
    path.file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

impl TableSource {
    /// Reads and checks the table, keeping at most `max_k` neighbours of each row.
    ///
    /// A column 0 that holds every row's own index at distance 0 is self and left out.
    ///
    /// # Errors
    /// [`Error::BadTable`] naming the first row whose indices are out of range or repeat, whose
    /// distances are not ascending and finite, or whose self column is not like the others';
    /// for a square matrix, that is not symmetric within 1e-9 or has a diagonal other than 0.
    pub fn read(&self, max_k: usize) -> Result<PrecomputedTable> {
        match &self.kind {
            Kind::Pair { distances, indices } => read_pair(distances, indices, max_k),
            Kind::Square(entry) => read_square(entry, max_k),
        }
    }
}

/// An array with two axes, widened.
fn plane(entry: &Entry) -> Result<Array2<f64>> {
    let &[rows, columns] = entry.shape.as_slice() else {
        let fact = format!("shape {:?}", entry.shape);
        return Err(entry.unsupported(fact, "a neighbour table has rows and columns"));
    };
    entry.dtype()?;
    let values = entry.load()?.to_f64().expect("the dtype was checked");
    Ok(Array2::from_shape_vec((rows, columns), values).expect("as many values as the shape says"))
}

fn bad(path: &Path, row: usize, fact: impl Into<String>) -> Error {
    Error::BadTable {
        path: PathBuf::from(path),
        row,
        fact: fact.into(),
        remedy: "compute the table again, or let repgeo do it from the activations".into(),
    }
}

fn read_pair(distances: &Entry, indices: &Entry, max_k: usize) -> Result<PrecomputedTable> {
    if distances.shape != indices.shape {
        let fact = format!(
            "shape {:?} but {} has {:?}",
            distances.shape,
            indices.label(),
            indices.shape
        );
        return Err(distances.unsupported(fact, "distances and indices must have one shape"));
    }
    if indices.dtype()?.is_float() {
        return Err(indices.unsupported("floating-point values", "save indices as integers"));
    }
    let (far, near) = (plane(distances)?, plane(indices)?);
    let (n, columns) = far.dim();
    let mut ids = Array2::zeros((n, columns));
    for ((row, column), &x) in near.indexed_iter() {
        let fact = || bad(&indices.path, row, format!("there is no row {x} among {n}"));
        ids[[row, column]] = whole_index(x, n).ok_or_else(fact)?;
    }
    let skip = self_column(&ids, &far, &indices.path)?;
    let k = (columns - skip).min(max_k).min(n - 1);
    for row in 0..n {
        check_row(
            row,
            &ids,
            &far,
            skip,
            columns,
            (&indices.path, &distances.path),
        )?;
    }
    Ok(PrecomputedTable {
        n,
        k,
        indices: ids.slice_move(ndarray::s![.., skip..skip + k]),
        distances: far.slice_move(ndarray::s![.., skip..skip + k]),
    })
}

/// How many leading columns are self: 1 if all of column 0 is, 0 if none.
fn self_column(ids: &Array2<u32>, far: &Array2<f64>, path: &Path) -> Result<usize> {
    let n = ids.nrows();
    let is_self = |row: usize| ids[[row, 0]] as usize == row && far[[row, 0]].abs() <= 0.0;
    let count = (0..n).filter(|&row| is_self(row)).count();
    match (0..n).find(|&row| !is_self(row)) {
        None => Ok(1),
        Some(_) if count == 0 => Ok(0),
        Some(row) => {
            let fact = format!("column 0 is the row itself in {count} of {n} rows but not here");
            Err(bad(path, row, fact))
        }
    }
}

fn check_row(
    row: usize,
    ids: &Array2<u32>,
    far: &Array2<f64>,
    skip: usize,
    columns: usize,
    (indices, distances): (&Path, &Path),
) -> Result<()> {
    let mut seen: Vec<u32> = ids.row(row).iter().skip(skip).copied().collect();
    if seen.iter().any(|&id| id as usize == row) {
        return Err(bad(indices, row, "it is its own neighbour"));
    }
    seen.sort_unstable();
    if let Some(pair) = seen.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(bad(
            indices,
            row,
            format!("neighbour {} is there twice", pair[0]),
        ));
    }
    let mut least = 0.0;
    for column in skip..columns {
        let distance = far[[row, column]];
        if !distance.is_finite() || distance < least {
            let fact =
                format!("distance {distance} in column {column} is not finite and ascending");
            return Err(bad(distances, row, fact));
        }
        least = distance;
    }
    Ok(())
}

fn read_square(entry: &Entry, max_k: usize) -> Result<PrecomputedTable> {
    let all = plane(entry)?;
    let (n, columns) = all.dim();
    if n != columns {
        let fact = format!("shape [{n}, {columns}] and no indices beside it");
        return Err(entry.unsupported(fact, "give a square matrix, or a pair X_dist and X_index"));
    }
    for row in 0..n {
        for column in 0..=row {
            let (a, b) = (all[[row, column]], all[[column, row]]);
            let fact = if !a.is_finite() || a < 0.0 {
                format!("the distance {a} to row {column} is not finite and positive")
            } else if row == column && a > 0.0 {
                format!("the distance to itself is {a}")
            } else if (a - b).abs() > ASYMMETRY * a.max(b) || b.is_nan() {
                format!("the distance to row {column} is {a}, but back it is {b}")
            } else {
                continue;
            };
            return Err(bad(&entry.path, row, fact));
        }
    }
    let k = max_k.min(n - 1);
    let mut indices = Array2::zeros((n, k));
    let mut distances = Array2::zeros((n, k));
    for row in 0..n {
        let mut others: Vec<u32> = (0..n)
            .filter(|&j| j != row)
            .filter_map(|j| u32::try_from(j).ok())
            .collect();
        let key = |&j: &u32| all[[row, j as usize]];
        others.sort_by(|a, b| key(a).total_cmp(&key(b)).then(a.cmp(b)));
        for (column, j) in others.into_iter().take(k).enumerate() {
            indices[[row, column]] = j;
            distances[[row, column]] = key(&j);
        }
    }
    Ok(PrecomputedTable {
        n,
        k,
        indices,
        distances,
    })
}
