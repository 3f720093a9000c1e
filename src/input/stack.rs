//! Joins arrays whose rows lie in several files: batches, shards, ranks.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use super::beside;
use super::entry::Entry;
use super::join::{Join, refused};
use super::order::natural_places;
use super::piece::{self, Piece, complete, counts_something_else};
use super::readings;
use super::{name, natural};
use crate::Result;

/// An array whose rows lie in one file, or in several one after the other.
#[derive(Debug, Clone)]
pub(crate) struct Stack {
    pub name: String,
    pub parts: Vec<Entry>,
}

impl Stack {
    /// Its axes; the rows of all parts, and the longest of every other axis.
    pub(crate) fn shape(&self) -> Vec<usize> {
        let mut shape = self.parts[0].shape.clone();
        for part in &self.parts[1..] {
            for (axis, (all, &n)) in shape.iter_mut().zip(&part.shape).enumerate() {
                *all = if axis == 0 { *all + n } else { n.max(*all) };
            }
        }
        shape
    }
}

/// Joins what belongs together; every other array is a stack of one.
///
/// # Errors
/// [`crate::Error::NoLayers`] where numbers may mean rows or layers; [`crate::Error::Unsupported`] or
/// [`crate::Error::RowMismatch`] where pieces do not fit each other.
pub(crate) fn join(path: &Path, entries: Vec<Entry>, how: Join) -> Result<Vec<Stack>> {
    let alone = |entries: Vec<Entry>| {
        let one = |entry: Entry| Stack {
            name: entry.name.clone(),
            parts: vec![entry],
        };
        entries.into_iter().map(one).collect()
    };
    if how == Join::Never || entries.len() < 2 {
        return Ok(alone(entries));
    }
    let pieces = pieces(path, &entries, how)?;
    if pieces.iter().flatten().count() > 1 {
        return by_piece(path, &entries, &pieces, how);
    }
    if let Some(stacks) = by_file(path, &entries, how)? {
        return Ok(stacks);
    }
    if how == Join::Auto {
        readings::few_rows(path, &entries)?;
        return Ok(alone(entries));
    }
    by_last_number(entries)
}

/// What the names and the lists of a file say of the pieces of each array.
///
/// # Errors
/// [`crate::Error::NoLayers`] where they may mean something else, unless `how` settles it.
fn pieces(path: &Path, entries: &[Entry], how: Join) -> Result<Vec<Option<Piece>>> {
    let mut pieces: Vec<Option<Piece>> = entries.iter().map(|e| piece::piece(&e.name)).collect();
    readings::only_what_varies(&mut pieces);
    readings::rows_by_name(path, entries, &pieces, how)?;
    readings::lists(path, entries, &mut pieces, how)?;
    readings::grid(path, entries, &mut pieces, how)?;
    Ok(pieces)
}

/// A layer, and its pieces: their numbers, and where each stands among the entries.
type Pieces = (String, Vec<(Vec<u64>, usize)>);

/// Pieces that the names of arrays number: `layer_03_batch_0007`.
fn by_piece(
    path: &Path,
    entries: &[Entry],
    pieces: &[Option<Piece>],
    how: Join,
) -> Result<Vec<Stack>> {
    let mut groups: Vec<Pieces> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut of = None;
    for (at, piece) in pieces.iter().enumerate() {
        let (base, numbers) = match piece {
            Some(piece) => (piece.base.clone(), piece.numbers.clone()),
            None => (entries[at].name.clone(), Vec::new()),
        };
        of = of.max(piece.as_ref().and_then(|piece| piece.of));
        let place = *places.entry(base.clone()).or_insert_with(|| {
            groups.push((base, Vec::new()));
            groups.len() - 1
        });
        groups[place].1.push((numbers, at));
    }
    let joined: Vec<&Pieces> = groups
        .iter()
        .filter(|(_, members)| members.iter().any(|(numbers, _)| !numbers.is_empty()))
        .collect();
    for (_, members) in &joined {
        let numbers: BTreeSet<&[u64]> = members.iter().map(|(n, _)| n.as_slice()).collect();
        complete(path, &numbers, of, how)?;
    }
    same_pieces(path, &joined)?;
    let mut stacks = Vec::new();
    for (base, mut members) in groups {
        members.sort();
        let parts = members.iter().map(|(_, at)| entries[*at].clone()).collect();
        let name = match base.is_empty() {
            true => name::stem(path),
            false => base,
        };
        stacks.push(fitting(Stack { name, parts })?);
    }
    Ok(stacks)
}

