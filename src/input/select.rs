//! Says which layers are meant: by index, range, name or glob, as typed after `--layers`.

use std::fmt;
use std::str::FromStr;

use globset::{Glob, GlobMatcher};

use super::range::IndexRange;
use crate::{Error, Result};

/// A choice of layers in order: items joined by commas, each an index range (`0`, `-1`, `1..`,
/// `2..=5`), a name or a glob on names (`blocks.*.mlp`, `layer_{0,4}`).
///
/// Layers come in the order of the items, and within an item in that of the dump. A number that is
/// the name of one layer and the index of another is refused: `index:4` and `name:4` tell them
/// apart.
#[derive(Debug, Clone)]
pub struct Selection {
    items: Vec<Item>,
}

#[derive(Debug, Clone)]
struct Item {
    text: String,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    /// `index:` and what follows it.
    Index(IndexRange),
    /// `name:` and what follows it.
    Name(String),
    /// A range, or the name of a layer.
    Range(IndexRange),
    /// A name or a glob.
    Glob(Box<GlobMatcher>),
}

impl FromStr for Selection {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let items = split(text).into_iter().map(Item::parse);
        Ok(Self {
            items: items.collect::<Result<_>>()?,
        })
    }
}

/// As it was typed.
impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let items: Vec<&str> = self.items.iter().map(|item| item.text.as_str()).collect();
        f.write_str(&items.join(","))
    }
}

fn glob(text: &str) -> Result<GlobMatcher> {
    let usage = |fact: &str| {
        Error::Usage(format!(
            "--layers {text:?}: {fact}; give index ranges such as 0,2..5,-1 or a glob such as 'layer_*'"
        ))
    };
    if text.is_empty() {
        return Err(usage("an item is empty"));
    }
    Glob::new(text)
        .map(|glob| glob.compile_matcher())
        .map_err(|err| usage(&err.kind().to_string()))
}

