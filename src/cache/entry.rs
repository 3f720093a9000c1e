//! Writes and reads one entry of a cache: arrays, what they were computed from, and a checksum.

use std::io::{self, BufWriter, Seek, Write};
use std::iter;
use std::path::Path;

use ndarray::Array2;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::Xxh3;

use crate::error::Result;
use crate::input::{StoredBytes, Tensors, find_tables};
use crate::neighbours::{Metric, NeighbourTable, RankCounts, Targets};
use crate::storage::{Element, NpzWriter, write_atomically_with};

/// Version of the entries; others are not used. Those of version 1 may hold the table of other values
/// than their fingerprint says, if their dump was written to meanwhile.
const FORMAT: &str = "repgeo-cache/2";

/// What an entry was computed from, and what proves that it is whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Key {
    pub(super) format: String,
    /// `table`, `ranks` or `queries`.
    kind: String,
    /// Fingerprint of the values, their type and shape.
    content: String,
    metric: String,
    /// Fingerprint of the rows asked about, or of the queries; empty for a table.
    targets: String,
    /// Fingerprint of the arrays of the entry.
    checksum: String,
}

impl Key {
    fn new(kind: &str, content: &str, metric: Metric, targets: &str) -> Self {
        Self {
            format: FORMAT.to_owned(),
            kind: kind.to_owned(),
            content: content.to_owned(),
            metric: metric.name().to_owned(),
            targets: targets.to_owned(),
            checksum: String::new(),
        }
    }

    /// What the entry is looked up by.
    pub(super) fn address(&self) -> String {
        let Self {
            kind,
            content,
            metric,
            targets,
            ..
        } = self;
        format!("{kind} {content} {metric} {targets}")
    }
}

/// An entry in the making: arrays go straight to the disk.
struct Entry<W: Write + Seek> {
    archive: NpzWriter<W>,
    hash: Xxh3,
}

impl<W: Write + Seek> Entry<W> {
    fn array<T: Element>(
        &mut self,
        name: &str,
        shape: &[usize],
        values: impl IntoIterator<Item = T>,
    ) -> io::Result<()> {
        let hash = &mut self.hash;
        self.archive
            .array(name, shape, values, |bytes| hash.update(bytes))
    }

    /// Arrays that no reader of the cache looks at, which the checksum leaves out.
    fn places(&mut self, places: &Places<'_>) -> io::Result<()> {
        places.iter().try_for_each(|(name, shape, values)| {
            self.archive
                .array(name, shape, values.iter().copied(), |_| ())
        })
    }
}

/// Writes an entry whose arrays `fill` adds.
fn write(
    path: &Path,
    mut key: Key,
    fill: impl FnOnce(&mut Entry<BufWriter<&mut std::fs::File>>) -> io::Result<()>,
) -> Result<()> {
    write_atomically_with(path, |file| {
        let mut entry = Entry {
            archive: NpzWriter::new(BufWriter::new(file)),
            hash: Xxh3::new(),
        };
        fill(&mut entry)?;
        key.checksum = format!("{:032x}", entry.hash.digest128());
        let text = serde_json::to_string(&key).expect("a key is plain text");
        let mut archive = entry.archive;
        archive.array("key", &[text.len()], text.bytes(), |_| ())?;
        archive.finish()
    })
}

/// Arrays of row numbers beside a table: their names and shapes, and the numbers.
pub type Places<'a> = [(&'a str, Vec<usize>, Vec<i64>)];

/// Writes the table of a layer with this content to `path`, where a [`Cache`](super::Cache) finds
/// it too; `places` say what its rows are.
///
/// # Errors
/// [`Error::Write`](crate::Error::Write).
pub fn write_table(
    path: &Path,
    content: &str,
    metric: Metric,
    table: &NeighbourTable,
    places: &Places<'_>,
) -> Result<()> {
    let (n, k) = table.distances.dim();
    let shape = [n, k + 1];
    write(path, Key::new("table", content, metric, ""), |entry| {
        let rows = table.distances.rows().into_iter();
        let distances = rows.flat_map(|row| iter::once(0.0).chain(row.into_iter().copied()));
        entry.array("distances", &shape, distances)?;
        let rows = table.indices.rows().into_iter().zip(0i64..);
        let indices = rows
            .flat_map(|(row, own)| iter::once(own).chain(row.into_iter().copied().map(i64::from)));
        entry.array("dist_indices", &shape, indices)?;
        entry.places(places)
    })
}