/// Arrays of equal names in numbered files: `batch_0.npz`, `batch_1.npz`.
fn by_file(path: &Path, entries: &[Entry], how: Join) -> Result<Option<Vec<Stack>>> {
    let mut files: Vec<(&Path, Vec<usize>)> = Vec::new();
    for (at, entry) in entries.iter().enumerate() {
        match files.last_mut() {
            Some((file, members)) if *file == entry.path => members.push(at),
            _ => files.push((&entry.path, vec![at])),
        }
    }
    let names = |members: &[usize]| -> BTreeSet<&str> {
        members.iter().map(|&at| own_name(&entries[at])).collect()
    };
    // Files whose arrays are called after them hold one each.
    let own = |entry: &Entry| name::stem(&entry.path) == entry.name;
    if files.len() < 2 || entries.iter().any(own) {
        return Ok(None);
    }
    let first = names(&files[0].1);
    if files.iter().any(|(_, members)| names(members) != first) {
        return match how {
            Join::Rows => Err(refused(
                path,
                "files hold arrays of different names, so rows cannot be joined",
                "choose files of one kind, or leave --join out",
            )),
            _ => Ok(None),
        };
    }
    let stems: Vec<String> = files.iter().map(|(file, _)| name::stem(file)).collect();
    let pieces: Option<Vec<Piece>> = stems.iter().map(|stem| piece::piece(stem)).collect();
    if !are_one_dump(path, &stems, pieces.as_deref(), &first, how)? {
        return Ok(None);
    }
    let order = match &pieces {
        Some(pieces) => {
            let mut order: Vec<usize> = (0..files.len()).collect();
            order.sort_by(|&a, &b| pieces[a].numbers.cmp(&pieces[b].numbers));
            order
        }
        None => natural_places(&stems.iter().map(String::as_str).collect::<Vec<_>>()),
    };
    let in_order = order.into_iter().flat_map(|file| &files[file].1);
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut stacks: Vec<Stack> = Vec::new();
    for entry in in_order.map(|&at| &entries[at]) {
        let name = own_name(entry);
        match places.get(name) {
            Some(&place) => stacks[place].parts.push(entry.clone()),
            None => {
                places.insert(name, stacks.len());
                stacks.push(Stack {
                    name: name.to_owned(),
                    parts: vec![entry.clone()],
                });
            }
        }
    }
    stacks
        .into_iter()
        .map(fitting)
        .collect::<Result<_>>()
        .map(Some)
}

/// The name of an array inside its file: a list in `acts_0.pt` is called after the file, which says
/// nothing here.
fn own_name(entry: &Entry) -> &str {
    let stem = name::stem(&entry.path);
    let rest = entry.name.strip_prefix(&stem);
    rest.and_then(|rest| rest.strip_prefix('.'))
        .unwrap_or(&entry.name)
}

