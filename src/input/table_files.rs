//! Finds neighbour tables among the arrays of a file or folder.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use super::entry::Entry;
use super::file;
use super::name;
use super::recognise;
use super::sparse::{self, Graph};
use super::square;
use super::tables::{Kind, TableSource};
use crate::{Error, Result};

/// Endings of names that mark distances; the longest that fits counts.
const DISTANCES: [&str; 2] = ["distances", "dist"];
/// Endings of names that mark indices.
const INDICES: [&str; 3] = ["dist_indices", "indices", "index"];
/// Names of faiss: distances and indices.
const FAISS: [&str; 2] = ["D", "I"];
/// What repgeo itself writes beside the text `key`: tables, answers to queries, ranks.
const OURS: [&str; 15] = [
    "key",
    "distances",
    "dist_indices",
    "query",
    "nearest",
    "distance",
    "ranks",
    "nearer",
    "row",
    "prompt",
    "token",
    "query_prompt",
    "query_token",
    "nearest_prompt",
    "nearest_token",
];

/// Finds the tables at `path`, in natural order.
///
/// In a directory or a file of several arrays, `X_dist` or `X_distances` belongs with `X_index`,
/// `X_indices` or `X_dist_indices` (X may be empty). A single array is a square matrix of distances, or
/// its upper half in one line.
///
/// # Errors
/// [`Error::NoLayers`] if there are none or one half of a pair is not there; whatever reading
/// headers can give.
pub fn find_tables(path: &Path) -> Result<Vec<TableSource>> {
    let entries = file::find(path)?.sorted();
    let none = |fact: String| Error::NoLayers {
        path: path.to_owned(),
        fact,
        remedy: "give pairs X_dist and X_index, a square matrix, or what pdist gives \
                 (docs/formats.md)"
            .into(),
    };
    let (mut tables, lonely) = tables_by_name(&entries);
    if tables.is_empty() {
        tables = tables_by_content(&entries);
    }
    let is_whole = |entry: &Entry| match *entry.shape.as_slice() {
        [n, m] => n == m,
        [n] => square::rows_of_half(n).is_some(),
        _ => false,
    };
    // Nothing that calls itself distances is passed over.
    let used = |name: &str| {
        let is = |table: &TableSource| matches!(&table.kind, Kind::Pair { distances, .. } if distances.name == name);
        tables.iter().any(is)
    };
    let all_whole = tables.is_empty() && entries.iter().all(is_whole);
    let alone = entries.len() < 2 || all_whole;
    if let Some(name) = lonely.iter().find(|name| !alone && !used(name)) {
        return Err(none(format!("{name:?} has no indices beside it")));
    }
    match (tables.is_empty(), entries.as_slice()) {
        (false, _) => Ok(tables),
        (true, all) if all.len() == 1 || !all.is_empty() && all_whole => {
            let whole = all.iter().map(|entry| {
                let kind = Kind::Whole(entry.clone());
                TableSource::new(entry.name.clone(), kind)
            });
            Ok(whole.collect())
        }
        (true, _) => {
            let names = file::list(entries.iter().map(|entry| entry.name.as_str()));
            Err(none(format!("there is no neighbour table among {names}")))
        }
    }
}

/// Graphs and pairs that their names tell, and the names of distances without indices.
fn tables_by_name(entries: &[Entry]) -> (Vec<TableSource>, Vec<&str>) {
    let (mut tables, mut lonely) = (Vec::new(), Vec::new());
    for entry in entries {
        // The first member of a graph stands for all of it.
        if entry.name == sparse::VALUES {
            let of_file: Vec<&Entry> = entries.iter().filter(|e| e.path == entry.path).collect();
            if let Some(graph) = Graph::among(&of_file) {
                let kind = Kind::Sparse(Box::new(graph));
                tables.push(TableSource::new(name::stem(&entry.path), kind));
                continue;
            }
        }
        let faiss = |name: &str, at: usize| (name == FAISS[at]).then_some("");
        let Some(stem) = stem(&entry.name, &DISTANCES).or(faiss(&entry.name, 0)) else {
            continue;
        };
        let mut partners = entries.iter().filter(|other| {
            self::stem(&other.name, &INDICES).or(faiss(&other.name, 1)) == Some(stem)
        });
        // Several archives may each hold a pair of the same names.
        let partner = partners
            .clone()
            .find(|other| other.path == entry.path)
            .or_else(|| partners.next());
        let Some(indices) = partner else {
            lonely.push(entry.name.as_str());
            continue;
        };
        let name = match stem.is_empty() {
            true => name::stem(&entry.path),
            false => stem.to_owned(),
        };
        tables.push(TableSource::pair(name, entry, indices));
    }
    (tables, lonely)
}

