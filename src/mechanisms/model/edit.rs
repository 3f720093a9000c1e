//! Edits a few attention weights of the last token.

use crate::choice::choice;
use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use super::real::Real;

/// One attention head, written `10.7` or `L10H7`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Head {
    /// Its block, from 0.
    pub layer: usize,
    /// Its number in the block, from 0.
    pub head: usize,
}

impl FromStr for Head {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} names no head; write LAYER.HEAD, for example 10.7");
        let plain = text.trim().to_ascii_uppercase();
        let (layer, head) = match plain.strip_prefix('L') {
            Some(rest) => rest.split_once('H'),
            None => plain.split_once('.'),
        }
        .ok_or_else(wrong)?;
        Ok(Self {
            layer: layer.parse().map_err(|_| wrong())?,
            head: head.parse().map_err(|_| wrong())?,
        })
    }
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.layer, self.head)
    }
}

impl Serialize for Head {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
impl schemars::JsonSchema for Head {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Head".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "One attention head: its block and its number there, from 0.",
            "type": "string",
            "pattern": r"^\d+\.\d+$",
        })
    }
}

choice! {
    /// Where in the attention the factor goes.
    pub enum EditMode {
        /// A ← α A after the softmax, the rest of the row untouched: what the paper says.
        Post = "post",
        /// S ← α S before the softmax: what the released code does.
        Pre = "pre",
        /// A ← α A, and the row is brought back to sum 1: S ← S + ln α.
        Renorm = "renorm",
    }
}

choice! {
    /// Whether the part of a value vector that is the same for every token is scaled too.
    ///
    /// It matters to [`EditMode::Post`] alone, whose rows do not sum to 1.
    pub enum ValueBias {
        /// The constant b_V + β₁ W_V belongs to b_O and is not scaled: what the released code does.
        Fold = "fold",
        /// It belongs to the value and is scaled: what a hook on the raw model does.
        Keep = "keep",
    }
}

/// The attended positions that are edited, a range for each example.
pub type Keys = Vec<Range<usize>>;

/// An edit of the last token's attention in a few heads, all in one pass.
#[derive(Debug, Clone)]
pub struct Edit {
    /// The heads.
    pub heads: Vec<Head>,
    /// A factor of its own for each of the heads in place of `alpha`; empty for none.
    pub own: Vec<Option<f64>>,
    /// The attended positions.
    pub keys: Keys,
    /// The factor.
    pub alpha: f64,
    /// Where it goes.
    pub mode: EditMode,
    /// What of the values it scales.
    pub value_bias: ValueBias,
}

impl Edit {
    /// Whether head `head` of block `layer` is edited. A factor of 1 edits nothing, to the bit.
    #[allow(clippy::float_cmp)] // exactly 1 is the baseline
    pub(crate) fn touches(&self, layer: usize, head: usize) -> bool {
        self.factor(layer, head) != 1.0
    }

    /// The factor of a head; 1 for one that is not edited.
    fn factor(&self, layer: usize, head: usize) -> f64 {
        let mut heads = self.heads.iter();
        match heads.position(|one| *one == Head { layer, head }) {
            Some(at) => self.own.get(at).copied().flatten().unwrap_or(self.alpha),
            None => 1.0,
        }
    }

    /// The edit of one row of example `example` in a head, a block and its number there.
    pub(crate) fn row<'a, T: Real>(
        &self,
        example: usize,
        [layer, head]: [usize; 2],
        bias: &'a [T],
    ) -> RowEdit<'a, T> {
        let alpha = self.factor(layer, head);
        RowEdit {
            mode: self.mode,
            alpha: T::of(alpha),
            log_alpha: T::of(libm::log(alpha)),
            keys: self.keys.get(example).cloned().unwrap_or(0..0),
            bias: match (self.mode, self.value_bias) {
                (EditMode::Post, ValueBias::Fold) => Some(bias),
                _ => None,
            },
        }
    }
}

/// An edit of one row of attention.
pub(crate) struct RowEdit<'a, T> {
    mode: EditMode,
    alpha: T,
    log_alpha: T,
    keys: Range<usize>,
    /// The head's constant part of every value, where it must not be scaled.
    bias: Option<&'a [T]>,
}

impl<T: Real> RowEdit<'_, T> {
    /// What happens before the softmax.
    pub(crate) fn scores(&self, row: &mut [T]) {
        for score in self.span(row) {
            match self.mode {
                EditMode::Post => {}
                EditMode::Pre => *score *= self.alpha,
                EditMode::Renorm => *score += self.log_alpha,
            }
        }
    }

    /// What happens after it; returns by how much the row's sum grew.
    pub(crate) fn weights(&self, row: &mut [T]) -> T {
        let mut growth = T::of(0.0);
        if self.mode == EditMode::Post {
            for weight in self.span(row) {
                let scaled = *weight * self.alpha;
                growth += scaled - *weight;
                *weight = scaled;
            }
        }
        growth
    }

    /// Takes the constant part of the values back out of a head's output.
    pub(crate) fn unscale(&self, growth: T, z: &mut [T]) {
        for (z, &bias) in z.iter_mut().zip(self.bias.unwrap_or(&[])) {
            *z -= growth * bias;
        }
    }

    fn span<'b>(&self, row: &'b mut [T]) -> &'b mut [T] {
        let end = self.keys.end.min(row.len());
        &mut row[self.keys.start.min(end)..end]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_read_in_both_spellings() {
        for text in ["10.7", "L10H7", "l10h7", " 10.7"] {
            assert_eq!(text.parse(), Ok(Head { layer: 10, head: 7 }), "{text}");
        }
        for text in ["", "10", "10.", "L10", "H7", "10.7.3", "-1.0"] {
            assert!(text.parse::<Head>().is_err(), "{text}");
        }
    }
}
