//! The commands that look into a language model.

use super::need::{Need, need};

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

pub(super) const ATTENTION_MODIFY: &[Need] = &[need(
    "value_bias",
    "it matters to --mode post only: other modes keep the sum of a row",
    |given| given.any("mode", &["post"]),
)];
