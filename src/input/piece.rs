//! Finds which piece of the rows a name numbers: `layer_03_batch_0007`.

use std::collections::BTreeSet;
use std::path::Path;

use super::file;
use super::join::{Join, refused};
use crate::Result;

/// Words that number a piece of the rows.
const PIECES: [&str; 14] = [
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
    "subset",
    "segment",
];
/// Words that number rows one by one, or that rows begin with; what lies there may be a row of its
/// own, so that they join nothing unasked.
const ROWS: [&str; 22] = [
    "row",
    "rows",
    "sample",
    "samples",
    "example",
    "examples",
    "prompt",
    "prompts",
    "text",
    "texts",
    "sentence",
    "sentences",
    "seq",
    "sequence",
    "image",
    "images",
    "img",
    "doc",
    "docs",
    "item",
    "idx",
    "trial",
];
/// Words that number something else that rows cannot be joined over.
const OTHERS: [&str; 16] = [
    "layer",
    "layers",
    "block",
    "blocks",
    "h",
    "l",
    "stage",
    "resid",
    "epoch",
    "step",
    "ckpt",
    "checkpoint",
    "iter",
    "ep",
    "seed",
    "head",
];
/// What stands between a word and its number.
const JOINTS: [char; 5] = ['_', '-', '.', '=', '/'];

/// A name with its piece taken out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    /// The rest of the name.
    pub base: String,
    /// The numbers of the piece.
    pub numbers: Vec<u64>,
    /// How many pieces there are, where the name says it (`part-0-of-4`).
    pub of: Option<u64>,
    /// Whether a word says that these are pieces, and not rows or something else.
    pub sure: bool,
}

fn digit(c: char) -> bool {
    c.is_ascii_digit()
}

/// The number at the start of `text`, and what follows.
fn number(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|c| !digit(c)).unwrap_or(text.len());
    Some((text[..end].parse().ok()?, &text[end..]))
}

/// The name with its pieces taken out; `None` if it numbers none.
pub(super) fn piece(name: &str) -> Option<Piece> {
    let lower = name.to_ascii_lowercase();
    let mut cuts: Vec<(usize, usize)> = Vec::new();
    let mut numbers = Vec::new();
    let (mut of, mut sure) = (None, true);
    let mut from = 0;
    while from < lower.len() {
        let starts =
            lower.is_char_boundary(from) && !lower[..from].ends_with(|c: char| c.is_alphabetic());
        let longest = |words: &'static [&'static str]| {
            let words = words.iter().filter(|_| starts);
            let words = words.filter(|word| lower[from..].starts_with(**word));
            words.map(|word| word.len()).max()
        };
        let (known, counts_rows) = match (longest(&PIECES), longest(&ROWS)) {
            (None, rows) => (rows, true),
            (pieces, rows) if rows > pieces => (rows, true),
            (pieces, _) => (pieces, false),
        };
        // `00001-of-00004` is a piece whatever stands before it, unless that counts layers.
        let total = || numbered_of(&lower, from);
        let found = known
            .and_then(|length| number(lower[from + length..].trim_start_matches(JOINTS)))
            .or_else(|| total().map(|(number, ..)| (number, "")));
        let Some((first, mut rest)) = found else {
            from += 1;
            continue;
        };
        numbers.push(first);
        if let Some((_, pieces, behind)) = total().filter(|_| known.is_none()) {
            (of, rest) = (Some(pieces), behind);
        } else if let Some((pieces, behind)) = of_total(rest) {
            (of, rest) = (Some(pieces), behind);
        } else if counts_rows
            && let Some((last, behind)) = rest.strip_prefix(['_', '-']).and_then(number)
        {
            // From this row to that: `rows_0_40`.
            numbers.push(last);
            rest = behind;
        }
        sure &= !counts_rows || known.is_none();
        let stop = lower.len() - rest.len();
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
    let kept: Vec<&str> = kept
        .into_iter()
        .map(|part| part.trim_matches(JOINTS))
        .filter(|part| !part.is_empty())
        .collect();
    Some(Piece {
        base: kept.join("_"),
        numbers,
        of,
        sure,
    })
}

/// How many there are, where `-of-4` follows a number, and what follows that.
fn of_total(rest: &str) -> Option<(u64, &str)> {
    let mut joints = ["-of-", "_of_", "of"].into_iter();
    joints.find_map(|of| rest.strip_prefix(of)).and_then(number)
}

