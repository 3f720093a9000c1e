//! The places of a prompt at which streams are read.

use std::ops::Range;

use super::prompts::{Prompts, SLOTS};
use crate::choice::choice;
use crate::{Error, Result};

choice! {
    /// Which places.
    pub enum Positions {
        /// The last token.
        Last = "last",
        /// The fourteen slots of a prompt, each the mean over its tokens.
        Slots = "slots",
        /// Every position.
        All = "all",
    }
}

/// One place: its name, and its tokens in each example.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Spot {
    pub name: String,
    pub ranges: Vec<Range<usize>>,
}

/// The places in examples of these lengths.
pub(crate) fn spots(which: Positions, prompts: &Prompts, lengths: &[usize]) -> Result<Vec<Spot>> {
    Ok(match which {
        Positions::Last => vec![Spot {
            name: "last".into(),
            ranges: lengths.iter().map(|&n| n.saturating_sub(1)..n).collect(),
        }],
        Positions::Slots => {
            let slots = prompts.slots.as_ref().ok_or_else(|| {
                Error::Usage(
                    "--positions slots needs a tensor `slots` [N, 14, 2] of half-open ranges in the dump".into(),
                )
            })?;
            let named = SLOTS.iter().enumerate();
            named
                .map(|(at, name)| Spot {
                    name: (*name).into(),
                    ranges: slots.iter().map(|slots| slots[at].clone()).collect(),
                })
                .collect()
        }
        Positions::All => {
            let longest = lengths.iter().copied().max().unwrap_or(0);
            (0..longest)
                .map(|position| Spot {
                    name: position.to_string(),
                    ranges: lengths
                        .iter()
                        .map(|&n| position..(position + 1).min(n))
                        .map(|range| if range.is_empty() { 0..0 } else { range })
                        .collect(),
                })
                .collect()
        }
    })
}
