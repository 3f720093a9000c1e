//! Says which tokens count, from what a dump holds: a mask, lengths, or token ids that end alike.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use super::beside;
use super::dtype::Dtype;
use super::entry::Entry;
use super::item::Item;
use super::mask::Mask;
use super::pooling::Pooling;
use super::range::whole_index;
use super::stack::Stack;
use crate::{Error, Result};

/// Names of masks that say which tokens count; another may say the opposite.
const MASKS: [&str; 6] = [
    "attention_mask",
    "attention_masks",
    "attn_mask",
    "input_mask",
    "mask",
    "masks",
];
/// A token is padding where at least one row in `SHARE`, and `LEAST` rows, end in it twice.
const SHARE: usize = 20;
const LEAST: usize = 2;

/// What lies in a dump about the tokens of its layers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Padding {
    /// Masks whose ones count.
    masks: Vec<Stack>,
    /// How many tokens each row has, padded on the right, or where they begin and end.
    lengths: Vec<Stack>,
    /// Masks with one value a row.
    of_rows: Vec<Stack>,
    /// Masks of which nobody says whether their ones count.
    doubtful: Vec<Stack>,
    /// The tokens themselves, a row or a prompt each.
    pub tokens: Vec<Stack>,
    read: Arc<OnceLock<Mask>>,
}

impl Padding {
    /// What `stacks` say.
    pub(super) fn among(stacks: &[Stack]) -> Self {
        let mut padding = Self::default();
        for stack in stacks {
            let first = &stack.parts[0];
            let lower = stack.name.to_lowercase();
            let axes = first.shape.len();
            let is_whole = matches!(first.item, Item::Number(dtype) if !dtype.is_float());
            let is_bool = first.item == Item::Number(Dtype::Bool);
            if MASKS.contains(&lower.as_str()) && axes > 1 {
                padding.masks.push(stack.clone());
            } else if MASKS.contains(&lower.as_str()) && axes == 1 {
                padding.of_rows.push(stack.clone());
            } else if (beside::is_lengths(&lower) || beside::is_offsets(&lower)) && axes == 1 {
                padding.lengths.push(stack.clone());
            } else if beside::is_tokens(&stack.name) && (is_whole || axes == 1) {
                padding.tokens.push(stack.clone());
            } else if axes > 1 && (is_bool || beside::is_about_tokens(&stack.name)) {
                padding.doubtful.push(stack.clone());
            }
        }
        let place = |stack: &Stack| {
            MASKS
                .iter()
                .position(|name| *name == stack.name.to_lowercase())
        };
        padding.masks.sort_by_key(place);
        padding
    }

    /// What the dump calls the mask or lengths that poolings heed.
    pub(crate) fn name(&self) -> Option<&str> {
        let stack = self.masks.first().or(self.lengths.first())?;
        Some(&stack.name)
    }

    /// The same in words.
    pub(crate) fn words(&self) -> Option<String> {
        let name = self.name()?;
        Some(match self.masks.is_empty() {
            true => format!("tokens masked by {name}, of which the first count"),
            false => format!("tokens masked by {name}"),
        })
    }

    /// The mask that poolings of a layer heed, given the shapes of its parts and of all of it; `None`
    /// if the dump has none.
    ///
    /// # Errors
    /// Whatever reading gives, with `--mask none` as a way out; [`Error::Unsupported`] if what the
    /// dump says contradicts itself, or may mean two things.
    pub(crate) fn mask(&self, parts: &[Entry], shape: &[usize]) -> Result<Option<&Mask>> {
        if let Some(mask) = self.read.get() {
            return Ok(Some(mask));
        }
        let mut found: Option<Mask> = None;
        for stack in &self.masks {
            let mask = Mask::of_parts(&stack.parts).map_err(way_out)?;
            agree(found.as_ref(), &mask, stack)?;
            found.get_or_insert(mask);
        }
        for stack in &self.lengths {
            let widths: Vec<(usize, usize)> = parts
                .iter()
                .map(|part| (part.shape[0], part.shape[1]))
                .collect();
            let mask = Mask::of_lengths(&stack.parts, &widths).map_err(way_out)?;
            agree(found.as_ref(), &mask, stack)?;
            found.get_or_insert(mask);
        }
        match found {
            Some(mask) => Ok(Some(self.read.get_or_init(|| mask))),
            None => self.nothing_hidden(shape).map(|()| None),
        }
    }