/// The number, the total and the rest of `3-of-4` at `from`, unless it counts layers or the like.
fn numbered_of(lower: &str, from: usize) -> Option<(u64, u64, &str)> {
    let before = lower.get(..from)?;
    let joint = before.is_empty() || before.ends_with(JOINTS);
    let word = before.trim_end_matches(JOINTS);
    let word = word.rsplit(|c: char| !c.is_alphanumeric()).next();
    if !joint || OTHERS.contains(&word.unwrap_or_default()) {
        return None;
    }
    let (first, rest) = number(lower.get(from..)?)?;
    let (total, rest) = of_total(rest)?;
    Some((first, total, rest))
}

/// A name that ends in two numbers, `layer_0_3`, without the second, and that number.
pub(super) fn last_of_two(name: &str) -> Option<(&str, u64)> {
    let head = name.trim_end_matches(digit);
    let last = name[head.len()..].parse().ok()?;
    let base = head.strip_suffix(['_', '-'])?;
    base.ends_with(digit).then_some((base, last))
}

/// Whether numbered names without a piece count layers or checkpoints, or are not numbered at all.
pub(super) fn counts_something_else(stems: &[String]) -> bool {
    let bare = |stem: &String| -> String { stem.chars().filter(|c| !digit(*c)).collect() };
    let first = bare(&stems[0]);
    let words = first.split(|c: char| !c.is_alphanumeric());
    stems.iter().any(|stem| bare(stem) != first)
        || stems[0] == first
        || words
            .map(str::to_lowercase)
            .any(|word| OTHERS.contains(&word.as_str()))
}

/// Fails unless the pieces are all there: counted from 0 or 1 without gaps.
pub(super) fn complete(
    path: &Path,
    numbers: &BTreeSet<&[u64]>,
    of: Option<u64>,
    how: Join,
) -> Result<()> {
    if how == Join::Rows {
        return Ok(());
    }
    if let Some(of) = of
        && (numbers.len() as u64) < of
    {
        return Err(refused(
            path,
            &format!("{} of {of} pieces of the rows are there", numbers.len()),
            "bring the others, or say that these are enough with --join rows",
        ));
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
    if counted && numbers.iter().all(|numbers| numbers.len() == depth) {
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
            file::list(shown.iter().map(String::as_str))
        ),
        "join what is there with --join rows, or take each array for a layer with --join never",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_found_wherever_they_stand() {
        for (name, base, numbers) in [
            ("layer_03_batch_0007", "layer_03", vec![7]),
            ("batch0007-layer_03", "layer_03", vec![7]),
            ("layer5_batch_0", "layer5", vec![0]),
            ("rank0_layer.3_part-2", "layer.3", vec![0, 2]),
            ("h.4.shard-00001-of-00002", "h.4", vec![1]),
            ("batch_3", "", vec![3]),
            ("layer_0-00001-of-00003", "layer_0", vec![1]),
            ("acts_2of4", "acts", vec![2]),
            ("00002-of-00004", "", vec![2]),
            ("batch_0/layer_3", "layer_3", vec![0]),
            ("layer_3/part=1", "layer_3", vec![1]),
        ] {
            let found = piece(name).unwrap_or_else(|| panic!("{name}"));
            assert_eq!(
                (found.base.as_str(), &found.numbers),
                (base, &numbers),
                "{name}"
            );
            assert!(found.sure, "{name}");
        }
        for name in [
            "layer_3",
            "depart_3",
            "batch",
            "batchnorm1",
            "partial",
            "layer_1of12",
            "layer-2-of-12",
            "text_model.layers.3",
        ] {
            assert_eq!(piece(name), None, "{name}");
        }
    }

    #[test]
    fn words_for_rows_are_no_sure_pieces() {
        for (name, base, numbers) in [
            ("prompt_12", "", vec![12]),
            ("layer_0_rows_40_80", "layer_0", vec![40, 80]),
            ("sample3-h.2", "h.2", vec![3]),
        ] {
            let found = piece(name).unwrap_or_else(|| panic!("{name}"));
            assert_eq!(
                (found.base.as_str(), &found.numbers),
                (base, &numbers),
                "{name}"
            );
            assert!(!found.sure, "{name}");
        }
        assert_eq!(last_of_two("layer_0_3"), Some(("layer_0", 3)));
        assert_eq!(last_of_two("layer_3"), None);
        assert_eq!(last_of_two("blocks.0.3"), None);
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
