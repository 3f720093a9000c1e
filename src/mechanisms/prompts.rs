//! Collects what is known of the examples: tokens, lengths, the two targets, the attribute's place.

use std::ops::Range;
use std::path::Path;

use super::model::Sequences;
use crate::input::{Tensor, Tensors, TextTable, decode_text, is_text, read_text, whole};
use crate::warning::{Warning, WarningCode};
use crate::{Error, Result};

/// The parts of a prompt "Redefine: subject relation attribute. Subject relation", in order.
pub const SLOTS: [&str; 14] = [
    "pre_subject",
    "subject_first",
    "subject_middle",
    "subject_last",
    "relation",
    "relation_last",
    "attribute",
    "next",
    "gap",
    "repeat_subject_first",
    "repeat_subject_middle",
    "repeat_subject_last",
    "repeat_relation",
    "last",
];

/// The factual and the counterfactual token of an example.
pub type Targets = [u32; 2];

/// What dumps and files say about the examples; everything but their number may be missing.
#[derive(Debug, Clone, Default)]
pub struct Prompts {
    /// Token ids, without padding.
    pub sequences: Option<Sequences>,
    /// Tokens of each example.
    pub lengths: Option<Vec<usize>>,
    /// The two tokens that compete.
    pub targets: Option<Vec<Targets>>,
    /// Position of the attribute, the counterfactual token in the premise.
    pub attribute: Option<Vec<usize>>,
    /// The slots of each example; an empty range is a slot that it does not have.
    pub slots: Option<Vec<Vec<Range<usize>>>>,
    /// Stored positions of each example, −1 for none; all of them in order if `None`.
    pub positions: Option<Vec<Vec<i64>>>,
}

/// Files of their own and what they are given as, then the dump.
struct Sources<'a> {
    files: Vec<(Tensors, &'static str)>,
    acts: Option<&'a Tensors>,
}

impl Sources<'_> {
    /// The tensor of one of these names in the first source that has one; the only one of the file that
    /// is given as one of them needs no name.
    fn find(&self, names: &[&str]) -> Option<Tensor<'_>> {
        let named = |tensors| named(tensors, names);
        let in_files = self.files.iter().find_map(|(tensors, _)| named(tensors));
        let alone = || {
            let given = self.files.iter().find(|(_, role)| names.contains(role));
            given.and_then(|(tensors, _)| tensors.only())
        };
        in_files
            .or_else(alone)
            .or_else(|| self.acts.and_then(named))
    }

    /// The tensor of one of these names in the dump, where files stand beside it.
    fn of_dump(&self, names: &[&str]) -> Option<Tensor<'_>> {
        let acts = self.acts.filter(|_| !self.files.is_empty())?;
        named(acts, names)
    }
}

fn named<'a>(tensors: &'a Tensors, names: &[&str]) -> Option<Tensor<'a>> {
    names.iter().find_map(|name| tensors.get(name))
}

impl Prompts {
    /// Collects what `sources` hold, the first that has a tensor deciding: `tokens` (or
    /// `input_ids`), `lengths` (or `attention_mask`), `targets` (or `token_fact` and `token_cofa`),
    /// `attr_pos`, `slots`, `positions`.
    ///
    /// `targets` and `tokens` may name files of their own, in which a single array needs no name;
    /// targets may be a table in text with the columns `fact` and `counterfactual`.
    ///
    /// # Errors
    /// [`Error::Unsupported`] naming a tensor that cannot be what it is called;
    /// [`Error::RowMismatch`] if two disagree about the number of examples.
    pub fn read(
        tokens: Option<&Path>,
        targets: Option<&Path>,
        acts: Option<&Tensors>,
    ) -> Result<Self> {
        let mut prompts = Self::default();
        let mut files = Vec::new();
        if let Some(path) = targets {
            if is_text(path) {
                prompts.targets = Some(targets_of_csv(path)?);
            } else {
                files.push((Tensors::open(path)?, "targets"));
            }
        }
        if let Some(path) = tokens {
            files.push((Tensors::open(path)?, "tokens"));
        }
        let sources = Sources { files, acts };
        prompts.read_tokens(&sources)?;
        prompts.read_targets(&sources)?;
        prompts.read_places(&sources)?;
        prompts.check()?;
        Ok(prompts)
    }