    /// What is to be said of masks `[N]` that lie beside `n` rows and are left unused.
    pub(crate) fn unused_over_rows(&self, n: usize) -> Result<Option<String>> {
        let fits = |stack: &&Stack| stack.shape() == [n];
        let Some(stack) = self.of_rows.iter().find(fits) else {
            return Ok(None);
        };
        let mut zeros = 0;
        for part in &stack.parts {
            let values = part.load()?.to_f64().unwrap_or_default();
            zeros += values.iter().filter(|x| x.abs() <= 0.0).count();
        }
        let entry = &stack.parts[0];
        let source = format!("{}#{}", entry.path.display(), entry.name.escape_debug());
        Ok((0 < zeros && zeros < n).then(|| {
            format!(
                "{} lies in the dump, is 0 in {zeros} of the {n} rows, and was not used; if it says \
                 which rows count, --rows {source}",
                stack.name.escape_debug()
            )
        }))
    }

    /// What says that `n` rows of two axes are tokens of which some are padding: its name and shape.
    pub(crate) fn over_rows(&self, n: usize) -> Option<(&str, Vec<usize>)> {
        let stacks = self.masks.iter().chain(&self.doubtful);
        let mut shapes = stacks.map(|stack| (stack.name.as_str(), stack.shape()));
        shapes.find(|(_, shape)| is_flat(shape, n))
    }

    /// What poolings heed of rows that are tokens, in words.
    pub(crate) fn words_over_rows(&self, n: usize) -> Option<String> {
        let mask = self.masks.iter().find(|stack| is_flat(&stack.shape(), n));
        let lengths = self.lengths.first();
        let stack = mask.or_else(|| lengths.filter(|stack| stack.shape()[0] < n))?;
        Some(format!("tokens masked by {}", stack.name))
    }

    /// The mask of `n` rows that are tokens; `None` if the dump has none.
    ///
    /// # Errors
    /// As [`Padding::mask`].
    pub(crate) fn flat_mask(&self, n: usize) -> Result<Option<Mask>> {
        let mut found: Option<Mask> = None;
        for stack in &self.masks {
            if is_flat(&stack.shape(), n) {
                let mask = Mask::of_parts(&stack.parts).map_err(way_out)?;
                agree(found.as_ref(), &mask, stack)?;
                found.get_or_insert(mask);
            }
        }
        for stack in &self.lengths {
            if let Some(mask) = flat_lengths(stack, n).map_err(way_out)? {
                agree(found.as_ref(), &mask, stack)?;
                found.get_or_insert(mask);
            }
        }
        match found {
            None => self
                .nothing_hidden_in(&|shape| is_flat(shape, n))
                .map(|()| None),
            found => Ok(found),
        }
    }

    /// The lengths that `n` rows of two axes, each a token, are made of: their name and number.
    ///
    /// # Errors
    /// Whatever reading them gives.
    pub(crate) fn lengths_over_rows(&self, n: usize) -> Result<Option<(&str, usize)>> {
        for stack in &self.lengths {
            let prompts = n_prompts(stack);
            if prompts >= n {
                continue;
            }
            let mut total = 0.0;
            for part in &stack.parts {
                total += Mask::lengths(part).map_err(way_out)?.iter().sum::<f64>();
            }
            if whole_index(total, n + 1).is_some_and(|total| total as usize == n) {
                return Ok(Some((&stack.name, prompts)));
            }
        }
        Ok(None)
    }

    /// Fails where something says that there is padding, but not which tokens are.
    fn nothing_hidden(&self, layer: &[usize]) -> Result<()> {
        self.nothing_hidden_in(&|shape| {
            let mut shape = shape.to_vec();
            let mut axis = shape.len();
            while axis > 1 && shape.len() > 2 {
                axis -= 1;
                if shape[axis] == 1 {
                    shape.remove(axis);
                }
            }
            shape == layer[..2]
        })
    }

    /// The same of what has a shape that `is_over_tokens`.
    fn nothing_hidden_in(&self, is_over_tokens: &dyn Fn(&[usize]) -> bool) -> Result<()> {
        let fits = |stack: &&Stack| is_over_tokens(&stack.shape());
        if let Some(stack) = self.doubtful.iter().find(fits) {
            let entry = &stack.parts[0];
            let source = format!("{}#{}", entry.path.display(), entry.name.escape_debug());
            return Err(entry.unsupported(
                format!(
                    "shape {:?}: does it say which tokens count, or which are padding?",
                    entry.shape
                ),
                format!(
                    "if its ones count, --mask {source}; if they are padding, --mask not:{source}; \
                     if it says neither, --mask none"
                ),
            ));
        }
        for stack in self.tokens.iter().filter(fits) {
            for part in &stack.parts {
                if let Some((id, rows, end)) = repeated(part)? {
                    let name = part.name.escape_debug();
                    return Err(part.unsupported(
                        format!(
                            "{rows} of {} rows that {end} with several {id}, as padding does, \
                             and there is no mask",
                            part.shape[0]
                        ),
                        format!(
                            "save {name} != {id} and give it to --mask, or pool all tokens with \
                             --mask none"
                        ),
                    ));
                }
            }
        }
        Ok(())
    }

