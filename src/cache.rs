//! Neighbour tables and rank counts on disk, so that no search is done twice.
//!
//! An entry is an `.npz` archive: the arrays, and a `key` that says what they were computed from.
//! The content of a layer is its key, so copies, renamed files and other dumps with the same values
//! find it; a changed value does not. Entries are written whole or not at all.
//!
//! A table holds `distances` (f64) and `dist_indices` (i64) with every row itself in column 0, which
//! is what `DADApy` takes as `Data(distances=(distances, dist_indices))`.

mod entry;

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use xxhash_rust::xxh3::Xxh3;

use crate::error::{Error, Result};
use crate::input::{Matrix, Values};
use crate::neighbours::{Metric, NeighbourTable, RankCounts, Targets};
use crate::storage::sweep;
use crate::warning::{Warning, WarningCode};
pub use entry::{Places, write_queries, write_table};
use entry::{read_key, read_ranks, read_table, write_ranks};

/// A folder of entries.
#[derive(Debug)]
pub struct Cache {
    folder: PathBuf,
    /// Where each entry is, by kind, content, metric and targets.
    known: Mutex<HashMap<String, PathBuf>>,
    state: Mutex<State>,
}

/// Warnings that wait to be told, and whether the cache can still be written.
#[derive(Debug, Default)]
struct State {
    /// What the caller has not been told yet.
    untold: Vec<Warning>,
    /// Whether it was said that nothing can be kept.
    refused: bool,
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

/// Checks that `matrix` still has the values that gave this fingerprint, so that what was computed
/// from it meanwhile is of these values.
///
/// # Errors
/// [`Error::Changed`].
pub fn check_content(matrix: &Matrix, content: &str, layer: &str) -> Result<()> {
    if let Some(path) = matrix.changed_file() {
        return Err(Error::Changed {
            path: path.to_owned(),
        });
    }
    if matrix.is_mapped() && fingerprint(matrix) != content {
        return Err(Error::Changed { path: layer.into() });
    }
    Ok(())
}

impl Cache {
    /// Opens the folder, making it if it is not there, and reads which entries it holds.
    ///
    /// A folder that cannot be made or listed is no error: nothing is found in it and nothing kept,
    /// and [`Cache::take_warnings`] says so.
    pub fn open(folder: &Path) -> Self {
        let cache = Self {
            folder: folder.to_owned(),
            known: Mutex::default(),
            state: Mutex::default(),
        };
        if let Err(error) = fs::create_dir_all(folder) {
            cache.refuse(&error.to_string());
            return cache;
        }
        sweep(folder);
        match entries(folder) {
            Err(error) => cache.state().untold.push(Warning::new(
                WarningCode::CacheIgnored,
                1,
                format!("the cache could not be listed, so nothing in it was used: {error}"),
            )),
            Ok(paths) => cache.read(&paths),
        }
        cache
    }

    /// Notes the entries among `paths`.
    fn read(&self, paths: &[PathBuf]) {
        let mut foreign: Vec<(&PathBuf, String)> = Vec::new();
        let mut known = self.known();
        for path in paths {
            match read_key(path) {
                Ok(key) => {
                    known.insert(key.address(), path.clone());
                }
                Err(fact) => foreign.push((path, fact)),
            }
        }
        let warning = match &foreign[..] {
            [] => return,
            [(path, fact)] => ignored(path, fact),
            [(path, fact), others @ ..] => Warning::new(
                WarningCode::CacheIgnored,
                foreign.len(),
                format!(
                    "{} files of the cache are no entries and were not used: {} ({fact}) and {} more",
                    foreign.len(),
                    name(path),
                    others.len()
                ),
            ),
        };
        self.state().untold.push(warning);
    }

    /// What the caller has not been told yet: files that are no entries, entries not written.
    pub fn take_warnings(&self) -> Vec<Warning> {
        std::mem::take(&mut self.state().untold)
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

    /// Keeps a table; that it cannot is a warning.
    pub fn keep_table(&self, content: &str, metric: Metric, table: &NeighbourTable) {
        let path = self
            .folder
            .join(format!("table-{content}-{}.npz", metric.name()));
        let written = write_table(&path, content, metric, table, &[]);
        self.remember(address("table", content, metric, ""), path, written);
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

    /// Keeps ranks; that it cannot is a warning.
    pub fn keep_ranks(
        &self,
        content: &str,
        metric: Metric,
        targets: &Targets<'_>,
        counts: &RankCounts,
    ) {
        let wanted = fingerprint_of_targets(targets);
        let path = self
            .folder
            .join(format!("ranks-{content}-{}.npz", &wanted[..16]));
        let written = write_ranks(&path, content, metric, &wanted, counts);
        self.remember(address("ranks", content, metric, &wanted), path, written);
    }

    fn find(&self, address: &str) -> Option<PathBuf> {
        self.known().get(address).cloned()
    }

    fn remember(&self, address: String, path: PathBuf, written: Result<()>) {
        match written {
            Ok(()) => {
                self.known().insert(address, path);
            }
            Err(Error::Write { source, .. }) => self.refuse(&source.to_string()),
            Err(error) => self.refuse(&error.to_string()),
        }
    }

    /// Says once that something could not be kept.
    fn refuse(&self, fact: &str) {
        let mut state = self.state();
        if std::mem::replace(&mut state.refused, true) {
            return;
        }
        state.untold.push(Warning::new(
            WarningCode::CacheNotWritten,
            1,
            format!(
                "the cache does not take what was computed, so the next run repeats it: {fact}"
            ),
        ));
    }

    fn known(&self) -> MutexGuard<'_, HashMap<String, PathBuf>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The `.npz` files of a folder, by name.
fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)?
        .map(|item| item.map(|item| item.path()))
        .collect::<io::Result<_>>()?;
    paths.retain(|path| path.extension().is_some_and(|end| end == "npz") && path.is_file());
    paths.sort();
    Ok(paths)
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

fn name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.into_owned()
}

fn ignored(path: &Path, fact: &str) -> Warning {
    let name = name(path);
    Warning::new(
        WarningCode::CacheIgnored,
        1,
        format!("cache entry {name} was not used and is computed again: {fact}"),
    )
}
