//! Orders layers by depth: as the file has them, by number, or as a known network runs.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;

use super::natural::{self, Points};
use super::network;

/// Where the order of layers comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LayerOrder {
    /// There is one layer.
    #[default]
    Single,
    /// Names that differ in their numbers only, by the value of these.
    Numbers,
    /// The order in which a network with modules of these names runs.
    Network,
    /// The order in which the archive or index holds them.
    File,
    /// The axis of an array, said by `--axes`.
    Axis,
    /// Natural order of names, which may not be the order of depth.
    Names,
    /// The order of the items of `--layers`.
    Selection,
    /// The lines of `--order-file`.
    List,
}

impl LayerOrder {
    /// The name in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Single => "single",
            Self::Numbers => "numbers",
            Self::Network => "network",
            Self::File => "file",
            Self::Axis => "axis",
            Self::Names => "names",
            Self::Selection => "selection",
            Self::List => "list",
        }
    }

    /// In words, as the end of "in the order …"; empty where there is nothing to say.
    pub fn words(self) -> &'static str {
        match self {
            Self::Single => "",
            Self::Numbers => "ordered by their numbers",
            Self::Network => "ordered as the network runs",
            Self::File => "in the order of the file",
            Self::Axis => "ordered along their axis",
            Self::Names => "ordered by name",
            Self::Selection => "order given by --layers",
            Self::List => "order given by --order-file",
        }
    }
}

impl fmt::Display for LayerOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What the order of arrays in a file is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OwnOrder {
    /// Nothing: the format keeps none.
    None,
    /// It may be one that somebody chose.
    Perhaps,
    /// The file says that it is the order of depth.
    Said,
}

/// How `names` are to be arranged.
pub(crate) struct Arranged {
    /// The places of the names, in order of depth.
    pub places: Vec<usize>,
    /// Why so.
    pub order: LayerOrder,
    /// Why that may not be the order of depth.
    pub doubt: Option<&'static str>,
}

/// Arranges names that stand as the file has them; `own` says what that may mean.
///
/// An archive whose names are only sorted by their bytes (`layer_1`, `layer_10`, `layer_2`) says
/// nothing about depth.
pub(crate) fn arrange(names: &[&str], own: OwnOrder) -> Arranged {
    let natural = natural_places(names);
    let as_it_is: Vec<usize> = (0..names.len()).collect();
    let one_pattern = share_a_pattern(names);
    let arranged = |places, order| Arranged {
        places,
        order,
        doubt: None,
    };
    if names.len() < 2 {
        return arranged(as_it_is, LayerOrder::Single);
    }
    if own == OwnOrder::Said {
        return arranged(as_it_is, LayerOrder::File);
    }
    let of_network = || network::places(names).filter(|_| !one_pattern);
    let informative = own == OwnOrder::Perhaps && names.windows(2).any(|pair| pair[0] > pair[1]);
    if informative && !(one_pattern && natural == as_it_is) {
        let doubt = match of_network() {
            _ if one_pattern => {
                Some("the file keeps its layers in another order than their numbers, and so do we")
            }
            Some(places) if places != as_it_is => Some(
                "the file keeps its layers in another order than such a network runs, and so do we",
            ),
            _ => None,
        };
        return Arranged {
            doubt,
            ..arranged(as_it_is, LayerOrder::File)
        };
    }
    if one_pattern {
        return Arranged {
            doubt: counts_layers_later(names)
                .then_some("another number than that of the layer counts first"),
            ..arranged(natural, LayerOrder::Numbers)
        };
    }
    match of_network() {
        Some(places) => arranged(places, LayerOrder::Network),
        None => Arranged {
            doubt: Some("names share no numbered pattern and were sorted"),
            ..arranged(natural, LayerOrder::Names)
        },
    }
}

/// Whether a number varies before the number of the layer: `head_3_layer_0`.
fn counts_layers_later(names: &[&str]) -> bool {
    const LAYERS: [&str; 5] = ["layer", "layers", "block", "blocks", "l"];
    /// The numbers of a name, each with the word before it.
    fn numbers(name: &str) -> Vec<(&str, &str)> {
        let digit = |c: char| c.is_ascii_digit();
        let mut found = Vec::new();
        let mut rest = name;
        while let Some(start) = rest.find(digit) {
            let (before, from) = rest.split_at(start);
            let end = from.find(|c| !digit(c)).unwrap_or(from.len());
            let word = before.trim_end_matches(|c: char| !c.is_alphabetic());
            let word = word.rsplit(|c: char| !c.is_alphabetic()).next();
            found.push((word.unwrap_or_default(), &from[..end]));
            rest = &from[end..];
        }
        found
    }
    let all: Vec<_> = names.iter().map(|name| numbers(name)).collect();
    let varies = |at: usize| all.iter().any(|one| one.get(at) != all[0].get(at));
    let is_layer = |at: usize| {
        let word = all[0][at].0.to_lowercase();
        LAYERS.contains(&word.as_str())
    };
    let first = (0..all[0].len()).find(|&at| varies(at));
    first.is_some_and(|first| {
        !is_layer(first) && (first + 1..all[0].len()).any(|at| varies(at) && is_layer(at))
    })
}

