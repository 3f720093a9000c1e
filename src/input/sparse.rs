//! Reads a graph of nearest neighbours as scipy.sparse saves it.

use std::path::Path;

use ndarray::Array2;

use super::entry::Entry;
use super::item::Item;
use super::range::whole_index;
use crate::{Error, Result};

/// The members of a matrix that `scipy.sparse.save_npz` writes, of which the last two are small.
pub(crate) const MEMBERS: [&str; 5] = ["data", "indices", "indptr", "shape", "format"];

/// A compressed sparse matrix, known by the headers of its members.
#[derive(Debug, Clone)]
pub(crate) struct Graph {
    members: [Entry; 5],
}

impl Graph {
    /// The graph among the members of one archive, if they are one.
    pub(crate) fn among(entries: &[&Entry]) -> Option<Self> {
        let find = |name: &str| entries.iter().find(|entry| entry.name == name);
        let [data, indices, indptr, shape, format] = MEMBERS.map(find);
        Some(Self {
            members: [
                (*data?).clone(),
                (*indices?).clone(),
                (*indptr?).clone(),
                (*shape?).clone(),
                (*format?).clone(),
            ],
        })
    }

    /// Its file.
    pub(crate) fn path(&self) -> &Path {
        &self.members[0].path
    }

    /// Neighbours and distances of every row, nearest first and equal distances by row; the row
    /// itself stays where the graph has it.
    ///
    /// # Errors
    /// [`Error::Unsupported`] unless it is a square CSR matrix of distances; [`Error::BadTable`] if
    /// rows have different numbers of neighbours.
    pub(crate) fn read(&self) -> Result<(Array2<u32>, Array2<f64>)> {
        let [data, indices, indptr, shape, format] = &self.members;
        let written = text_of(format)?;
        if written != "csr" {
            let fact = format!("the format {written}");
            return Err(format.unsupported(fact, "save rows: graph.tocsr() before save_npz"));
        }
        let numbers = |entry: &Entry| -> Result<Vec<f64>> {
            entry.dtype()?;
            Ok(entry.load()?.to_f64().expect("the dtype was checked"))
        };
        let &[n, columns] = numbers(shape)?.as_slice() else {
            return Err(shape.unsupported("another number of axes than 2", "save a square graph"));
        };
        let n = whole_index(n, u32::MAX as usize).filter(|_| n.to_bits() == columns.to_bits());
        let Some(n) = n.map(|n| n as usize).filter(|&n| n > 1) else {
            let fact = format!("{columns} columns");
            return Err(shape.unsupported(fact, "a graph has as many columns as rows"));
        };
        let (values, near, starts) = (numbers(data)?, numbers(indices)?, numbers(indptr)?);
        let damaged = |row: usize, fact: String| Error::BadTable {
            path: self.path().to_owned(),
            row,
            fact,
            remedy: "save it with kneighbors_graph(mode=\"distance\") and save_npz".into(),
        };
        if values.len() != near.len() || starts.len() != n + 1 {
            return Err(damaged(0, "its arrays do not fit each other".into()));
        }
        if values.iter().all(|value| value.to_bits() == 1f64.to_bits()) {
            return Err(data.unsupported(
                "ones alone, which are connections and no distances",
                "save kneighbors_graph(mode=\"distance\")",
            ));
        }
        let place = |row: usize| {
            whole_index(starts[row], values.len() + 1)
                .map(|at| at as usize)
                .ok_or_else(|| damaged(row, "its row pointer is beyond the values".into()))
        };
        let k = place(1)?.saturating_sub(place(0)?);
        let mut ids = Array2::zeros((n, k));
        let mut far = Array2::zeros((n, k));
        for row in 0..n {
            let (start, end) = (place(row)?, place(row + 1)?);
            if end.checked_sub(start) != Some(k) || k == 0 {
                let found = end.saturating_sub(start);
                return Err(damaged(
                    row,
                    format!("{found} neighbours, and row 0 has {k}"),
                ));
            }
            let mut pairs: Vec<(f64, u32)> = Vec::with_capacity(k);
            for at in start..end {
                let id = whole_index(near[at], n);
                let id = id.ok_or_else(|| damaged(row, format!("there is no row {}", near[at])))?;
                pairs.push((values[at], id));
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
