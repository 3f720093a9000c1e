//! Reads neighbour tables that somebody computed before.

use std::path::{Path, PathBuf};

use ndarray::Array2;

use super::entry::Entry;
use super::range::whole_index;
use super::sparse::Graph;
use super::square::{self, Square};
use super::triangle;
use crate::{Error, Result};

/// Largest relative difference between the two halves of a square matrix.
const ASYMMETRY: f64 = 1e-9;
/// The same on the diagonal of a square matrix, where nothing else tells self from a twin.
const ROUNDING_OF_SELF: f64 = 1e-6;
/// A distance to itself up to this share of the largest in the row is rounding.
const ROUNDING: f64 = 1e-2;

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
    pub(super) kind: Kind,
    squared: bool,
}

#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant)] // a folder holds few tables
pub(super) enum Kind {
    Sparse(Box<Graph>),
    Pair {
        distances: Entry,
        indices: Entry,
    },
    /// Distances of all rows to all: a square matrix, or its upper half as `pdist` of scipy gives it.
    Whole(Entry),
}

impl TableSource {
    pub(super) fn new(name: String, kind: Kind) -> Self {
        Self {
            name,
            kind,
            squared: false,
        }
    }

    pub(super) fn pair(name: String, distances: &Entry, indices: &Entry) -> Self {
        let (distances, indices) = (distances.clone(), indices.clone());
        Self::new(name, Kind::Pair { distances, indices })
    }

    /// Reads and checks the table, keeping at most `max_k` neighbours of each row.
    ///
    /// A column 0 that holds every row's own index at the smallest distance is self and left out.
    ///
    /// # Errors
    /// [`Error::BadTable`] naming the first row whose indices are out of range or repeat, whose
    /// distances are not ascending and finite, or whose self column is not like the others';
    /// for a square matrix, that is not symmetric within 1e-9 or has a diagonal other than 0;
    /// where distances break the triangle inequality as squares do.
    pub fn read(&self, max_k: usize) -> Result<PrecomputedTable> {
        let path = self.path().to_owned();
        let mut table = match &self.kind {
            Kind::Pair { distances, indices } => {
                let (ids, far) = pair(distances, indices)?;
                checked(ids, far, &indices.path, &distances.path)?
            }
            Kind::Sparse(graph) => {
                let (ids, far) = graph.read()?;
                checked(ids, far, graph.path(), graph.path())?
            }
            Kind::Whole(entry) => read_whole(entry)?,
        };
        if self.squared {
            table.distances.mapv_inplace(f64::sqrt);
        }
        triangle::check(&table.indices, &table.distances, &path, self.squared)?;
        let k = table.k.min(max_k);
        Ok(PrecomputedTable {
            k,
            indices: table.indices.slice_move(ndarray::s![.., ..k]),
            distances: table.distances.slice_move(ndarray::s![.., ..k]),
            ..table
        })
    }

    /// The same table, whose distances are squares, as faiss gives them: their roots are taken.
    pub fn of_squares(self) -> Self {
        Self {
            squared: true,
            ..self
        }
    }

    fn path(&self) -> &Path {
        match &self.kind {
            Kind::Pair { distances, .. } => &distances.path,
            Kind::Sparse(graph) => graph.path(),
            Kind::Whole(entry) => &entry.path,
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

/// Indices and distances as two arrays hold them.
fn pair(distances: &Entry, indices: &Entry) -> Result<(Array2<u32>, Array2<f64>)> {
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
    Ok((ids, far))
}

/// The table without the rows themselves.
fn checked(
    ids: Array2<u32>,
    far: Array2<f64>,
    indices: &Path,
    distances: &Path,
) -> Result<PrecomputedTable> {
    let (n, columns) = far.dim();
    let skip = self_column(&ids, &far, indices)?;
    let k = (columns - skip).min(n - 1);
    for row in 0..n {
        check_row(row, &ids, &far, skip, columns, (indices, distances))?;
    }
    Ok(PrecomputedTable {
        n,
        k,
        indices: ids.slice_move(ndarray::s![.., skip..skip + k]),
        distances: far.slice_move(ndarray::s![.., skip..skip + k]),
    })
}

/// How many leading columns are self: 1 if all of column 0 is, 0 if none.
///
/// Programs that compute |x|² + |y|² − 2 x·y leave a small distance where 0 belongs.
fn self_column(ids: &Array2<u32>, far: &Array2<f64>, path: &Path) -> Result<usize> {
    let (n, columns) = ids.dim();
    if columns == 0 {
        return Ok(0);
    }
    let is_self = |row: usize| {
        let rest = far[[row, columns - 1]];
        ids[[row, 0]] as usize == row && far[[row, 0]].abs() <= ROUNDING * rest
    };
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

fn read_whole(entry: &Entry) -> Result<PrecomputedTable> {
    let all = match entry.shape.len() {
        1 => square::unfolded(entry)?,
        _ => plane(entry)?,
    };
    let (n, columns) = all.dim();
    if n != columns {
        let fact = format!("shape [{n}, {columns}] and no indices beside it");
        return Err(entry.unsupported(fact, "give a square matrix, or a pair X_dist and X_index"));
    }
    for row in 0..n {
        let largest = all.row(row).iter().copied().fold(0.0, f64::max);
        for column in 0..=row {
            let (a, b) = (all[[row, column]], all[[column, row]]);
            let fact = if row == column && a.abs() <= ROUNDING_OF_SELF * largest {
                continue;
            } else if !a.is_finite() || a < 0.0 {
                format!("the distance {a} to row {column} is not finite and positive")
            } else if row == column && a > 0.0 {
                format!("the distance to itself is {a}")
            } else if (a - b).abs() > ASYMMETRY * a.max(b) || b.is_nan() {
                format!("the distance to row {column} is {a}, but back it is {b}")
            } else {
                continue;
            };
            if Square::of(entry) == Some(Square::Similarities) {
                return Err(entry.unsupported(
                    "products or similarities of all rows with all, which are no distances",
                    "of G = X X\u{1d40} with diagonal g give sqrt(g_i + g_j - 2 G_ij), or let repgeo \
                     find neighbours in the activations",
                ));
            }
            return Err(bad(&entry.path, row, fact));
        }
    }
    let k = n - 1;
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