    fn read_tokens(&mut self, sources: &Sources<'_>) -> Result<()> {
        let mask = sources.find(&["attention_mask"]);
        let lengths = match (sources.find(&["lengths"]), &mask) {
            (Some(lengths), _) => Some(lengths_of(&lengths)?),
            (None, Some(mask)) => Some(lengths_of_mask(mask)?),
            (None, None) => None,
        };
        match sources.find(&["tokens", "input_ids"]) {
            Some(tensor) => {
                let (sequences, lengths) = sequences_of(&tensor, lengths)?;
                if let Some(own) = sources.of_dump(&["tokens", "input_ids"]) {
                    check_same_ids(&tensor, &sequences, &own)?;
                }
                self.sequences = Some(sequences);
                self.lengths = Some(lengths);
            }
            None => self.lengths = lengths,
        }
        if let (Some(lengths), Some(mask)) = (&self.lengths, mask)
            && let Some(example) = differing(lengths, &lengths_of_mask(&mask)?)
        {
            let fact = format!("another number of tokens in example {example} than lengths say");
            return Err(mask.refused(fact, "dump the one that is right"));
        }
        Ok(())
    }

    fn read_targets(&mut self, sources: &Sources<'_>) -> Result<()> {
        if self.targets.is_some() {
            return Ok(());
        }
        let one = |name: &str| sources.find(&[name]);
        self.targets = match (one("targets"), one("token_fact"), one("token_cofa")) {
            (Some(both), _, _) => Some(targets_of(&both)?),
            (None, Some(fact), Some(cofa)) => {
                let pairs = tokens_of(&fact)?.into_iter().zip(tokens_of(&cofa)?);
                Some(pairs.map(|(fact, cofa)| [fact, cofa]).collect())
            }
            _ => None,
        };
        Ok(())
    }

    /// Where the attribute and the slots stand, and which positions are stored.
    fn read_places(&mut self, sources: &Sources<'_>) -> Result<()> {
        if let Some(tensor) = sources.find(&["attr_pos"]) {
            let places = tensor.integers()?;
            let places = places.iter().map(|&at| index(&tensor, at));
            self.attribute = Some(places.collect::<Result<_>>()?);
        }
        if let Some(tensor) = sources.find(&["slots"]) {
            self.slots = Some(slots_of(&tensor)?);
        }
        if let Some(tensor) = sources.find(&["positions"]) {
            let width = tensor.shape().get(1).copied().unwrap_or(1);
            let all = tensor.integers()?;
            self.positions = Some(all.chunks_exact(width).map(<[i64]>::to_vec).collect());
        }
        Ok(())
    }

    /// Number of examples, if anything says it.
    pub fn n(&self) -> Option<usize> {
        self.counts().first().map(|&(_, n)| n)
    }

    /// The targets, or an error that says how to give them.
    ///
    /// # Errors
    /// [`Error::Usage`].
    pub fn need_targets(&self) -> Result<&[Targets]> {
        self.targets.as_deref().ok_or_else(|| {
            Error::Usage(
                "the two competing tokens are not known; give --targets FILE with an [N, 2] array of (fact, counterfactual)".into(),
            )
        })
    }

    /// Whether each thing is said about `n` examples.
    ///
    /// # Errors
    /// [`Error::RowMismatch`].
    pub fn check_rows(&self, n: usize, what: &str) -> Result<()> {
        match self.counts().into_iter().find(|&(_, count)| count != n) {
            None => Ok(()),
            Some((name, count)) => Err(Error::RowMismatch {
                first: what.to_owned(),
                n_first: n,
                second: name.to_owned(),
                n_second: count,
                remedy: "both must describe the same examples in the same order".into(),
            }),
        }
    }

    /// A warning that counts the examples, of `n`, whose attribute is not the counterfactual token.
    pub(crate) fn warnings(&self, n: usize) -> Vec<Warning> {
        let (Some(sequences), Some(targets), Some(attribute)) =
            (&self.sequences, &self.targets, &self.attribute)
        else {
            return Vec::new();
        };
        let misplaced = |&example: &usize| {
            sequences.tokens(example).get(attribute[example]) != Some(&targets[example][1])
        };
        match (0..attribute.len()).filter(misplaced).count() {
            0 => Vec::new(),
            count => {
                let message = format!(
                    "in {count} of {n} examples the token at attr_pos is not the counterfactual one"
                );
                vec![Warning::new(
                    WarningCode::AttributeMisplaced,
                    count,
                    message,
                )]
            }
        }
    }

