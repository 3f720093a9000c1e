//! Tells layers from what lies beside them: labels, masks, token ids, neighbour tables.

use std::sync::{Arc, OnceLock};

use super::item::Item;
use super::mask::Mask;
use super::stack::Stack;
use super::tables;
use crate::{Error, Result};

/// Words in the name of an array that mark it as a companion of the layers, not one of them.
const COMPANIONS: [&str; 13] = [
    "label",
    "labels",
    "target",
    "targets",
    "mask",
    "masks",
    "split",
    "splits",
    "ids",
    "index",
    "indices",
    "dist",
    "distances",
];
/// Names of masks that say which tokens count; another may say the opposite.
const MASKS: [&str; 2] = ["attention_mask", "mask"];
/// Names of numbers of tokens, padded on the right.
const LENGTHS: [&str; 4] = ["lengths", "n_tokens", "seq_lens", "seq_lengths"];
/// Names of the tokens themselves.
const TOKENS: [&str; 3] = ["token_ids", "input_ids", "tokens"];

/// The arrays of a dump, sorted.
pub(crate) struct Sorted {
    /// What may be layers, in the order found; some may hold no numbers.
    pub layers: Vec<Stack>,
    /// What is none, with the reason.
    pub left_out: Vec<(String, String)>,
    /// Which tokens count, if the dump says it.
    pub padding: Option<Padding>,
    /// Lengths of lists of token ids: an axis of that length is tokens.
    pub token_counts: Vec<usize>,
    /// How many neighbour tables there are.
    pub n_tables: usize,
}

/// Splits arrays into layers and what is left out.
///
/// A layer has at least two axes, no companion's name, and floating-point values; integers count
/// only where no floating-point layer stands beside them.
pub(crate) fn sort_out(stacks: Vec<Stack>) -> Sorted {
    let is_float =
        |stack: &Stack| matches!(stack.parts[0].item, Item::Number(dtype) if dtype.is_float());
    let entries: Vec<_> = stacks.iter().map(|stack| &stack.parts[0]).collect();
    let tables = tables::members(&entries);
    let mut sorted = Sorted {
        layers: Vec::new(),
        left_out: Vec::new(),
        padding: padding(&stacks),
        token_counts: Vec::new(),
        n_tables: tables.iter().filter(|table| **table == Some(true)).count(),
    };
    let (mut candidates, mut named) = (Vec::new(), Vec::new());
    for (stack, table) in stacks.into_iter().zip(tables) {
        let shape = &stack.parts[0].shape;
        let reason = if table.is_some() {
            "part of a neighbour table; --neighbours reads it"
        } else if is_companion(&stack.name) {
            if TOKENS.contains(&stack.name.as_str())
                && let &[n] = shape.as_slice()
            {
                sorted.token_counts.push(n);
            }
            if shape.len() > 1 && is_float(&stack) && !is_distance(&stack.name) {
                named.push(stack);
                continue;
            }
            NO_LAYER
        } else if shape.len() < 2 {
            "one axis"
        } else {
            candidates.push(stack);
            continue;
        };
        sorted.left_out.push((stack.name, reason.into()));
    }
    // Where nothing else is there, `l3_target` is a layer.
    match candidates.is_empty() {
        true => candidates = named,
        false => {
            let out = named.into_iter().map(|stack| (stack.name, NO_LAYER.into()));
            sorted.left_out.extend(out);
        }
    }
    let any_float = candidates.iter().any(is_float);
    for stack in candidates {
        let integers = matches!(stack.parts[0].item, Item::Number(_)) && !is_float(&stack);
        if integers && any_float {
            let reason = "whole numbers beside floats";
            sorted.left_out.push((stack.name, reason.into()));
        } else {
            sorted.layers.push(stack);
        }
    }
    sorted
}

/// Why an array was left out.
const NO_LAYER: &str = "no layer by its name";

fn is_distance(name: &str) -> bool {
    let lower = name.to_lowercase();
    let mut words = lower.split(|c: char| !c.is_alphanumeric());
    words.any(|word| word.starts_with("dist"))
}

fn is_companion(name: &str) -> bool {
    if TOKENS.contains(&name) || LENGTHS.contains(&name) {
        return true;
    }
    name.to_lowercase()
        .split(|c: char| !c.is_alphanumeric())
        .any(|word| COMPANIONS.contains(&word))
}

/// Which tokens count, as a dump says it: a mask `[N, T]`, or N lengths.
#[derive(Debug, Clone)]
pub(crate) struct Padding {
    /// What the dump calls it.
    pub name: String,
    mask: Option<Stack>,
    lengths: Option<Stack>,
    read: Arc<OnceLock<Mask>>,
}

fn padding(stacks: &[Stack]) -> Option<Padding> {
    let find = |names: &[&str], axes: usize| {
        let named = |name: &&str| {
            stacks
                .iter()
                .find(|stack| stack.name == **name && stack.parts[0].shape.len() == axes)
        };
        names.iter().find_map(named).cloned()
    };
    let (mask, lengths) = (find(&MASKS, 2), find(&LENGTHS, 1));
    let name = mask.as_ref().or(lengths.as_ref())?.name.clone();
    Some(Padding {
        name,
        mask,
        lengths,
        read: Arc::default(),
    })
}

impl Padding {
    /// The mask for layers of `widths`: rows and tokens of each part.
    ///
    /// # Errors
    /// Whatever reading gives, with `--mask none` as a way out; [`Error::Unsupported`] if a mask and
    /// lengths contradict each other.
    pub(crate) fn mask(&self, widths: &[(usize, usize)]) -> Result<&Mask> {
        if let Some(mask) = self.read.get() {
            return Ok(mask);
        }
        let way_out = |error: Error| match error {
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
        };
        let mask = self.mask.as_ref().map(|stack| Mask::of_parts(&stack.parts));
        let mask = mask.transpose().map_err(way_out)?;
        let lengths = self
            .lengths
            .as_ref()
            .map(|stack| Mask::of_lengths(&stack.parts, widths));
        let lengths = lengths.transpose().map_err(way_out)?;
        let found = match (mask, lengths) {
            (Some(mask), Some(lengths)) => {
                if let Some(row) = mask.first_difference(&lengths) {
                    let stack = self.mask.as_ref().expect("a mask was read");
                    let fact = format!("other tokens in row {row} than lengths say");
                    let remedy = "give the right one with --mask, or none with --mask none";
                    return Err(stack.parts[0].unsupported(fact, remedy));
                }
                mask
            }
            (Some(mask), None) => mask,
            (None, Some(lengths)) => lengths,
            (None, None) => unreachable!("padding is a mask or lengths"),
        };
        Ok(self.read.get_or_init(|| found))
    }
}
