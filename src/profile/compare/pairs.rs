//! Pairs layers that are compared.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::error::{Error, Result};
use crate::input::layer_place;

/// What every layer is compared with.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Target {
    /// The first layer.
    First,
    /// The last layer.
    Last,
    /// The layer after it; within one dump only.
    Next,
    /// The layer of the other dump at the same relative depth: the same position where both have as
    /// many layers, else the nearest.
    Matched,
    /// The layer of the same name in the other dump; layers without one are left out.
    Same,
    /// One layer, by name or index.
    Named(String),
    /// Every other layer.
    #[default]
    All,
}

impl FromStr for Target {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        Ok(match text {
            "first" => Self::First,
            "last" => Self::Last,
            "next" => Self::Next,
            "matched" => Self::Matched,
            "same" => Self::Same,
            "all" => Self::All,
            name => Self::Named(name.to_owned()),
        })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::First => "first",
            Self::Last => "last",
            Self::Next => "next",
            Self::Matched => "matched",
            Self::Same => "same",
            Self::Named(name) => name,
            Self::All => "all",
        })
    }
}

impl Serialize for Target {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Two layers: positions among the layers of the left side, and of the right side (the left again
/// where there is one dump).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LayerPair {
    /// Position of the first layer.
    pub a: usize,
    /// Position of the second.
    pub b: usize,
}

impl Target {
    /// The pairs of layers, given the names of one dump or of two.
    ///
    /// Within one dump [`Target::All`] gives each pair once, a before b; a single target gives
    /// each other layer and the target.
    ///
    /// # Errors
    /// [`Error::Usage`] if the target is not there, or means nothing for that number of dumps.
    pub fn pairs(&self, left: &[&str], right: Option<&[&str]>) -> Result<Vec<LayerPair>> {
        let columns = right.unwrap_or(left);
        let single = right.is_none();
        let to = |b: usize| -> Vec<LayerPair> {
            let others = (0..left.len()).filter(|&a| !(single && a == b));
            others.map(|a| LayerPair { a, b }).collect()
        };
        Ok(match self {
            Self::First => to(0),
            Self::Last => to(columns.len().saturating_sub(1)),
            Self::Named(name) => to(find(columns, name)?),
            Self::Next if single => (1..left.len()).map(|b| LayerPair { a: b - 1, b }).collect(),
            Self::Next => {
                return Err(Error::Usage(
                    "--to next follows the layers of one dump; with two use --to all or matched"
                        .into(),
                ));
            }
            Self::Matched if single => {
                return Err(Error::Usage(
                    "--to matched needs a second dump; name it with --against".into(),
                ));
            }
            Self::Matched if columns.is_empty() => Vec::new(),
            Self::Matched => (0..left.len())
                .map(|a| LayerPair {
                    a,
                    b: at_depth(a, left.len(), columns.len()),
                })
                .collect(),
            Self::Same if single => {
                return Err(Error::Usage(
                    "--to same needs a second dump; name it with --against".into(),
                ));
            }
            Self::Same => {
                let named = |name: &str| columns.iter().position(|other| *other == name);
                let pairs = (0..left.len()).filter_map(|a| {
                    Some(LayerPair {
                        a,
                        b: named(left[a])?,
                    })
                });
                let pairs: Vec<LayerPair> = pairs.collect();
                if pairs.is_empty() {
                    return Err(Error::Usage(format!(
                        "--to same: no layer has a name of the other dump: {} against {}",
                        left.join(", "),
                        columns.join(", ")
                    )));
                }
                pairs
            }
            Self::All if single => (0..left.len())
                .flat_map(|a| (a + 1..left.len()).map(move |b| LayerPair { a, b }))
                .collect(),
            Self::All => (0..left.len())
                .flat_map(|a| (0..columns.len()).map(move |b| LayerPair { a, b }))
                .collect(),
        })
    }

