//! Tells layers from what lies beside them: labels, masks, token ids, neighbour tables.

use super::beside::{is_companion, is_float, is_tokens};
use super::item::Item;
use super::padding::Padding;
use super::square::Square;
use super::stack::Stack;
use super::table_files;

/// The arrays of a dump, sorted.
pub(crate) struct Sorted {
    /// What may be layers, in the order found; some may hold no numbers.
    pub layers: Vec<Stack>,
    /// What is none, with the reason.
    pub left_out: Vec<(String, String)>,
    /// What the dump says of the tokens of its layers.
    pub padding: Padding,
    /// Lists of one value a row, or a token: their names and lengths.
    pub lists: Vec<(String, usize)>,
    /// How many neighbour tables there are.
    pub n_tables: usize,
}

/// Splits arrays into layers and what is left out.
///
/// A layer has at least two axes, no companion's name, and floating-point values; integers count
/// only where no floating-point layer stands beside them. Matrices over all pairs of rows are none,
/// unless `axes_said` that they are columns.
pub(crate) fn sort_out(stacks: Vec<Stack>, axes_said: bool) -> Sorted {
    let is_float = |stack: &Stack| is_float(&stack.parts[0]);
    let over_all_pairs = |stack: &Stack| {
        let alone = !axes_said && stack.parts.len() == 1;
        Square::of(&stack.parts[0]).filter(|_| alone)
    };
    let entries: Vec<_> = stacks.iter().map(|stack| &stack.parts[0]).collect();
    let tables = table_files::members(&entries);
    let mut sorted = Sorted {
        layers: Vec::new(),
        left_out: Vec::new(),
        padding: Padding::among(&stacks),
        lists: Vec::new(),
        n_tables: tables.iter().filter(|table| **table == Some(true)).count(),
    };
    let (mut candidates, mut named) = (Vec::new(), Vec::new());
    for (stack, table) in stacks.into_iter().zip(tables) {
        let shape = stack.shape();
        let reason = if table.is_some() {
            "part of a neighbour table; --neighbours reads it"
        } else if is_companion(&stack.name) && !(is_tokens(&stack.name) && is_float(&stack)) {
            if let &[n] = shape.as_slice() {
                sorted.lists.push((stack.name.clone(), n));
            }
            if shape.len() > 1 && is_float(&stack) && !is_distance(&stack.name) {
                named.push(stack);
                continue;
            }
            NO_LAYER
        } else if let &[n] = shape.as_slice()
            && over_all_pairs(&stack).is_none()
        {
            if !is_float(&stack) {
                sorted.lists.push((stack.name.clone(), n));
            }
            ONE_AXIS
        } else if shape.is_empty() {
            // Objects of a pickle have no axes either.
            let what = match &stack.parts[0].item {
                Item::Other { what, .. } => what.clone(),
                _ => "a single value".to_owned(),
            };
            sorted.left_out.push((stack.name, what));
            continue;
        } else if let Some(square) = over_all_pairs(&stack) {
            sorted.n_tables += usize::from(square != Square::Similarities);
            square.words()
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
            let reason = match stack.parts[0].is_of_16_bits() {
                true => "whole numbers beside floats; --bf16-bits reads them as bfloat16",
                false => "whole numbers beside floats",
            };
            sorted.left_out.push((stack.name, reason.into()));
        } else {
            sorted.layers.push(stack);
        }
    }
    sorted
}

/// Why an array was left out.
pub(super) const ONE_AXIS: &str = "one axis";
const NO_LAYER: &str = "no layer by its name";

fn is_distance(name: &str) -> bool {
    let lower = name.to_lowercase();
    let mut words = lower.split(|c: char| !c.is_alphanumeric());
    words.any(|word| word.starts_with("dist"))
}
