//! Neighbour tables and rank counts on disk, so that no search is done twice.
//!
//! An entry is an `.npz` archive: the arrays, and a `key` that says what they were computed from.
//! The content of a layer is its key, so copies, renamed files and other dumps with the same values
//! find it; a changed value does not. Entries are written whole or not at all.
//!
//! A table holds `distances` (f64) and `dist_indices` (i64) with every row itself in column 0, which
//! is what `DADApy` takes as `Data(distances=(distances, dist_indices))`.

use std::collections::HashMap;
use std::fs;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use ndarray::Array2;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::Xxh3;

use crate::error::{Error, Result};
use crate::input::{Matrix, StoredBytes, Tensors, Values, find_tables};
use crate::neighbours::{Metric, NeighbourTable, RankCounts, Targets};
use crate::storage::{npy, npz, write_atomically_with};
use crate::warning::{Warning, WarningCode};

/// Version of the entries; others are not used.
const FORMAT: &str = "repgeo-cache/1";

/// What an entry was computed from, and what proves that it is whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Key {
    format: String,
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

/// A folder of entries.
#[derive(Debug)]
pub struct Cache {
    folder: PathBuf,
    /// Where each entry is, by kind, content, metric and targets.
    known: Mutex<HashMap<String, PathBuf>>,
    /// About files that are no entries; told once.
    unread: Mutex<Vec<Warning>>,
}

/// The content of a layer as a short text: equal for equal values of equal type and shape.
pub fn fingerprint(matrix: &Matrix) -> String {
    let mut hash = Xxh3::new();
    let columns = matrix.n_columns();
    let kind = match matrix.values() {
        Values::F16(_) => "f16",
        Values::Bf16(_) => "bf16",
        Values::F32(_) => "f32",
        Values::F64(_) => "f64",
    };
    hash.update(format!("{kind} {} {columns}", matrix.n_rows()).as_bytes());
    for row in 0..matrix.n_rows() {
        let start = matrix.stored_row(row) * columns;
        let span = start..start + columns;
        hash.update(match matrix.values() {
            Values::F16(values) => bytemuck::cast_slice(&values[span]),
            Values::Bf16(values) => bytemuck::cast_slice(&values[span]),
            Values::F32(values) => bytemuck::cast_slice(&values[span]),
            Values::F64(values) => bytemuck::cast_slice(&values[span]),
        });
    }
    format!("{:032x}", hash.digest128())
}

/// What an entry is looked up by.
fn address(kind: &str, content: &str, metric: Metric, targets: &str) -> String {
    format!("{kind} {content} {} {targets}", metric.name())
}

impl Cache {
    /// Opens the folder, making it if it is not there, and reads which entries it holds.
    ///
    /// # Errors
    /// [`Error::Write`] if the folder cannot be made, [`Error::Read`] if it cannot be listed.
    pub fn open(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder).map_err(|source| Error::Write {
            path: folder.to_owned(),
            source,
        })?;
        let failed = |source: io::Error| Error::Read {
            path: folder.to_owned(),
            source,
        };
        let (mut known, mut unread) = (HashMap::new(), Vec::new());
        let mut paths: Vec<PathBuf> = fs::read_dir(folder)
            .map_err(failed)?
            .map(|item| item.map(|item| item.path()))
            .collect::<io::Result<_>>()
            .map_err(failed)?;
        paths.sort();
        for path in paths {
            if path.extension().is_none_or(|ending| ending != "npz") {
                continue;
            }
            match read_key(&path) {
                Err(fact) => unread.push(ignored(&path, &fact)),
                Ok(key) => {
                    let at = format!(
                        "{} {} {} {}",
                        key.kind, key.content, key.metric, key.targets
                    );
                    known.insert(at, path);
                }
            }
        }
        Ok(Self {
            folder: folder.to_owned(),
            known: Mutex::new(known),
            unread: Mutex::new(unread),
        })
    }

    /// What the caller has not been told yet about files of the folder that are no entries.
    pub fn take_warnings(&self) -> Vec<Warning> {
        let mut unread = self.unread.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *unread)
    }

    /// The table of the layer with this content, if one with at least `k` neighbours is here.
    ///
    /// A damaged entry is not used, and `warnings` says so.
    pub fn table(
        &self,
        content: &str,
        metric: Metric,
        k: usize,
        warnings: &mut Vec<Warning>,
    ) -> Option<NeighbourTable> {
        let path = self.find(&address("table", content, metric, ""))?;
        match read_table(&path, k) {
            Ok(table) => table,
            Err(fact) => {
                warnings.push(ignored(&path, &fact));
                None
            }
        }
    }

    /// Keeps a table.
    ///
    /// # Errors
    /// [`Error::Write`].
    pub fn keep_table(&self, content: &str, metric: Metric, table: &NeighbourTable) -> Result<()> {
        let path = self
            .folder
            .join(format!("table-{content}-{}.npz", metric.name()));
        write_table(&path, content, metric, table)?;
        self.remember(address("table", content, metric, ""), path);
        Ok(())
    }

    /// The ranks of these targets in the layer with this content, if they are here.
    ///
    /// A damaged entry is not used, and `warnings` says so.
    pub fn ranks(
        &self,
        content: &str,
        metric: Metric,
        targets: &Targets<'_>,
        warnings: &mut Vec<Warning>,
    ) -> Option<RankCounts> {
        let wanted = fingerprint_of_targets(targets);
        let path = self.find(&address("ranks", content, metric, &wanted))?;
        match read_ranks(&path, targets) {
            Ok(counts) => Some(counts),
            Err(fact) => {
                warnings.push(ignored(&path, &fact));
                None
            }
        }
    }

    /// Keeps ranks.
    ///
    /// # Errors
    /// [`Error::Write`].
    pub fn keep_ranks(
        &self,
        content: &str,
        metric: Metric,
        targets: &Targets<'_>,
        counts: &RankCounts,
    ) -> Result<()> {
        let wanted = fingerprint_of_targets(targets);
        let members = vec![
            ("ranks", array(&counts.ranks)),
            ("nearer", array(&counts.nearer)),
        ];
        let key = key("ranks", content, metric, &wanted, &members);
        let path = self
            .folder
            .join(format!("ranks-{content}-{}.npz", &wanted[..16]));
        write(&path, &key, members)?;
        self.remember(address("ranks", content, metric, &wanted), path);
        Ok(())
    }

    fn find(&self, address: &str) -> Option<PathBuf> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(address).cloned()
    }

    fn remember(&self, address: String, path: PathBuf) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(address, path);
    }
}

