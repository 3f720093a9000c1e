//! Joins arrays whose rows lie in several files: batches, shards, ranks.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use super::entry::Entry;
use super::order::natural_places;
use super::{name, natural};
use crate::choice::choice;
use crate::{Error, Result};

choice! {
    /// What is done with rows that lie in several files, as typed after `--join`.
    pub enum Join {
        /// Join pieces that are numbered without gaps (layer_03_batch_0007); refuse numbers that may
        /// mean layers as well as rows
        Auto = "auto",
        /// Join arrays of one name along their rows, file after file
        Rows = "rows",
        /// Take every array for a layer of its own
        Never = "never",
    }
}

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

/// Words that number a piece of the rows.
const PIECES: [&str; 12] = [
    "batch",
    "minibatch",
    "part",
    "shard",
    "chunk",
    "rank",
    "piece",
    "worker",
    "proc",
    "process",
    "gpu",
    "device",
];
/// Words that number something else that rows cannot be joined over.
const OTHERS: [&str; 12] = [
    "layer",
    "layers",
    "block",
    "blocks",
    "h",
    "epoch",
    "step",
    "ckpt",
    "checkpoint",
    "iter",
    "ep",
    "seed",
];

/// A name with its piece taken out.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Piece {
    base: String,
    numbers: Vec<u64>,
    /// How many pieces there are, where the name says it (`part-0-of-4`).
    of: Option<u64>,
}

/// Joins what belongs together; every other array is a stack of one.
///
/// # Errors
/// [`Error::NoLayers`] where numbers may mean rows or layers; [`Error::Unsupported`] or
/// [`Error::RowMismatch`] where pieces do not fit each other.
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
    if let Some(stacks) = by_piece(path, &entries, how)? {
        return Ok(stacks);
    }
    if let Some(stacks) = by_file(path, &entries, how)? {
        return Ok(stacks);
    }
    if how == Join::Auto {
        return Ok(alone(entries));
    }
    by_last_number(entries)
}

/// A layer, and its pieces: their numbers, and where each stands among the entries.
type Pieces = (String, Vec<(Vec<u64>, usize)>);

