//! Refuses names and shapes that may mean rows as well as layers, with the flags that tell which.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use super::beside;
use super::entry::Entry;
use super::file;
use super::join::{Join, refused};
use super::order;
use super::piece::{self, Piece};
use crate::Result;

/// Fewer rows than this are suspected to be something else.
pub(super) const FEW: usize = 50;
/// Files of few rows from which each is suspected to be one row.
const MANY: usize = 10;

/// Forgets words for rows whose number never changes: `seq_128_layer_3`.
pub(super) fn only_what_varies(pieces: &mut [Option<Piece>]) {
    let mut numbers: HashMap<String, BTreeSet<Vec<u64>>> = HashMap::new();
    for piece in pieces.iter().flatten() {
        let all = numbers.entry(piece.base.clone()).or_default();
        all.insert(piece.numbers.clone());
    }
    if numbers.values().all(|numbers| numbers.len() < 2) {
        for slot in pieces {
            *slot = slot.take().filter(|piece| piece.sure);
        }
    }
}

/// How the readings of a file a row are asked for, by the axes that such files have.
fn one_row_a_file(entry: &Entry) -> &'static str {
    match entry.shape.len() {
        0 | 1 => "--join rows",
        2 => {
            "--axes TD --join rows and --pool for tokens by columns, --axes LD --join rows for \
             layers by columns"
        }
        _ => "--axes TLD or LTD with --join rows and --pool",
    }
}

/// Names whose words number rows: `prompt_0`, `layer_0_rows_0_40`.
pub(super) fn rows_by_name(
    path: &Path,
    entries: &[Entry],
    pieces: &[Option<Piece>],
    how: Join,
) -> Result<()> {
    let unsure = |piece: &Option<Piece>| piece.as_ref().is_some_and(|piece| !piece.sure);
    let at = pieces.iter().position(unsure);
    let Some(at) = at.filter(|_| how == Join::Auto) else {
        return Ok(());
    };
    let names = entries
        .iter()
        .zip(pieces)
        .filter(|(_, piece)| unsure(piece));
    let names: Vec<&str> = names.map(|(entry, _)| entry.name.as_str()).collect();
    if names.len() < 2 {
        return Ok(());
    }
    Err(refused(
        path,
        &format!(
            "names number rows: {}; is each array one row, or some of the rows?",
            file::list(names.iter().copied())
        ),
        &format!(
            "one row a file: {}; rows that belong one below the other: --join rows; layers of \
             their own: --join never",
            one_row_a_file(&entries[at])
        ),
    ))
}

/// The arrays of a list in a file of torch: their numbers in it, and places among the entries.
type ListMembers = Vec<(u64, usize)>;

/// The name of an array without its number in the innermost list, and that number.
fn in_list(entry: &Entry) -> Option<(String, u64)> {
    let &(from, to) = entry.lists.last()?;
    let number = entry.name[from..to].parse().ok()?;
    let before = entry.name[..from].trim_end_matches('.');
    let behind = entry.name[to..].trim_start_matches('.');
    let joint = if before.is_empty() || behind.is_empty() {
        ""
    } else {
        "."
    };
    Some((format!("{before}{joint}{behind}"), number))
}

/// Lists in a file of torch beside others: batches of each layer, or layers of each batch.
pub(super) fn lists(
    path: &Path,
    entries: &[Entry],
    pieces: &mut [Option<Piece>],
    how: Join,
) -> Result<()> {
    let mut groups: BTreeMap<String, ListMembers> = BTreeMap::new();
    for (at, entry) in entries.iter().enumerate() {
        if let Some((base, number)) = in_list(entry).filter(|_| pieces[at].is_none()) {
            groups.entry(base).or_default().push((number, at));
        }
    }
    groups.retain(|_, members| members.len() > 1);
    let vector = |entry: &Entry| entry.shape.len() == 1 && beside::is_float(entry);
    let vectors = |members: &ListMembers| members.iter().all(|&(_, at)| vector(&entries[at]));
    let nested = |members: &ListMembers| entries[members[0].1].lists.len() > 1;
    // One vector says nothing of a layer: a list of them is its rows.
    let sure = groups
        .values()
        .all(|members| vectors(members) && !nested(members));
    if groups.is_empty() || !sure && !may_be_batches(entries, &groups) {
        return Ok(());
    }
    let nested = groups.values().any(nested);
    if !sure && (how == Join::Auto || nested) {
        let members = groups.values().flatten();
        let names = members.map(|&(_, at)| entries[at].name.as_str());
        let remedy = match nested {
            true => {
                "join the tensors of a layer with torch.cat, or keep all apart with --join never"
            }
            false => {
                "if the numbers count batches, --join rows; if every tensor is a layer, --join never"
            }
        };
        return Err(refused(
            path,
            &format!(
                "lists beside lists ({}): batches of a layer, or layers?",
                file::list(names)
            ),
            remedy,
        ));
    }
    for (base, members) in groups {
        for (number, at) in members {
            pieces[at] = Some(Piece {
                base: base.clone(),
                numbers: vec![number],
                of: None,
                sure: true,
            });
        }
    }
    Ok(())
}