/// Writes the table of a layer with this content to `path`, where a [`Cache`] finds it too.
///
/// # Errors
/// [`Error::Write`].
pub fn write_table(
    path: &Path,
    content: &str,
    metric: Metric,
    table: &NeighbourTable,
) -> Result<()> {
    let (n, k) = table.distances.dim();
    let distances = Array2::from_shape_fn((n, k + 1), |(row, column)| match column {
        0 => 0.0,
        _ => table.distances[[row, column - 1]],
    });
    let indices = Array2::from_shape_fn((n, k + 1), |(row, column)| match column {
        0 => i64::try_from(row).unwrap_or(i64::MAX),
        _ => i64::from(table.indices[[row, column - 1]]),
    });
    let members = vec![
        ("distances", array(&distances)),
        ("dist_indices", array(&indices)),
    ];
    let key = key("table", content, metric, "", &members);
    write(path, &key, members)
}

/// Writes the nearest rows of some queries to `path`: `query` (i64, M), `nearest` (i64, M × k) and
/// `distance` (f64, M × k), under other names than a table of a layer with itself.
///
/// `contents` are the fingerprints of the layer and of the queries; `queries` and `rows` say which
/// input row each of their rows is.
///
/// # Errors
/// [`Error::Write`].
pub fn write_queries(
    path: &Path,
    contents: [&str; 2],
    metric: Metric,
    queries: &[u32],
    rows: &[u32],
    table: &NeighbourTable,
) -> Result<()> {
    let queries: Vec<i64> = queries.iter().copied().map(i64::from).collect();
    let nearest = table.indices.map(|&at| i64::from(rows[at as usize]));
    let members = vec![
        ("query", npy(&[queries.len()], &queries)),
        ("nearest", array(&nearest)),
        ("distance", array(&table.distances)),
    ];
    let [content, of] = contents;
    let key = key("queries", content, metric, of, &members);
    write(path, &key, members)
}

fn array<T: crate::storage::Element>(values: &Array2<T>) -> Vec<u8> {
    let (rows, columns) = values.dim();
    npy(
        &[rows, columns],
        values.as_slice().expect("arrays made here are contiguous"),
    )
}

fn key(
    kind: &str,
    content: &str,
    metric: Metric,
    targets: &str,
    members: &[(&str, Vec<u8>)],
) -> Key {
    Key {
        format: FORMAT.to_owned(),
        kind: kind.to_owned(),
        content: content.to_owned(),
        metric: metric.name().to_owned(),
        targets: targets.to_owned(),
        checksum: checksum(members.iter().map(|(_, bytes)| values_of(bytes))),
    }
}

/// The values in the bytes of an `.npy` file of format 1.0.
fn values_of(bytes: &[u8]) -> &[u8] {
    &bytes[10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]))..]
}

fn checksum<'a>(arrays: impl Iterator<Item = &'a [u8]>) -> String {
    let mut hash = Xxh3::new();
    arrays.for_each(|bytes| hash.update(bytes));
    format!("{:032x}", hash.digest128())
}

fn fingerprint_of_targets(targets: &Targets<'_>) -> String {
    let mut hash = Xxh3::new();
    hash.update(format!("{:?} {:?}", targets.rows.dim(), targets.groups).as_bytes());
    for row in targets.rows.rows() {
        for target in row {
            hash.update(&target.to_le_bytes());
        }
    }
    format!("{:032x}", hash.digest128())
}

fn write(path: &Path, key: &Key, mut members: Vec<(&str, Vec<u8>)>) -> Result<()> {
    let text = serde_json::to_string(key).expect("a key is plain text");
    members.push(("key", npy(&[text.len()], text.as_bytes())));
    write_atomically_with(path, |file| npz(BufWriter::new(file), &members))
}

fn ignored(path: &Path, fact: &str) -> Warning {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    Warning::new(
        WarningCode::CacheIgnored,
        1,
        format!("cache entry {name} was not used and is computed again: {fact}"),
    )
}

fn read_key(path: &Path) -> std::result::Result<Key, String> {
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
fn read_table(path: &Path, k: usize) -> std::result::Result<Option<NeighbourTable>, String> {
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

fn read_ranks(path: &Path, targets: &Targets<'_>) -> std::result::Result<RankCounts, String> {
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
