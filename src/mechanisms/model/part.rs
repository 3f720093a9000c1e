//! Names the parts of a block that add to the residual stream, and holds what replaces them.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use super::config::Config;
use super::edit::Head;
use super::real::Real;

/// What adds to the residual stream in a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The attention as a whole, b_O included.
    Attention,
    /// The MLP.
    Mlp,
    /// One head, by its number: z W_O^h, without b_O.
    Head(usize),
}

/// A part and its block, written `blocks.3.attn_out`, `blocks.3.mlp_out`, `blocks.3.head.2`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct BlockPart {
    /// The block, from 0.
    pub layer: usize,
    /// The part.
    pub part: Part,
}

impl BlockPart {
    /// One head.
    pub fn head(head: Head) -> Self {
        Self {
            layer: head.layer,
            part: Part::Head(head.head),
        }
    }
}

impl fmt::Display for BlockPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.part {
            Part::Attention => write!(f, "blocks.{}.attn_out", self.layer),
            Part::Mlp => write!(f, "blocks.{}.mlp_out", self.layer),
            Part::Head(head) => write!(f, "blocks.{}.head.{head}", self.layer),
        }
    }
}

impl FromStr for BlockPart {
    type Err = String;

    /// Reads what `Display` writes, and heads as [`Head`] does.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "{text:?} names no component; write LAYER.HEAD (10.7), blocks.10.attn_out or blocks.10.mlp_out"
            )
        };
        let text = text.trim();
        let Some(rest) = text.strip_prefix("blocks.") else {
            return text.parse().map(Self::head).map_err(|_| wrong());
        };
        let (layer, name) = rest.split_once('.').ok_or_else(wrong)?;
        let part = match name {
            "attn_out" => Part::Attention,
            "mlp_out" => Part::Mlp,
            _ => {
                let number = name.strip_prefix("head.").ok_or_else(wrong)?;
                Part::Head(number.parse().map_err(|_| wrong())?)
            }
        };
        Ok(Self {
            layer: layer.parse().map_err(|_| wrong())?,
            part,
        })
    }
}

impl Serialize for BlockPart {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What stands in place of parts of one block, the same in every row.
///
/// Of a head that is its z, of the attention and of the MLP what they add.
#[derive(Debug, Clone, PartialEq)]
pub struct Replaced<T>(pub Vec<(Part, Vec<T>)>);

impl<T: Real> Replaced<T> {
    /// Replaces heads in rows of z.
    pub(super) fn heads(&self, z: &mut [T], config: &Config) {
        for (part, values) in &self.0 {
            if let Part::Head(head) = part {
                let start = head * config.head_width;
                for row in z.chunks_exact_mut(config.width) {
                    row[start..start + config.head_width].copy_from_slice(values);
                }
            }
        }
    }

    /// Replaces `whole`, the attention or the MLP, in rows of what it adds.
    pub(super) fn whole(&self, whole: Part, rows: &mut [T]) {
        for (_, values) in self.0.iter().filter(|(part, _)| *part == whole) {
            for row in rows.chunks_exact_mut(values.len()) {
                row.copy_from_slice(values);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written_and_heads_in_their_own_spellings() {
        for (text, layer, part) in [
            ("blocks.3.attn_out", 3, Part::Attention),
            ("blocks.0.mlp_out", 0, Part::Mlp),
            ("blocks.10.head.7", 10, Part::Head(7)),
        ] {
            let part = BlockPart { layer, part };
            assert_eq!(text.parse(), Ok(part));
            assert_eq!(part.to_string(), text);
        }
        for text in ["10.7", "L10H7"] {
            assert_eq!(
                text.parse::<BlockPart>().unwrap().to_string(),
                "blocks.10.head.7"
            );
        }
        for text in [
            "",
            "embed",
            "blocks.3",
            "blocks.x.attn_out",
            "blocks.3.head.",
            "attn_out",
        ] {
            let message = text.parse::<BlockPart>().unwrap_err();
            assert!(message.contains("names no component"), "{message}");
        }
    }
}