/// Batches are as many for every layer; and a dict of each batch has its number inside.
fn may_be_batches(entries: &[Entry], groups: &BTreeMap<String, ListMembers>) -> bool {
    let numbers = |members: &ListMembers| -> BTreeSet<u64> {
        members.iter().map(|(number, _)| *number).collect()
    };
    let mut all = groups.values().map(numbers);
    let first = all.next();
    if groups.len() > 1 && all.all(|other| Some(other) == first) {
        return true;
    }
    groups.values().flatten().any(|&(_, at)| {
        let entry = &entries[at];
        let innermost = entry.lists.last();
        innermost.is_some_and(|&(_, to)| to < entry.name.len())
    })
}

/// Names with two numbers side by side, all against all: `layer_0_0` … `layer_11_7`.
pub(super) fn grid(
    path: &Path,
    entries: &[Entry],
    pieces: &mut [Option<Piece>],
    how: Join,
) -> Result<()> {
    let base = |at: usize| match &pieces[at] {
        Some(piece) => piece.base.as_str(),
        None => entries[at].name.as_str(),
    };
    let mut groups: BTreeMap<&str, BTreeSet<u64>> = BTreeMap::new();
    let mut tails: BTreeMap<&str, &[usize]> = BTreeMap::new();
    let mut members = Vec::new();
    for (at, entry) in entries.iter().enumerate() {
        let Some((base, number)) = piece::last_of_two(base(at)) else {
            continue;
        };
        groups.entry(base).or_default().insert(number);
        // Another width is another layer, and no piece of the same.
        let tail = entry.shape.get(1..).unwrap_or_default();
        if *tails.entry(base).or_insert(tail) != tail {
            return Ok(());
        }
        members.push((at, base.to_owned(), number));
    }
    let mut numbers = groups.values();
    let first = numbers.next().filter(|first| first.len() > 1);
    if groups.len() < 2 || first.is_none_or(|first| numbers.any(|other| other != first)) {
        return Ok(());
    }
    if how == Join::Auto {
        let names = members.iter().map(|(at, ..)| entries[*at].name.as_str());
        return Err(refused(
            path,
            &format!(
                "names end in two numbers, each of {} with the same {}: {}; does the second count \
                 pieces of the rows?",
                groups.len(),
                groups.values().map(BTreeSet::len).max().unwrap_or(0),
                file::list(names)
            ),
            "join the pieces of each layer with --join rows, or take every array for a layer with \
             --join never",
        ));
    }
    for (at, base, number) in members {
        match &mut pieces[at] {
            Some(piece) => {
                piece.base = base;
                piece.numbers.push(number);
            }
            slot => {
                *slot = Some(Piece {
                    base,
                    numbers: vec![number],
                    of: None,
                    sure: true,
                });
            }
        }
    }
    Ok(())
}

/// More numbered files than each has rows: layers of few rows, or one row a file?
pub(super) fn few_rows(path: &Path, entries: &[Entry]) -> Result<()> {
    let mut layers = entries.iter().filter(|entry| beside::may_be_layer(entry));
    let Some(first) = layers.next() else {
        return Ok(());
    };
    let mut n = 1;
    for entry in layers {
        if entry.shape != first.shape || entry.path == first.path {
            return Ok(());
        }
        n += 1;
    }
    let Some(&rows) = first
        .shape
        .first()
        .filter(|&&rows| rows < FEW && rows < n && n >= MANY)
    else {
        return Ok(());
    };
    let names: Vec<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
    // With one axis there are no rows to doubt.
    if first.shape.len() < 2 || !order::are_one_pattern(&names) {
        return Ok(());
    }
    Err(refused(
        path,
        &format!(
            "{n} files of shape {:?}: {n} layers of {rows} rows, or one row a file?",
            first.shape
        ),
        &format!(
            "one row a file: {}; rows of one layer: --join rows; layers: --join never",
            one_row_a_file(first)
        ),
    ))
}