/// Writes the nearest rows of some queries to `path`: `query` (i64, M), `nearest` (i64, M × k) and
/// `distance` (f64, M × k), under other names than a table of a layer with itself.
///
/// `contents` are the fingerprints of the layer and of the queries; `queries` and `rows` say which
/// input row each of their rows is; `places` say more of them.
///
/// # Errors
/// [`Error::Write`](crate::Error::Write).
pub fn write_queries(
    path: &Path,
    contents: [&str; 2],
    metric: Metric,
    queries: &[u32],
    rows: &[u32],
    table: &NeighbourTable,
    places: &Places<'_>,
) -> Result<()> {
    let [content, of] = contents;
    let (m, k) = table.distances.dim();
    write(path, Key::new("queries", content, metric, of), |entry| {
        let asked = queries.iter().copied().map(i64::from);
        entry.array("query", &[queries.len()], asked)?;
        let nearest = table.indices.iter().map(|&at| i64::from(rows[at as usize]));
        entry.array("nearest", &[m, k], nearest)?;
        entry.array("distance", &[m, k], table.distances.iter().copied())?;
        entry.places(places)
    })
}

/// Writes the ranks of some targets in a layer with this content to `path`.
///
/// # Errors
/// [`Error::Write`](crate::Error::Write).
pub(super) fn write_ranks(
    path: &Path,
    content: &str,
    metric: Metric,
    targets: &str,
    counts: &RankCounts,
) -> Result<()> {
    let shape = |of: (usize, usize)| [of.0, of.1];
    write(path, Key::new("ranks", content, metric, targets), |entry| {
        let RankCounts { ranks, nearer } = counts;
        entry.array("ranks", &shape(ranks.dim()), ranks.iter().copied())?;
        entry.array("nearer", &shape(nearer.dim()), nearer.iter().copied())
    })
}

fn checksum<'a>(arrays: impl Iterator<Item = &'a [u8]>) -> String {
    let mut hash = Xxh3::new();
    arrays.for_each(|bytes| hash.update(bytes));
    format!("{:032x}", hash.digest128())
}

pub(super) fn read_key(path: &Path) -> std::result::Result<Key, String> {
    let members = Tensors::open(path).map_err(|error| error.to_string())?;
    key_among(&members)
}

fn key_among(members: &Tensors) -> std::result::Result<Key, String> {
    let text = members.get("key").ok_or("it has no key")?;
    let text = text.stored().map_err(|error| error.to_string())?;
    let key: Key = serde_json::from_slice(text.as_slice())
        .map_err(|error| format!("its key cannot be read: {error}"))?;
    if key.format == FORMAT {
        Ok(key)
    } else {
        Err(format!("its format is {}, not {FORMAT}", key.format))
    }
}

/// Whether the arrays `names` of an entry are those that were written.
fn verify(path: &Path, names: [&str; 2]) -> std::result::Result<Tensors, String> {
    let members = Tensors::open(path).map_err(|error| error.to_string())?;
    let key = key_among(&members)?;
    let stored = names
        .into_iter()
        .map(|name| {
            let member = members.get(name);
            let member = member.ok_or_else(|| format!("there is no array {name:?} inside"))?;
            member.stored().map_err(|error| error.to_string())
        })
        .collect::<std::result::Result<Vec<_>, String>>()?;
    if checksum(stored.iter().map(StoredBytes::as_slice)) != key.checksum {
        return Err("its checksum does not fit its arrays".into());
    }
    Ok(members)
}

/// `None` if the entry is whole but holds fewer than `k` neighbours.
pub(super) fn read_table(
    path: &Path,
    k: usize,
) -> std::result::Result<Option<NeighbourTable>, String> {
    verify(path, ["distances", "dist_indices"])?;
    let tables = find_tables(path).map_err(|error| error.to_string())?;
    let source = tables.first().ok_or("there is no table inside")?;
    let table = source.read(k).map_err(|error| error.to_string())?;
    let wanted = k.min(table.n.saturating_sub(1));
    Ok((table.k >= wanted).then_some(NeighbourTable {
        indices: table.indices,
        distances: table.distances,
    }))
}

pub(super) fn read_ranks(
    path: &Path,
    targets: &Targets<'_>,
) -> std::result::Result<RankCounts, String> {
    let members = verify(path, ["ranks", "nearer"])?;
    let plane = |name: &str, columns: usize| -> std::result::Result<Array2<f64>, String> {
        let values = members
            .get(name)
            .ok_or_else(|| format!("there is no array {name:?} inside"))?
            .to_f64()
            .map_err(|error| error.to_string())?;
        let shape = (targets.rows.nrows(), columns);
        Array2::from_shape_vec(shape, values).map_err(|error| error.to_string())
    };
    let ranks = plane("ranks", targets.rows.ncols())?;
    let nearer = plane("nearer", targets.groups.len())?;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    Ok(RankCounts {
        ranks: ranks.mapv(|rank| rank as u32),
        nearer: nearer.mapv(|count| count as u64),
    })
}