/// Whether files of these stems, all with the arrays `names`, hold the rows of one dump.
///
/// # Errors
/// [`crate::Error::NoLayers`] where a piece is missing, or neither can be told.
fn are_one_dump(
    path: &Path,
    stems: &[String],
    pieces: Option<&[Piece]>,
    names: &BTreeSet<&str>,
    how: Join,
) -> Result<bool> {
    let sure = |pieces: &[Piece]| pieces.iter().all(|piece| piece.sure) || how == Join::Rows;
    let numbered = pieces
        .filter(|pieces| sure(pieces) && pieces.iter().all(|piece| piece.base == pieces[0].base));
    if let Some(pieces) = numbered {
        let numbers: BTreeSet<&[u64]> = pieces.iter().map(|p| p.numbers.as_slice()).collect();
        let of = pieces.iter().filter_map(|p| p.of).max();
        complete(path, &numbers, of, how)?;
        return Ok(true);
    }
    if how == Join::Rows {
        return Ok(true);
    }
    // Token ids beside the states: files are prompts.
    let has_tokens = ["token_ids", "input_ids"]
        .iter()
        .any(|ids| names.contains(ids));
    if counts_something_else(stems) && !has_tokens {
        return Ok(false);
    }
    Err(refused(
        path,
        &format!(
            "{} files hold arrays of the same names ({}): rows of one dump, or dumps of their own?",
            stems.len(),
            super::file::list(names.iter().copied())
        ),
        "join their rows with --join rows (one prompt a file: --axes TLD --join rows), or keep them \
         apart with --join never",
    ))
}

/// Arrays whose names differ in their last number only, as `--join rows` takes them.
fn by_last_number(mut entries: Vec<Entry>) -> Result<Vec<Stack>> {
    entries.sort_by(|a, b| natural::compare(&a.name, &b.name));
    let mut groups: BTreeMap<String, Vec<Entry>> = BTreeMap::new();
    for entry in entries {
        let digit = |c: char| c.is_ascii_digit();
        let head = entry.name.trim_end_matches(|c| !digit(c));
        let base = match head.is_empty() {
            true => entry.name.clone(),
            false => {
                let base = head
                    .trim_end_matches(digit)
                    .trim_end_matches(['_', '-', '.']);
                format!("{base}{}", &entry.name[head.len()..])
            }
        };
        groups.entry(base).or_default().push(entry);
    }
    let stack = |(base, parts): (String, Vec<Entry>)| {
        let name = match base.is_empty() {
            true => "rows".to_owned(),
            false => base,
        };
        fitting(Stack { name, parts })
    };
    groups.into_iter().map(stack).collect()
}

/// Fails unless every array has the same pieces.
fn same_pieces(path: &Path, groups: &[&Pieces]) -> Result<()> {
    let numbers = |members: &[(Vec<u64>, usize)]| -> BTreeSet<Vec<u64>> {
        members.iter().map(|(numbers, _)| numbers.clone()).collect()
    };
    let Some((first, members)) = groups.first() else {
        return Ok(());
    };
    let wanted = numbers(members);
    for (name, members) in &groups[1..] {
        let found = numbers(members);
        if found != wanted || members.len() != found.len() {
            let fact = format!(
                "{name} has {} pieces of the rows and {first} has {}, or others",
                members.len(),
                wanted.len()
            );
            return Err(refused(
                path,
                &fact,
                "bring the missing ones, or choose layers with --layers and --join never",
            ));
        }
    }
    Ok(())
}

/// Fails unless the parts have one type and one shape behind the rows; tokens may differ.
///
/// Vectors that are no companions of the layers are rows of their own.
fn fitting(mut stack: Stack) -> Result<Stack> {
    let is_vector = |part: &Entry| part.shape.len() == 1 && beside::is_float(part);
    if stack.parts.len() > 1
        && stack.parts.iter().all(is_vector)
        && !beside::is_companion(&stack.name)
    {
        for part in &mut stack.parts {
            part.shape.insert(0, 1);
            part.strides.insert(0, 0);
        }
    }
    // A mask or token ids end in tokens, of which batches have different numbers.
    let ends_in_tokens = beside::is_over_tokens(&stack.name);
    let first = &stack.parts[0];
    for part in &stack.parts[1..] {
        let ends = |entry: &Entry| {
            entry
                .shape
                .last()
                .copied()
                .filter(|_| entry.shape.len() > 1)
        };
        let alike = part.item == first.item
            && part.shape.len() == first.shape.len()
            && (ends(part) == ends(first) || ends_in_tokens);
        if !alike {
            return Err(part.unsupported(
                format!("shape {:?} of another type or width", part.shape),
                format!(
                    "rows are joined to {}, of shape {:?}; keep arrays apart with --join never",
                    first.label(),
                    first.shape
                ),
            ));
        }
    }
    Ok(stack)
}