/// The places of `names` in natural order, decimals by value where they are decimals.
pub(crate) fn natural_places(names: &[&str]) -> Vec<usize> {
    let values: Option<Vec<f64>> = names
        .iter()
        .map(|name| name.parse().ok().filter(|value: &f64| value.is_finite()))
        .collect();
    let points = points(names);
    let by_value = points == Points::Decimal || names.iter().all(|name| !name.contains('.'));
    let compare = |&a: &usize, &b: &usize| {
        let order = match &values {
            Some(values) if by_value => values[a].total_cmp(&values[b]),
            _ => Ordering::Equal,
        };
        order.then_with(|| natural::compare_with(names[a], names[b], points))
    };
    let mut places: Vec<usize> = (0..names.len()).collect();
    places.sort_by(compare);
    places
}

/// Whether the numbers in the names tell the order: all names are one once their numbers are taken
/// out, or begin with the same word and a number of their own (`layer_01_conv`, `layer_02_pool`).
fn share_a_pattern(names: &[&str]) -> bool {
    let is_value = |name: &&str| name.parse().is_ok_and(|value: f64| value.is_finite());
    are_one_pattern(names) || are_counted(names) || names.iter().all(is_value)
}

fn are_counted(names: &[&str]) -> bool {
    let mut numbers = Vec::new();
    let mut words = names.iter().map(|name| {
        let start = name.find(|c: char| c.is_ascii_digit())?;
        let rest = &name[start..];
        let end = rest.find(|c: char| !c.is_ascii_digit());
        numbers.push(rest[..end.unwrap_or(rest.len())].parse::<u64>().ok()?);
        Some(&name[..start])
    });
    let Some(Some(first)) = words.next() else {
        return false;
    };
    if !words.all(|word| word == Some(first)) {
        return false;
    }
    numbers.sort_unstable();
    numbers.windows(2).all(|pair| pair[0] < pair[1])
}

/// Whether all names are one once their numbers are taken out.
pub(super) fn are_one_pattern(names: &[&str]) -> bool {
    let mut patterns = names.iter().map(|name| pattern(name));
    match patterns.next() {
        Some(first) => first.contains('#') && patterns.all(|other| other == first),
        None => false,
    }
}