/// Splits at commas outside braces and brackets.
fn split(text: &str) -> Vec<&str> {
    let (mut items, mut start, mut depth) = (Vec::new(), 0, 0i32);
    for (at, c) in text.char_indices() {
        match c {
            '{' | '[' => depth += 1,
            '}' | ']' => depth -= 1,
            ',' if depth <= 0 => {
                items.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    items.push(text[start..].trim());
    items
}

impl Item {
    fn parse(text: &str) -> Result<Self> {
        let kind = if let Some(name) = text.strip_prefix("name:") {
            Kind::Name(name.to_owned())
        } else if let Some(range) = text.strip_prefix("index:") {
            Kind::Index(IndexRange::parse(range).ok_or_else(|| {
                Error::Usage(format!(
                    "{text:?}: {range:?} is no index or range of indices"
                ))
            })?)
        } else if let Some(range) = IndexRange::parse(text) {
            Kind::Range(range)
        } else {
            Kind::Glob(Box::new(glob(text)?))
        };
        Ok(Self {
            text: text.to_owned(),
            kind,
        })
    }

    /// The positions in `names` that are meant, ascending; the error says why there are none.
    fn positions(&self, names: &[&str]) -> Result<Vec<usize>, String> {
        let n = names.len();
        let named = |name: &str| names.iter().position(|other| *other == name);
        match &self.kind {
            Kind::Name(name) => named(name)
                .map(|at| vec![at])
                .ok_or_else(|| format!("no layer is called {name:?}")),
            Kind::Index(range) => Ok(range.resolve(n)?.collect()),
            Kind::Range(range) => {
                let exact = named(&self.text);
                let indices = range.resolve(n).map(|span| span.collect::<Vec<usize>>());
                let clash = exact.filter(|at| indices.as_ref().is_ok_and(|span| span != &[*at]));
                if let (Some(at), Ok(span)) = (clash, &indices) {
                    let other = names[span[0]];
                    return Err(format!(
                        "a layer is called {0}, but index {0} is the layer {other}; write name:{0} \
                         for the layer of index {at}, or index:{0} for {other}",
                        self.text
                    ));
                }
                if let (Some(bound), Ok(span)) = (range.clash(names), &indices) {
                    let first = names[span[0]];
                    let last = names[span[span.len() - 1]];
                    return Err(format!(
                        "layers are called by numbers, and {bound} is not the index of the layer \
                         {bound}; write index:{} for {first} to {last}, or each name as \
                         name:{bound}",
                        self.text
                    ));
                }
                exact.map_or(indices, |at| Ok(vec![at]))
            }
            Kind::Glob(glob) => {
                if let Some(at) = named(&self.text) {
                    return Ok(vec![at]);
                }
                let found: Vec<usize> = (0..n).filter(|&at| glob.is_match(names[at])).collect();
                match found.is_empty() {
                    true => Err("matches no layer".into()),
                    false => Ok(found),
                }
            }
        }
    }
}

impl Selection {
    /// Whether it has several items, so that one comes before another.
    pub(crate) fn is_list(&self) -> bool {
        self.items.len() > 1
    }

    /// The positions in `names` that are meant, in the order of the items, each once.
    ///
    /// The error says which item matches nothing, and which names there are.
    pub(crate) fn positions(&self, names: &[&str]) -> Result<Vec<usize>, String> {
        let mut seen = vec![false; names.len()];
        let mut chosen = Vec::new();
        for item in &self.items {
            let found = item.positions(names).map_err(|fact| {
                let joint = if fact.starts_with("matches") { "" } else { ":" };
                format!("--layers {:?}{joint} {fact}", item.text)
            })?;
            for at in found {
                if !std::mem::replace(&mut seen[at], true) {
                    chosen.push(at);
                }
            }
        }
        Ok(chosen)
    }
}

/// The one layer among `names` that `text` means, by the rule of [`Selection`]: a name or an index,
/// negative from the end; `flag` is what it was given to, for errors.
///
/// # Errors
/// [`Error::Usage`] if it means none, several, or one by name and another by index.
pub fn layer_place(names: &[&str], text: &str, flag: &str) -> Result<usize> {
    let positions = Item::parse(text)?.positions(names);
    let fact = match positions.as_deref() {
        Ok(&[at]) => return Ok(at),
        Ok(several) => format!("means {} layers", several.len()),
        Err(fact) => fact.clone(),
    };
    let shown = super::file::list(names.iter().copied());
    Err(Error::Usage(format!(
        "{flag} {text:?}: {fact}; give a layer by name or index: {shown}"
    )))
}

/// The indices below `n` that a list such as `0,3..7,-1` names, ascending, each once; `flag` is
/// what the list was given to, for errors.
///
/// # Errors
/// [`Error::Usage`] for an item that is no index or range, or beyond `n`.
pub fn index_list(text: &str, n: usize, flag: &str) -> Result<Vec<usize>> {
    let mut chosen = vec![false; n];
    for item in text.split(',').map(str::trim) {
        let range = IndexRange::parse(item).ok_or_else(|| format!("{item:?} is no index or range"));
        let span = range
            .and_then(|range| range.resolve(n))
            .map_err(|fact| Error::Usage(format!("{flag} {text}: {fact}")))?;
        chosen[span].fill(true);
    }
    Ok((0..n).filter(|&at| chosen[at]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 5] = [
        "embed",
        "blocks.0.attn",
        "blocks.0.mlp",
        "blocks.1.mlp",
        "norm",
    ];

    fn chosen_of(names: &[&str], text: &str) -> Result<Vec<usize>, String> {
        let selection: Selection = text.parse().map_err(|err: Error| err.to_string())?;
        selection.positions(names)
    }

    fn chosen(text: &str) -> Result<Vec<usize>, String> {
        chosen_of(&NAMES, text)
    }

    #[test]
    fn ranges_names_and_globs_mix_and_their_order_is_kept() {
        assert_eq!(chosen("-1,0"), Ok(vec![4, 0]));
        assert_eq!(chosen("*.mlp, 0"), Ok(vec![2, 3, 0]));
        assert_eq!(chosen("{embed,norm}"), Ok(vec![0, 4]));
        assert_eq!(chosen("norm,embed,*"), Ok(vec![4, 0, 1, 2, 3]));
        assert_eq!(chosen("blocks.[0,1].mlp,1..3"), Ok(vec![2, 3, 1]));
        assert_eq!(chosen("1:3"), Ok(vec![1, 2]));
    }

    #[test]
    fn a_number_is_a_name_or_an_index_by_one_rule() {
        let fourth = ["4", "8", "12", "16", "20", "24"];
        for text in ["4", "0,4", "4..6", "..4"] {
            let error = chosen_of(&fourth, text).unwrap_err();
            assert!(
                error.contains("name:4") && error.contains("index:"),
                "{text}: {error}"
            );
            assert!(layer_place(&fourth, "4", "--to").is_err());
        }
        assert_eq!(chosen_of(&fourth, "name:4,index:4"), Ok(vec![0, 4]));
        assert_eq!(chosen_of(&fourth, "index:4..6"), Ok(vec![4, 5]));
        // What only one reading has is no question.
        assert_eq!(chosen_of(&fourth, "12,0,-1"), Ok(vec![2, 0, 5]));
        assert_eq!(chosen_of(&["0", "1", "2"], "1..,0"), Ok(vec![1, 2, 0]));
        assert_eq!(layer_place(&fourth, "-1", "--to").ok(), Some(5));
        assert_eq!(layer_place(&fourth, "12", "--to").ok(), Some(2));
        assert_eq!(layer_place(&["-1", "0"], "0", "--to").ok(), None);
        let error = layer_place(&NAMES, "*.mlp", "--to")
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("--to") && error.contains("2 layers"),
            "{error}"
        );
    }

    #[test]
    fn lists_of_indices_are_sets() {
        assert_eq!(
            index_list("5, 0..2,-1,0", 8, "--x").ok(),
            Some(vec![0, 1, 5, 7])
        );
        for bad in ["8", "a", "1,,2", ""] {
            let error = index_list(bad, 8, "--x").unwrap_err().to_string();
            assert!(error.starts_with("--x"), "{error}");
        }
    }

    #[test]
    fn an_item_that_matches_nothing_is_an_error_even_beside_one_that_does() {
        assert!(
            chosen("0,head*")
                .unwrap_err()
                .contains("\"head*\" matches no layer")
        );
        assert!(
            chosen("0,7")
                .unwrap_err()
                .contains("index 7 is beyond the 5")
        );
        assert!(chosen("0,").unwrap_err().contains("empty"));
        assert!(chosen("{a").unwrap_err().contains("--layers"));
    }
}