    /// What poolings that heed no mask leave unused.
    pub(crate) fn unused(&self, pooling: Pooling) -> Option<String> {
        let name = self.name()?;
        Some(format!(
            "{name} lies in the dump and has no part in --pool {pooling}"
        ))
    }
}

/// Whether an array has a value for each of `n` rows that are the tokens of fewer prompts.
fn is_flat(shape: &[usize], n: usize) -> bool {
    shape.len() > 1 && shape[0] < n && shape.iter().product::<usize>() == n
}

/// The mask that lengths give to `n` rows: all of them where the lengths add up to that, or the first
/// of as many tokens in every prompt.
fn flat_lengths(stack: &Stack, n: usize) -> Result<Option<Mask>> {
    let prompts = n_prompts(stack);
    if prompts >= n || prompts == 0 {
        return Ok(None);
    }
    let mut lengths = Vec::new();
    for part in &stack.parts {
        for value in Mask::lengths(part)? {
            let length = whole_index(value, n + 1).filter(|&length| length > 0);
            let Some(length) = length else {
                let fact = format!("the length {value}");
                return Err(part.unsupported(fact, format!("lengths are from 1 to the {n} rows")));
            };
            lengths.push(length as usize);
        }
    }
    if lengths.iter().sum::<usize>() == n {
        return Ok(Some(Mask::of_ragged(&stack.parts, &lengths)));
    }
    let tokens = n / prompts;
    match n.is_multiple_of(prompts) && lengths.iter().all(|&length| length <= tokens) {
        true => Mask::of_lengths(&stack.parts, &[(prompts, tokens)]).map(Some),
        false => Ok(None),
    }
}

/// Of how many prompts lengths, or the places where they begin, tell.
fn n_prompts(stack: &Stack) -> usize {
    let is_offsets = beside::is_offsets(&stack.name.to_lowercase());
    let lengths = |part: &Entry| part.shape[0].saturating_sub(usize::from(is_offsets));
    stack.parts.iter().map(lengths).sum()
}

/// The token that rows end or begin with at least twice, in how many rows it does, and which of the
/// two; `None` if too few do.
fn repeated(ids: &Entry) -> Result<Option<(i64, usize, &'static str)>> {
    let &[n, tokens] = ids.shape.as_slice() else {
        return Ok(None);
    };
    if tokens < 2 || n == 0 {
        return Ok(None);
    }
    let values = ids.load()?.to_f64().unwrap_or_default();
    let enough = LEAST.max(n.div_ceil(SHARE));
    for (end, pair) in [("end", [tokens - 1, tokens - 2]), ("begin", [0, 1])] {
        let mut counts: BTreeMap<i64, usize> = BTreeMap::new();
        for row in values.chunks_exact(tokens) {
            #[allow(clippy::cast_possible_truncation)] // ids are whole numbers
            let [id, next] = pair.map(|at| row[at] as i64);
            if id == next {
                *counts.entry(id).or_default() += 1;
            }
        }
        let most = counts.into_iter().max_by_key(|(_, count)| *count);
        if let Some((id, rows)) = most.filter(|(_, rows)| *rows >= enough) {
            return Ok(Some((id, rows, end)));
        }
    }
    Ok(None)
}

fn agree(before: Option<&Mask>, mask: &Mask, stack: &Stack) -> Result<()> {
    match before.and_then(|before| before.first_difference(mask)) {
        None => Ok(()),
        Some(row) => {
            let fact = format!("other tokens in row {row} than what lies beside it says");
            let remedy = "give the right one with --mask, or none with --mask none";
            Err(stack.parts[0].unsupported(fact, remedy))
        }
    }
}

fn way_out(error: Error) -> Error {
    match error {
        Error::Unsupported {
            path,
            name,
            fact,
            remedy,
        } => Error::Unsupported {
            path,
            name,
            fact,
            remedy: format!("{remedy}; --mask none leaves it out"),
        },
        other => other,
    }
}