    fn counts(&self) -> Vec<(&'static str, usize)> {
        let counts = [
            ("tokens", self.sequences.as_ref().map(Sequences::len)),
            ("lengths", self.lengths.as_ref().map(Vec::len)),
            ("targets", self.targets.as_ref().map(Vec::len)),
            ("attr_pos", self.attribute.as_ref().map(Vec::len)),
            ("slots", self.slots.as_ref().map(Vec::len)),
            ("positions", self.positions.as_ref().map(Vec::len)),
        ];
        counts
            .into_iter()
            .filter_map(|(name, n)| Some((name, n?)))
            .collect()
    }

    fn check(&self) -> Result<()> {
        if let Some(&(name, n)) = self.counts().first() {
            self.check_rows(n, name)?;
        }
        let Some(lengths) = &self.lengths else {
            return Ok(());
        };
        for (example, &length) in lengths.iter().enumerate() {
            if length == 0 {
                return Err(Error::Usage(format!(
                    "lengths: example {example} has no tokens; leave it out"
                )));
            }
            if let Some(attribute) = &self.attribute
                && attribute[example] + 1 >= length
            {
                return Err(Error::Usage(format!(
                    "attr_pos: example {example} has its attribute at {} of {length} tokens; it must stand before the last",
                    attribute[example]
                )));
            }
            if let Some(slots) = &self.slots
                && let Some(slot) = slots[example].iter().find(|slot| slot.end > length)
            {
                return Err(Error::Usage(format!(
                    "slots: example {example} has a slot {slot:?} beyond its {length} tokens"
                )));
            }
        }
        Ok(())
    }
}

/// The first example for which two lists of lengths differ.
fn differing(lengths: &[usize], other: &[usize]) -> Option<usize> {
    let n = lengths.len().max(other.len());
    (0..n).find(|&example| lengths.get(example) != other.get(example))
}

fn index(tensor: &Tensor<'_>, value: i64) -> Result<usize> {
    usize::try_from(value)
        .map_err(|_| tensor.refused(format!("the entry {value}"), "positions count from 0"))
}

fn token(tensor: &Tensor<'_>, value: i64) -> Result<u32> {
    u32::try_from(value).map_err(|_| {
        tensor.refused(
            format!("the token {value}"),
            "token ids count from 0; pad on the right and dump `lengths` [N] too",
        )
    })
}

fn tokens_of(tensor: &Tensor<'_>) -> Result<Vec<u32>> {
    let values = tensor.integers()?;
    values.iter().map(|&value| token(tensor, value)).collect()
}

fn two_axes(tensor: &Tensor<'_>) -> Result<[usize; 2]> {
    match tensor.shape() {
        &[n, width] if n > 0 && width > 0 => Ok([n, width]),
        shape => Err(tensor.refused(format!("shape {shape:?}"), "[N, T] is needed")),
    }
}

fn lengths_of(tensor: &Tensor<'_>) -> Result<Vec<usize>> {
    let values = tensor.integers()?;
    values.iter().map(|&value| index(tensor, value)).collect()
}

/// Ones, then zeros: padding stands on the right.
fn lengths_of_mask(tensor: &Tensor<'_>) -> Result<Vec<usize>> {
    let [_, width] = two_axes(tensor)?;
    let mask = tensor.integers()?;
    mask.chunks_exact(width)
        .map(|row| {
            let length = row.iter().take_while(|&&kept| kept == 1).count();
            match row[length..].iter().all(|&kept| kept == 0) {
                true => Ok(length),
                false => Err(tensor.refused(
                    "padding that is not on the right",
                    "pad on the right: tokenizer.padding_side = \"right\"",
                )),
            }
        })
        .collect()
}