/// Pairs that their types and shapes tell.
fn tables_by_content(entries: &[Entry]) -> Vec<TableSource> {
    let all: Vec<&Entry> = entries.iter().collect();
    let pairs = recognise::pairs(&all, &vec![false; all.len()]);
    let table = |(distances, indices): (&Entry, &Entry)| {
        let of_file = entries.iter().filter(|entry| entry.path == distances.path);
        let name = match of_file.count() <= 2 && distances.path == indices.path {
            true => name::stem(&distances.path),
            false => distances.name.clone(),
        };
        TableSource::pair(name, distances, indices)
    };
    let pairs = pairs.into_iter().map(|(a, b)| (all[a], all[b]));
    pairs.map(table).collect()
}

/// Which of `entries` belong to a neighbour table, by their names or by what they hold: `Some(true)`
/// for its distances, `Some(false)` for the rest, `None` for all that is no part of one.
pub(crate) fn members(entries: &[&Entry]) -> Vec<Option<bool>> {
    let mut found = vec![None; entries.len()];
    let mut files: HashMap<&Path, HashSet<&str>> = HashMap::new();
    for entry in entries {
        let names = files.entry(&entry.path).or_default();
        names.insert(&entry.name);
    }
    let holds = |path: &Path, names: &[&str]| {
        let there = files.get(path);
        there.is_some_and(|there| names.iter().all(|name| there.contains(name)))
    };
    let mut pairs: HashMap<(&str, &[usize]), Vec<usize>> = HashMap::new();
    for (at, entry) in entries.iter().enumerate() {
        let name = entry.name.as_str();
        if holds(&entry.path, &["key"]) && OURS.contains(&name) {
            found[at] = Some(["distances", "distance", "ranks"].contains(&name));
        } else if sparse::is_member(name, |members| holds(&entry.path, members)) {
            found[at] = Some(name == sparse::VALUES);
        } else if let Some(stem) = stem(name, &INDICES).or((name == FAISS[1]).then_some("")) {
            let key = (stem, entry.shape.as_slice());
            pairs.entry(key).or_default().push(at);
        }
    }
    for (at, entry) in entries.iter().enumerate() {
        let name = entry.name.as_str();
        let stem = stem(name, &DISTANCES).or((name == FAISS[0]).then_some(""));
        let partners = stem.and_then(|stem| pairs.get(&(stem, entry.shape.as_slice())));
        if let Some(partners) = partners.filter(|_| entry.shape.len() == 2) {
            found[at] = Some(true);
            for &partner in partners {
                found[partner] = Some(false);
            }
        }
    }
    let known: Vec<bool> = found.iter().map(Option::is_some).collect();
    for (distances, indices) in recognise::pairs(entries, &known) {
        found[distances] = Some(true);
        found[indices] = Some(false);
    }
    found
}

/// What is left of `name` without one of `endings` and the joint before it.
fn stem<'a>(name: &'a str, endings: &[&str]) -> Option<&'a str> {
    endings
        .iter()
        .filter_map(|ending| name.strip_suffix(ending))
        .find(|stem| stem.is_empty() || stem.ends_with(['_', '.', '-', '/']))
        .map(|stem| stem.trim_end_matches(['_', '.', '-', '/']))
}
