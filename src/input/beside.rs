//! Knows by their names what lies beside layers: labels, masks, lengths, token ids.

use super::entry::Entry;
use super::item::Item;

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
/// Names of the tokens themselves.
const TOKENS: [&str; 4] = ["token_ids", "input_ids", "prompt_token_ids", "tokens"];

/// Names of numbers of tokens, padded on the right.
const LENGTHS: [&str; 18] = [
    "lengths",
    "length",
    "lens",
    "seq_lens",
    "seq_len",
    "seqlens",
    "seqlen",
    "seq_lengths",
    "seq_length",
    "sequence_lengths",
    "sequence_length",
    "input_lengths",
    "input_length",
    "n_tokens",
    "num_tokens",
    "ntokens",
    "token_counts",
    "token_count",
];
/// Names of where the tokens of each prompt begin and the last ones end, as kernels for prompts of
/// several lengths take it.
const OFFSETS: [&str; 8] = [
    "cu_seqlens",
    "cu_seqlen",
    "cu_seq_lens",
    "cu_seq_len",
    "cumulative_seqlens",
    "cumulative_lengths",
    "seq_offsets",
    "token_offsets",
];
/// Words in the names of masks that may say which tokens count, or which do not.
const DOUBTFUL: [&str; 7] = [
    "mask", "masks", "pad", "padding", "padded", "valid", "ispad",
];
/// Whether the elements of an array are floating-point numbers.
pub(super) fn is_float(entry: &Entry) -> bool {
    matches!(entry.item, Item::Number(dtype) if dtype.is_float())
}

/// Whether an array may be a layer, by its header alone.
pub(super) fn may_be_layer(entry: &Entry) -> bool {
    entry.shape.len() > 1 && !is_companion(&entry.name)
}

/// Whether a name is that of the tokens of each row.
pub(super) fn is_tokens(name: &str) -> bool {
    TOKENS.contains(&name)
}

/// Whether a name is that of something beside the layers.
pub(super) fn is_companion(name: &str) -> bool {
    let lower = name.to_lowercase();
    is_tokens(name)
        || is_lengths(&lower)
        || is_offsets(&lower)
        || lower
            .split(|c: char| !c.is_alphanumeric())
            .any(|word| COMPANIONS.contains(&word))
}

/// Whether what bears this name ends in an axis of tokens.
pub(super) fn is_over_tokens(name: &str) -> bool {
    is_tokens(name) || is_about_tokens(name)
}

/// Whether a name, in lower case, is that of the numbers of tokens.
pub(super) fn is_lengths(name: &str) -> bool {
    LENGTHS.contains(&name)
}

/// Whether a name, in lower case, is that of the places where prompts begin.
pub(super) fn is_offsets(name: &str) -> bool {
    OFFSETS.contains(&name)
}

/// Whether a name has a word for masks or padding.
pub(super) fn is_about_tokens(name: &str) -> bool {
    let lower = name.to_lowercase();
    let mut words = lower.split(|c: char| !c.is_alphanumeric());
    words.any(|word| DOUBTFUL.contains(&word))
}
