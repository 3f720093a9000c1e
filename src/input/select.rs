//! Which layers of a dump: index ranges and globs, as typed after `--layers`.

use std::str::FromStr;

use globset::{Glob, GlobMatcher};

use super::range::IndexRange;
use crate::{Error, Result};

/// A choice of layers: items joined by commas, each an index range (`0`, `-1`, `1..`, `2..=5`) or a
/// glob on layer names (`blocks.*.mlp`, `layer_{0,4}`).
#[derive(Debug, Clone)]
pub struct Selection {
    items: Vec<(String, Item)>,
}

#[derive(Debug, Clone)]
enum Item {
    Range(IndexRange),
    Glob(Box<GlobMatcher>),
}

impl FromStr for Selection {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let items = split(text)
            .into_iter()
            .map(|item| {
                let meaning = match IndexRange::parse(item) {
                    Some(range) => Item::Range(range),
                    None => Item::Glob(Box::new(glob(item)?)),
                };
                Ok((item.to_owned(), meaning))
            })
            .collect::<Result<_>>()?;
        Ok(Self { items })
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

impl Selection {
    /// The positions in `names` that are meant, ascending, each once.
    ///
    /// The error says which item matches nothing, and what there is instead.
    pub(crate) fn positions(&self, names: &[&str]) -> Result<Vec<usize>, String> {
        let mut chosen = vec![false; names.len()];
        for (text, item) in &self.items {
            match item {
                Item::Range(range) => {
                    let span = range.resolve(names.len());
                    let span = span.map_err(|fact| format!("--layers {text:?}: {fact}"))?;
                    chosen[span].fill(true);
                }
                Item::Glob(glob) => {
                    let mut found = false;
                    for (name, chosen) in names.iter().zip(&mut chosen) {
                        let hit = glob.is_match(name);
                        *chosen |= hit;
                        found |= hit;
                    }
                    if !found {
                        return Err(format!("--layers {text:?} matches no layer"));
                    }
                }
            }
        }
        Ok((0..names.len()).filter(|&at| chosen[at]).collect())
    }
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

    fn chosen(text: &str) -> Result<Vec<usize>, String> {
        let selection: Selection = text.parse().map_err(|err: Error| err.to_string())?;
        selection.positions(&NAMES)
    }

    #[test]
    fn ranges_and_globs_mix_and_come_back_in_depth_order() {
        assert_eq!(chosen("-1,0"), Ok(vec![0, 4]));
        assert_eq!(chosen("*.mlp, 0"), Ok(vec![0, 2, 3]));
        assert_eq!(chosen("{embed,norm}"), Ok(vec![0, 4]));
        assert_eq!(chosen("blocks.[0,1].mlp,1..3"), Ok(vec![1, 2, 3]));
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