/// A name with `#` for each number; a sign and a decimal are part of the number.
fn pattern(name: &str) -> String {
    let mut pattern = String::new();
    let mut rest = name;
    while let Some(first) = rest.chars().next() {
        let signed = rest.strip_prefix('-').filter(|rest| {
            rest.starts_with(|c: char| c.is_ascii_digit())
                && (pattern.is_empty() || pattern.ends_with(['_', '=']))
        });
        let digits = signed.unwrap_or(rest);
        if first.is_ascii_digit() || signed.is_some() {
            rest = digits.trim_start_matches(|c: char| c.is_ascii_digit());
            let fraction = rest.strip_prefix('.').unwrap_or("");
            if fraction.starts_with(|c: char| c.is_ascii_digit()) {
                rest = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
            }
            rest = natural::behind_exponent(rest).unwrap_or(rest);
            pattern.push('#');
        } else {
            pattern.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    pattern
}

/// Whether points between digits make decimals (`depth_0.25`) or part numbers (`layer1.10`).
///
/// Parts are counted without gaps from 0 or 1, decimals are not.
fn points(names: &[&str]) -> Points {
    let mut parts: BTreeMap<(String, String), Vec<u64>> = BTreeMap::new();
    for name in names {
        let Some((head, whole, fraction)) = decimal(name) else {
            continue;
        };
        let in_a_word = head.ends_with(|c: char| c.is_alphanumeric());
        if head.ends_with('.') || in_a_word && whole != "0" && whole != "1" {
            return Points::Separate;
        }
        if fraction.len() > 1 && fraction.starts_with('0') {
            return Points::Decimal;
        }
        let Ok(fraction) = fraction.parse() else {
            return Points::Decimal;
        };
        let key = (head.to_owned(), whole.to_owned());
        parts.entry(key).or_default().push(fraction);
    }
    let counted = parts.into_values().all(|mut fractions| {
        fractions.sort_unstable();
        fractions.dedup();
        fractions[0] <= 1 && fractions.windows(2).all(|pair| pair[1] == pair[0] + 1)
    });
    match counted {
        true => Points::Separate,
        false => Points::Decimal,
    }
}

/// What stands before the first `digits.digits` of a name, and the two; `None` where a third number
/// follows, or none is there.
fn decimal(name: &str) -> Option<(&str, &str, &str)> {
    let digit = |c: char| c.is_ascii_digit();
    let (at, _) = name
        .match_indices('.')
        .find(|&(at, _)| name[..at].ends_with(digit) && name[at + 1..].starts_with(digit))?;
    let head = name[..at].trim_end_matches(digit);
    let tail = &name[at + 1..];
    let rest = tail.trim_start_matches(digit);
    let fraction = &tail[..tail.len() - rest.len()];
    (!rest.starts_with('.')).then_some((head, &name[head.len()..at], fraction))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arranged<'a>(names: &[&'a str], kept: bool) -> (Vec<&'a str>, LayerOrder) {
        let own = if kept {
            OwnOrder::Perhaps
        } else {
            OwnOrder::None
        };
        let found = arrange(names, own);
        (
            found.places.iter().map(|&at| names[at]).collect(),
            found.order,
        )
    }

    #[test]
    fn an_archive_keeps_its_order_unless_it_is_only_sorted() {
        let resnet = ["conv1", "layer1", "layer2", "avgpool", "fc"];
        assert_eq!(arranged(&resnet, true), (resnet.to_vec(), LayerOrder::File));
        let sorted = ["avgpool", "conv1", "fc", "layer1", "layer2"];
        assert_eq!(
            arranged(&sorted, true),
            (resnet.to_vec(), LayerOrder::Network)
        );
        let bytes = ["layer_1", "layer_10", "layer_2"];
        assert_eq!(
            arranged(&bytes, true),
            (vec!["layer_1", "layer_2", "layer_10"], LayerOrder::Numbers)
        );
        let counted = ["layer_01_conv", "layer_02_pool", "layer_10_fc"];
        assert_eq!(
            arranged(&counted, false),
            (counted.to_vec(), LayerOrder::Numbers)
        );
        let twice = ["layer_01_conv", "layer_01_pool", "layer_02_fc"];
        assert_eq!(arranged(&twice, false).1, LayerOrder::Names);
        let backwards = arrange(&["h.2", "h.1", "h.0"], OwnOrder::Perhaps);
        assert!(backwards.doubt.is_some() && backwards.places == [0, 1, 2]);
        let late = arrange(&["layers.0", "layers.1", "embed"], OwnOrder::Perhaps);
        assert!(late.doubt.is_some() && late.order == LayerOrder::File);
        let heads = ["head_0_layer_0", "head_0_layer_1", "head_1_layer_0"];
        assert!(arrange(&heads, OwnOrder::None).doubt.is_some());
        assert!(
            arrange(&["layer_0_head_0", "layer_1_head_0"], OwnOrder::None)
                .doubt
                .is_none()
        );
        let foreign = ["zeta", "alpha"];
        assert_eq!(
            arranged(&foreign, false),
            (vec!["alpha", "zeta"], LayerOrder::Names)
        );
    }

    #[test]
    fn decimals_are_told_from_part_numbers() {
        let depths = ["d_0.5", "d_0.25", "d_1.0", "d_0.125", "d_0.0"];
        assert_eq!(
            arranged(&depths, false),
            (
                vec!["d_0.0", "d_0.125", "d_0.25", "d_0.5", "d_1.0"],
                LayerOrder::Numbers
            )
        );
        let parts: Vec<String> = (0..12).map(|part| format!("layer3.{part}")).collect();
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let mut shuffled = parts.clone();
        shuffled.reverse();
        assert_eq!(arranged(&shuffled, false), (parts, LayerOrder::Numbers));
        let modules = ["h.4.10", "h.4.2"];
        assert_eq!(arranged(&modules, false).0, ["h.4.2", "h.4.10"]);
        let values = ["1e-3", "-2.5", "1e-05", "0.5"];
        assert_eq!(arranged(&values, false).0, ["-2.5", "1e-05", "1e-3", "0.5"]);
        let rates = ["lr_1e-2", "lr_1e-3", "lr_0.5", "lr_3e-3"];
        assert_eq!(
            arranged(&rates, false),
            (
                vec!["lr_1e-3", "lr_3e-3", "lr_1e-2", "lr_0.5"],
                LayerOrder::Numbers
            )
        );
    }
}