fn sequences_of(
    tensor: &Tensor<'_>,
    lengths: Option<Vec<usize>>,
) -> Result<(Sequences, Vec<usize>)> {
    let [n, width] = two_axes(tensor)?;
    let lengths = lengths.unwrap_or_else(|| vec![width; n]);
    if lengths.len() != n {
        return Err(tensor.refused(
            format!("{n} examples, but there are {} lengths", lengths.len()),
            "give one length for each",
        ));
    }
    if let Some(length) = lengths
        .iter()
        .find(|&&length| length == 0 || length > width)
    {
        let fact = format!("rows of {width} tokens, but one has length {length}");
        return Err(tensor.refused(fact, "lengths lie between 1 and the width"));
    }
    let all = tensor.integers()?;
    let rows = all
        .chunks_exact(width)
        .zip(&lengths)
        .map(|(row, &length)| row[..length].iter().map(|&id| token(tensor, id)).collect())
        .collect::<Result<Vec<Vec<u32>>>>()?;
    Ok((Sequences::new(rows.iter().map(Vec::as_slice)), lengths))
}

/// Fails where the token ids of an example are not those that the dump itself holds: its streams are
/// of other prompts.
fn check_same_ids(given: &Tensor<'_>, sequences: &Sequences, own: &Tensor<'_>) -> Result<()> {
    let [n, width] = two_axes(own)?;
    if n != sequences.len() || width == 0 {
        return Ok(());
    }
    let all = own.integers()?;
    let differs = |(example, row): (usize, &[i64])| {
        let ids = sequences.tokens(example);
        let same = |(id, own): (&u32, &i64)| i64::from(*id) == *own;
        ids.len() > width || !ids.iter().zip(row).all(same)
    };
    match all.chunks_exact(width).enumerate().position(differs) {
        None => Ok(()),
        Some(example) => Err(given.refused(
            format!("other token ids in example {example} than the dump"),
            "its streams are of other prompts: give the tokens that it was made from, or leave \
             --tokens out",
        )),
    }
}

fn targets_of(tensor: &Tensor<'_>) -> Result<Vec<Targets>> {
    match two_axes(tensor)? {
        [_, 2] => Ok(tokens_of(tensor)?
            .chunks_exact(2)
            .map(|pair| [pair[0], pair[1]])
            .collect()),
        shape => Err(tensor.refused(
            format!("shape {shape:?}"),
            "targets are [N, 2]: the factual and the counterfactual token of every example",
        )),
    }
}

fn slots_of(tensor: &Tensor<'_>) -> Result<Vec<Vec<Range<usize>>>> {
    let &[n, count, 2] = tensor.shape() else {
        return Err(tensor.refused(
            format!("shape {:?}", tensor.shape()),
            "slots are [N, 14, 2]",
        ));
    };
    if count != SLOTS.len() || n == 0 {
        return Err(tensor.refused(format!("{count} slots"), "there are 14, half open"));
    }
    let all = tensor.integers()?;
    all.chunks_exact(2 * count)
        .map(|example| {
            let pairs = example.chunks_exact(2);
            pairs
                .map(|pair| match (pair[0].max(0), pair[1].max(0)) {
                    (start, end) if start >= end => Ok(0..0),
                    (start, end) => Ok(index(tensor, start)?..index(tensor, end)?),
                })
                .collect()
        })
        .collect()
}

fn targets_of_csv(path: &Path) -> Result<Vec<Targets>> {
    let malformed = |fact: String| Error::Malformed {
        path: path.to_owned(),
        fact,
        remedy: "targets need a header with the columns fact and counterfactual, token ids below"
            .into(),
    };
    let text = decode_text(path, &read_text(path)?)?;
    let table = TextTable::parse(path, &text, None)?;
    let column = |names: [&str; 2]| {
        let found = names.iter().find_map(|name| table.place(name));
        found.ok_or_else(|| malformed(format!("there is no column {:?}", names[0])))
    };
    let columns = [
        column(["fact", "token_fact"])?,
        column(["counterfactual", "token_cofa"])?,
    ];
    (0..table.n_rows())
        .map(|row| {
            let id = |at: usize| {
                let cell = table.cell(row, at);
                let token = whole(cell).and_then(|token| u32::try_from(token).ok());
                token.ok_or_else(|| malformed(format!("row {row} holds {cell:?}, no token id")))
            };
            Ok([id(columns[0])?, id(columns[1])?])
        })
        .collect()
}