    /// The position of the one layer that all others are compared with, if there is one.
    ///
    /// # Errors
    /// [`Error::Usage`] if no layer has that name.
    pub fn single(&self, names: &[&str]) -> Result<Option<usize>> {
        Ok(match self {
            Self::First => Some(0),
            Self::Last => Some(names.len().saturating_sub(1)),
            Self::Named(name) => Some(find(names, name)?),
            Self::Next | Self::Matched | Self::Same | Self::All => None,
        })
    }
}

/// The layer of `others` whose relative depth is nearest to that of layer `at` of `layers`; the deeper
/// of two that are equally near.
fn at_depth(at: usize, layers: usize, others: usize) -> usize {
    match (layers - 1, others - 1) {
        (0, _) | (_, 0) => 0,
        (last, other) => (2 * at * other + last) / (2 * last),
    }
}

fn find(names: &[&str], name: &str) -> Result<usize> {
    layer_place(names, name, "--to").map_err(|error| match error {
        Error::Usage(fact) => Error::Usage(format!(
            "{fact}; or one of first, last, next, matched, same, all"
        )),
        other => other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEFT: [&str; 3] = ["a", "b", "c"];
    const RIGHT: [&str; 2] = ["x", "y"];

    fn pairs(target: &str, right: Option<&[&str]>) -> Vec<(usize, usize)> {
        let target: Target = target.parse().unwrap();
        let pairs = target.pairs(&LEFT, right).unwrap();
        pairs.iter().map(|pair| (pair.a, pair.b)).collect()
    }

    #[test]
    fn one_dump_gives_every_pair_once() {
        assert_eq!(pairs("all", None), [(0, 1), (0, 2), (1, 2)]);
        assert_eq!(pairs("next", None), [(0, 1), (1, 2)]);
        assert_eq!(pairs("last", None), [(0, 2), (1, 2)]);
        assert_eq!(pairs("b", None), [(0, 1), (2, 1)]);
        assert_eq!(pairs("0", None), [(1, 0), (2, 0)]);
    }

    #[test]
    fn two_dumps_give_every_left_layer_with_the_right_ones() {
        let right = Some(&RIGHT[..]);
        assert_eq!(pairs("all", right).len(), 6);
        assert_eq!(pairs("last", right), [(0, 1), (1, 1), (2, 1)]);
        assert_eq!(pairs("x", right), [(0, 0), (1, 0), (2, 0)]);
        assert_eq!(pairs("matched", Some(&LEFT)), [(0, 0), (1, 1), (2, 2)]);
        assert_eq!(pairs("same", Some(&["c", "x", "a"])), [(0, 2), (2, 0)]);
    }

    #[test]
    fn layers_of_networks_of_unequal_depth_are_matched_by_relative_depth() {
        // Depths 0, 0.5 and 1; the middle is as near to the first as to the last of two.
        assert_eq!(pairs("matched", Some(&RIGHT)), [(0, 0), (1, 1), (2, 1)]);
        let deep = ["0", "1", "2", "3", "4", "5", "6"];
        assert_eq!(pairs("matched", Some(&deep)), [(0, 0), (1, 3), (2, 6)]);
        assert_eq!(pairs("matched", Some(&["x"])), [(0, 0), (1, 0), (2, 0)]);
        let back = |at| at_depth(at, deep.len(), LEFT.len());
        assert_eq!((0..7).map(back).collect::<Vec<_>>(), [0, 0, 1, 1, 1, 2, 2]);
    }

    #[test]
    fn what_means_nothing_is_refused_with_a_way_out() {
        for (target, right, word) in [
            ("next", Some(&RIGHT[..]), "matched"),
            ("matched", None, "--against"),
            ("same", None, "--against"),
            ("same", Some(&RIGHT), "a, b, c"),
            ("nowhere", None, "a, b, c"),
        ] {
            let target: Target = target.parse().unwrap();
            let error = target.pairs(&LEFT, right).unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        }
    }
}
