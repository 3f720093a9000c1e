//! Reads a graph of nearest neighbours as scipy.sparse saves it.

use std::path::Path;

use ndarray::Array2;

use super::entry::Entry;
use super::item::Item;
use super::range::whole_index;
use crate::{Error, Result};

/// The members of a matrix that `scipy.sparse.save_npz` writes, compressed (csr, csc) or not (coo).
const MEMBERS: [[&str; 5]; 2] = [
    ["data", "shape", "format", "indices", "indptr"],
    ["data", "shape", "format", "row", "col"],
];
/// The member that stands for all of them.
pub(crate) const VALUES: &str = MEMBERS[0][0];

/// Whether `name` is a member of the matrix that an archive of these members holds.
pub(crate) fn is_member(name: &str, holds: impl Fn(&[&str]) -> bool) -> bool {
    let mut all = MEMBERS.iter();
    all.any(|members| members.contains(&name) && holds(members))
}

/// A sparse matrix, known by the headers of its members.
#[derive(Debug, Clone)]
pub(crate) struct Graph {
    data: Entry,
    shape: Entry,
    format: Entry,
    /// `indices` and `indptr`, or `row` and `col`.
    places: [Entry; 2],
}

impl Graph {
    /// The graph among the members of one archive, if they are one.
    pub(crate) fn among(entries: &[&Entry]) -> Option<Self> {
        let find = |name: &str| entries.iter().find(|entry| entry.name == name).copied();
        MEMBERS.iter().find_map(|members| {
            let [data, shape, format, first, second] = members.map(find);
            Some(Self {
                data: data?.clone(),
                shape: shape?.clone(),
                format: format?.clone(),
                places: [first?.clone(), second?.clone()],
            })
        })
    }

    /// Its file.
    pub(crate) fn path(&self) -> &Path {
        &self.data.path
    }

    /// Neighbours and distances of every row, nearest first and equal distances by row; the row
    /// itself stays where the graph has it.
    ///
    /// # Errors
    /// [`Error::Unsupported`] unless it is a square matrix of distances; [`Error::BadTable`] if rows
    /// have different numbers of neighbours.
    pub(crate) fn read(&self) -> Result<(Array2<u32>, Array2<f64>)> {
        let &[n, columns] = numbers(&self.shape)?.as_slice() else {
            let fact = "another number of axes than 2";
            return Err(self.shape.unsupported(fact, "save a square graph"));
        };
        let n = whole_index(n, u32::MAX as usize).filter(|_| n.to_bits() == columns.to_bits());
        let Some(n) = n.map(|n| n as usize).filter(|&n| n > 1) else {
            return Err(self.shape.unsupported(
                format!("{columns} columns"),
                "a graph has as many columns as rows; save activations as arrays: matrix.toarray()",
            ));
        };
        let values = numbers(&self.data)?;
        if values.iter().all(|value| value.to_bits() == 1f64.to_bits()) {
            return Err(self.data.unsupported(
                "ones alone, which are connections and no distances",
                "save kneighbors_graph(mode=\"distance\")",
            ));
        }
        let mut rows: Vec<Vec<(f64, u32)>> = vec![Vec::new(); n];
        for (value, [row, column]) in values.iter().zip(self.places(n, values.len())?) {
            rows[row as usize].push((*value, column));
        }
        let k = rows[0].len();
        let mut ids = Array2::zeros((n, k));
        let mut far = Array2::zeros((n, k));
        for (row, mut pairs) in rows.into_iter().enumerate() {
            if pairs.len() != k || k == 0 {
                let found = pairs.len();
                let fact = format!("{found} neighbours, and row 0 has {k}");
                return Err(self.damaged(row, fact));
            }
            pairs.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            // The row itself goes first, before others at distance 0.
            if let Some(own) = pairs.iter().position(|pair| pair.1 as usize == row) {
                let own = pairs.remove(own);
                pairs.insert(0, own);
            }
            for (column, (distance, id)) in pairs.into_iter().enumerate() {
                far[[row, column]] = distance;
                ids[[row, column]] = id;
            }
        }
        Ok((ids, far))
    }

    /// The row and the column of each of `count` values.
    fn places(&self, n: usize, count: usize) -> Result<Vec<[u32; 2]>> {
        let [first, second] = [numbers(&self.places[0])?, numbers(&self.places[1])?];
        let unfit = || self.damaged(0, "its arrays do not fit each other".into());
        let index = |place: f64, row: usize| {
            let found = whole_index(place, n);
            found.ok_or_else(|| self.damaged(row, format!("there is no row {place}")))
        };
        let written = text_of(&self.format)?;
        let by_row = match (written.as_str(), self.places[1].name.as_str()) {
            ("coo", "col") if first.len() == count && second.len() == count => {
                let pairs = first.into_iter().zip(second);
                return pairs
                    .map(|(row, column)| Ok([index(row, 0)?, index(column, 0)?]))
                    .collect();
            }
            ("csr", "indptr") => true,
            ("csc", "indptr") => false,
            ("coo" | "csr" | "csc", _) => return Err(unfit()),
            _ => {
                let fact = format!("the format {written}");
                let remedy = "save rows: graph.tocsr() before save_npz";
                return Err(self.format.unsupported(fact, remedy));
            }
        };
        if first.len() != count || second.len() != n + 1 {
            return Err(unfit());
        }
        let start = |at: usize| {
            whole_index(second[at], count + 1)
                .map(|place| place as usize)
                .ok_or_else(|| self.damaged(at, "its row pointer is beyond the values".into()))
        };
        let mut places = Vec::with_capacity(count);
        for outer in 0..n {
            let (from, to) = (start(outer)?, start(outer + 1)?);
            if from != places.len() || from > to {
                return Err(self.damaged(outer, "its row pointers do not ascend from 0".into()));
            }
            let whole = u32::try_from(outer).expect("the shape was checked");
            for &inner in &first[from..to] {
                let inner = index(inner, outer)?;
                places.push(if by_row {
                    [whole, inner]
                } else {
                    [inner, whole]
                });
            }
        }
        match places.len() == count {
            true => Ok(places),
            false => Err(unfit()),
        }
    }

    fn damaged(&self, row: usize, fact: String) -> Error {
        Error::BadTable {
            path: self.path().to_owned(),
            row,
            fact,
            remedy: "save it with kneighbors_graph(mode=\"distance\") and save_npz".into(),
        }
    }
}

fn numbers(entry: &Entry) -> Result<Vec<f64>> {
    entry.dtype()?;
    Ok(entry.load()?.to_f64().expect("the dtype was checked"))
}

/// The bytes of a single text element.
fn text_of(entry: &Entry) -> Result<String> {
    let array = entry.load()?;
    let start = array.offset;
    let (length, step) = match entry.item {
        Item::Ascii(length) => (length, 1),
        Item::Unicode(length) => (length * 4, 4),
        _ => return Err(entry.unsupported("no text", "save it with scipy.sparse.save_npz")),
    };
    let bytes = array.bytes.get(start..start + length).unwrap_or_default();
    let characters = bytes.iter().step_by(step).filter(|&&byte| byte != 0);
    Ok(characters.map(|&byte| char::from(byte)).collect())
}
