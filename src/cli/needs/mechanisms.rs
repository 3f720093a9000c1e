//! The commands that look into a language model.

use super::need::{Need, need};
use crate::cli::given::Given;

pub(super) const FORWARD: &[Need] = &[need(
    "positions",
    "keys and values are always whole, logits of the last position; add another stream to --dump",
    |given| given.beside("dump", &["k", "v", "logits"]),
)];

pub(super) const ATTRIBUTION: &[Need] = &[need(
    "value_bias",
    "it divides an attention block among its heads; add --by head or both",
    |given| given.any("by", &["head", "both"]),
)];

pub(super) const HEAD_PATTERN: &[Need] = &[need(
    "targets",
    "attention has no targets; leave it out",
    |_| false,
)];

/// Whether some head has no factor of its own.
fn reads_alpha(given: &Given<'_>) -> bool {
    given.some("heads", |head| !head.contains('='))
}

pub(super) const ATTENTION_MODIFY: &[Need] = &[
    need(
        "value_bias",
        "it matters to --mode post only: other modes keep the sum of a row",
        |given| given.any("mode", &["post"]),
    ),
    need(
        "alpha",
        "every head has a factor of its own; leave it out, or a head without =FACTOR",
        reads_alpha,
    ),
    need(
        "select",
        "it chooses among factors of --alpha, and every head has its own; leave it out",
        reads_alpha,
    ),
];