/// Pieces that the names of arrays number: `layer_03_batch_0007`.
fn by_piece(path: &Path, entries: &[Entry], how: Join) -> Result<Option<Vec<Stack>>> {
    let pieces: Vec<Option<Piece>> = entries.iter().map(|entry| piece(&entry.name)).collect();
    if pieces.iter().flatten().count() < 2 {
        return Ok(None);
    }
    let mut groups: Vec<Pieces> = Vec::new();
    let mut of = None;
    for (at, piece) in pieces.iter().enumerate() {
        let (base, numbers) = match piece {
            Some(piece) => (piece.base.clone(), piece.numbers.clone()),
            None => (entries[at].name.clone(), Vec::new()),
        };
        of = of.max(piece.as_ref().and_then(|piece| piece.of));
        match groups.iter_mut().find(|(other, _)| *other == base) {
            Some((_, members)) => members.push((numbers, at)),
            None => groups.push((base, vec![(numbers, at)])),
        }
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
    Ok(Some(stacks))
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
        members
            .iter()
            .map(|&at| entries[at].name.as_str())
            .collect()
    };
    // Files whose arrays are called after them hold one each.
    let own = |at: usize| name::stem(&entries[at].path) == entries[at].name;
    if files.len() < 2 || (0..entries.len()).any(own) {
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
    let pieces: Option<Vec<Piece>> = stems.iter().map(|stem| piece(stem)).collect();
    match (&pieces, how) {
        (Some(pieces), _) if pieces.iter().all(|piece| piece.base == pieces[0].base) => {
            let numbers: BTreeSet<&[u64]> = pieces.iter().map(|p| p.numbers.as_slice()).collect();
            complete(
                path,
                &numbers,
                pieces.iter().filter_map(|p| p.of).max(),
                how,
            )?;
        }
        (_, Join::Rows) => {}
        // Token ids beside the states: files are prompts.
        _ if counts_something_else(&stems)
            && !["token_ids", "input_ids"]
                .iter()
                .any(|ids| first.contains(ids)) =>
        {
            return Ok(None);
        }
        _ => {
            return Err(refused(
                path,
                &format!(
                    "{} files hold arrays of the same names ({}): rows of one dump, or dumps of \
                     their own?",
                    files.len(),
                    super::file::list(first.iter().copied())
                ),
                "join their rows with --join rows (one prompt a file: --axes TLD --join rows), or \
                 keep them apart with --join never",
            ));
        }
    }
    let order: Vec<usize> = {
        let mut order: Vec<usize> = (0..files.len()).collect();
        let texts: Vec<&str> = stems.iter().map(String::as_str).collect();
        match &pieces {
            Some(pieces) => order.sort_by(|&a, &b| pieces[a].numbers.cmp(&pieces[b].numbers)),
            None => order = natural_places(&texts),
        }
        order
    };
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut stacks: Vec<Stack> = Vec::new();
    for file in order {
        for &at in &files[file].1 {
            let entry = &entries[at];
            match places.get(entry.name.as_str()) {
                Some(&place) => stacks[place].parts.push(entry.clone()),
                None => {
                    places.insert(&entry.name, stacks.len());
                    stacks.push(Stack {
                        name: entry.name.clone(),
                        parts: vec![entry.clone()],
                    });
                }
            }
        }
    }
    stacks
        .into_iter()
        .map(fitting)
        .collect::<Result<_>>()
        .map(Some)
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

/// Whether numbered names without a piece count layers or checkpoints, or are not numbered at all.
fn counts_something_else(stems: &[String]) -> bool {
    let bare = |stem: &String| -> String { stem.chars().filter(|c| !c.is_ascii_digit()).collect() };
    let first = bare(&stems[0]);
    let words = first.split(|c: char| !c.is_alphanumeric());
    stems.iter().any(|stem| bare(stem) != first)
        || stems[0] == first
        || words
            .map(str::to_lowercase)
            .any(|word| OTHERS.contains(&word.as_str()))
}

/// The name with its pieces taken out; `None` if it numbers none.
fn piece(name: &str) -> Option<Piece> {
    let lower = name.to_ascii_lowercase();
    let digit = |c: char| c.is_ascii_digit();
    let mut cuts: Vec<(usize, usize)> = Vec::new();
    let mut numbers = Vec::new();
    let mut of = None;
    let mut from = 0;
    while from < lower.len() {
        let starts =
            lower.is_char_boundary(from) && !lower[..from].ends_with(|c: char| c.is_alphabetic());
        let word = PIECES
            .iter()
            .filter(|_| starts)
            .filter(|word| lower[from..].starts_with(**word))
            .max_by_key(|word| word.len());
        let Some(word) = word else {
            from += 1;
            continue;
        };
        let behind = &lower[from + word.len()..];
        let text = behind.trim_start_matches(['_', '-', '.', '=']);
        let joint = behind.len() - text.len();
        let end = text.find(|c| !digit(c)).unwrap_or(text.len());
        let Ok(number) = text[..end].parse() else {
            from += word.len();
            continue;
        };
        numbers.push(number);
        let mut stop = from + word.len() + joint + end;
        let total = ["-of-", "_of_", "of"]
            .into_iter()
            .find_map(|of| lower[stop..].strip_prefix(of));
        if let Some(total) = total {
            let end = total.find(|c| !digit(c)).unwrap_or(total.len());
            if let Ok(count) = total[..end].parse() {
                of = Some(count);
                stop = lower.len() - total.len() + end;
            }
        }
        cuts.push((from, stop));
        from = stop;
    }
    if cuts.is_empty() {
        return None;
    }
    let mut kept = Vec::new();
    let mut start = 0;
    for (from, stop) in cuts {
        kept.push(&name[start..from]);
        start = stop;
    }
    kept.push(&name[start..]);
    let joints = ['_', '-', '.', '='];
    let kept: Vec<&str> = kept
        .into_iter()
        .map(|part| part.trim_matches(joints))
        .filter(|part| !part.is_empty())
        .collect();
    Some(Piece {
        base: kept.join("_"),
        numbers,
        of,
    })
}

/// Fails unless the pieces are all there: counted from 0 or 1 without gaps.
fn complete(path: &Path, numbers: &BTreeSet<&[u64]>, of: Option<u64>, how: Join) -> Result<()> {
    if let Some(of) = of
        && (numbers.len() as u64) < of
    {
        return Err(refused(
            path,
            &format!("{} of {of} pieces of the rows are there", numbers.len()),
            "bring the others, or say that these are enough with --join rows",
        ))
        .or_else(|error| match how {
            Join::Rows => Ok(()),
            _ => Err(error),
        });
    }
    let depth = numbers.iter().next().map_or(0, |numbers| numbers.len());
    let counted = (0..depth).all(|level| {
        let level: BTreeSet<u64> = numbers
            .iter()
            .filter_map(|n| n.get(level).copied())
            .collect();
        let first = level.first().copied().unwrap_or(0);
        let last = level.last().copied().unwrap_or(0);
        first <= 1 && last - first + 1 == level.len() as u64
    });
    if counted && numbers.iter().all(|numbers| numbers.len() == depth) || how == Join::Rows {
        return Ok(());
    }
    let shown: Vec<String> = numbers
        .iter()
        .map(|numbers| {
            let numbers: Vec<String> = numbers.iter().map(u64::to_string).collect();
            numbers.join(".")
        })
        .collect();
    Err(refused(
        path,
        &format!(
            "names number pieces of the rows, but with gaps: {}",
            super::file::list(shown.iter().map(String::as_str))
        ),
        "join what is there with --join rows, or take each array for a layer with --join never",
    ))
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
fn fitting(stack: Stack) -> Result<Stack> {
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
            && ends(part) == ends(first);
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

fn refused(path: &Path, fact: &str, remedy: &str) -> Error {
    Error::NoLayers {
        path: path.to_owned(),
        fact: fact.into(),
        remedy: remedy.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(name: &str) -> Option<(String, Vec<u64>)> {
        piece(name).map(|piece| (piece.base, piece.numbers))
    }

    #[test]
    fn pieces_are_found_wherever_they_stand() {
        for (name, base, numbers) in [
            ("layer_03_batch_0007", "layer_03", vec![7]),
            ("batch0007-layer_03", "layer_03", vec![7]),
            ("layer5_batch_0", "layer5", vec![0]),
            ("rank0_layer.3_part-2", "layer.3", vec![0, 2]),
            ("h.4.shard-00001-of-00002", "h.4", vec![1]),
            ("batch_3", "", vec![3]),
        ] {
            assert_eq!(parts(name), Some((base.to_owned(), numbers)), "{name}");
        }
        for name in ["layer_3", "depart_3", "batch", "batchnorm1", "partial"] {
            assert_eq!(parts(name), None, "{name}");
        }
    }

    #[test]
    fn gaps_are_refused_unless_joining_was_asked_for() {
        let numbers: Vec<Vec<u64>> = vec![vec![1], vec![2], vec![4]];
        let numbers: BTreeSet<&[u64]> = numbers.iter().map(Vec::as_slice).collect();
        let path = Path::new("dump");
        let error = complete(path, &numbers, None, Join::Auto).unwrap_err();
        assert!(error.to_string().contains("--join rows"), "{error}");
        assert!(complete(path, &numbers, None, Join::Rows).is_ok());
        let two: BTreeSet<&[u64]> = numbers.iter().take(2).copied().collect();
        assert!(complete(path, &two, Some(2), Join::Auto).is_ok());
        assert!(complete(path, &two, Some(3), Join::Auto).is_err());
    }
}
