//! Shortens names so that no two look alike and none loses a number.

use std::collections::{HashMap, HashSet};

use super::fit;
use super::style::Style;

/// Columns that an elided name may take, from mild to strong.
const LIMITS: [usize; 4] = [24, 16, 12, 8];

/// What ends a part of a name.
const SEPARATORS: [char; 8] = ['.', '_', '/', '-', ':', '#', '|', ' '];

/// How the names of one table are shown.
#[derive(Debug)]
pub(super) struct Names {
    shown: HashMap<String, String>,
    /// What a reader must know to have the whole names back.
    pub(super) about: Option<String>,
}

impl Names {
    /// The name as it is shown.
    pub(super) fn of(&self, name: &str) -> &str {
        self.shown.get(name).map_or("", String::as_str)
    }

    /// Whether no two names are shown alike.
    fn are_distinct(&self) -> bool {
        let shown: HashSet<&String> = self.shown.values().collect();
        shown.len() == self.shown.len()
    }
}

/// Ways to show names, the whole ones first: without what all have in common, with their middle
/// left out, as numbers in a list. `sets` are the names of each column, which may repeat; what all
/// columns have in common goes first, else what each column has.
pub(super) fn ways(sets: &[Vec<&str>], style: Style) -> Vec<Names> {
    let all: Vec<&str> = distinct(sets.iter().flatten().copied());
    if all.is_empty() {
        return vec![Names {
            shown: HashMap::new(),
            about: None,
        }];
    }
    let safe: HashMap<&str, String> = all.iter().map(|&n| (n, fit::safe(n, style))).collect();
    let whole = names(all.iter().map(|&name| (name, safe[name].clone())), None);
    let common = without_common(std::slice::from_ref(&all), &safe, style).or_else(|| {
        let sets: Vec<Vec<&str>> = sets
            .iter()
            .map(|set| distinct(set.iter().copied()))
            .collect();
        without_common(&sets, &safe, style)
    });
    let longest = common.as_ref().unwrap_or(&whole);
    let elided = LIMITS
        .iter()
        .filter_map(|&limit| elided(longest, &all, limit, style));
    let elided: Vec<Names> = elided.collect();
    let mut ways = vec![whole];
    ways.extend(common);
    ways.extend(elided);
    ways.retain(Names::are_distinct);
    ways.push(numbered(&all, &safe));
    ways
}

fn names<'n>(shown: impl IntoIterator<Item = (&'n str, String)>, about: Option<String>) -> Names {
    let shown = shown
        .into_iter()
        .map(|(name, text)| (name.to_owned(), text));
    Names {
        shown: shown.collect(),
        about,
    }
}

/// The names once each, in order.
fn distinct<'n>(names: impl IntoIterator<Item = &'n str>) -> Vec<&'n str> {
    let mut seen = HashSet::new();
    names
        .into_iter()
        .filter(|name| seen.insert(*name))
        .collect()
}

/// The names of each set without the start and the end that all of the set share; nothing where no
/// set has any, or where names of two sets would look alike.
fn without_common(sets: &[Vec<&str>], safe: &HashMap<&str, String>, style: Style) -> Option<Names> {
    let mut shown: HashMap<String, String> = HashMap::new();
    let mut left_out: Vec<String> = Vec::new();
    for set in sets {
        let texts: Vec<&str> = set.iter().map(|name| safe[name].as_str()).collect();
        let (start, end) = common(&texts);
        if start + end > 0 {
            let first = texts[0];
            let (start, end) = (&first[..start], &first[first.len() - end..]);
            let about = format!("{start}{}{end}", style.ellipsis());
            if !left_out.contains(&about) {
                left_out.push(about);
            }
        }
        for (name, text) in set.iter().zip(texts) {
            let text = &text[start..text.len() - end];
            // A name of two sets is shown once.
            if shown
                .insert((*name).to_owned(), text.to_owned())
                .is_some_and(|other| other != text)
            {
                return None;
            }
        }
    }
    let found = Names {
        shown,
        about: Some(format!("names stand for {}", left_out.join(", "))),
    };
    (!left_out.is_empty() && found.are_distinct()).then_some(found)
}

/// Bytes at the start and at the end that all texts share, in whole parts and without a digit, so
/// that something is left of each.
fn common(texts: &[&str]) -> (usize, usize) {
    let [first, rest @ ..] = texts else {
        return (0, 0);
    };
    if rest.is_empty() {
        return (0, 0);
    }
    let same_start = |other: &&str| -> usize {
        let pairs = first.chars().zip(other.chars());
        pairs
            .take_while(|(a, b)| a == b)
            .map(|(a, _)| a.len_utf8())
            .sum()
    };
    let same_end = |other: &&str| -> usize {
        let pairs = first.chars().rev().zip(other.chars().rev());
        pairs
            .take_while(|(a, b)| a == b)
            .map(|(a, _)| a.len_utf8())
            .sum()
    };
    let start = rest.iter().map(same_start).min().unwrap_or(0);
    let start = first[..start]
        .find(|c: char| c.is_ascii_digit())
        .unwrap_or(start);
    let is_digit_at =
        |text: &&str, at: usize| text.as_bytes().get(at).is_some_and(u8::is_ascii_digit);
    let start = match texts.iter().all(|text| is_digit_at(text, start)) {
        true => start,
        false => first[..start].rfind(SEPARATORS).map_or(0, |at| at + 1),
    };
    let end = rest.iter().map(same_end).min().unwrap_or(0);
    let from = first.len() - end;
    let from = first[from..]
        .rfind(|c: char| c.is_ascii_digit())
        .map_or(from, |at| from + at + 1);
    let end = first.len() - from;
    let after_digits = texts.iter().all(|text| {
        text.len()
            .checked_sub(end + 1)
            .is_some_and(|at| is_digit_at(text, at))
    });
    let end = match after_digits {
        true => end,
        false => first[from..]
            .find(SEPARATORS)
            .map_or(0, |at| first.len() - from - at),
    };
    let leaves_some = |start: usize, end: usize| texts.iter().all(|text| text.len() > start + end);
    match () {
        () if leaves_some(start, end) => (start, end),
        () if leaves_some(start, 0) => (start, 0),
        () if leaves_some(0, end) => (0, end),
        () => (0, 0),
    }
}

/// The names of `way` in at most `limit` columns each, digits kept; nothing where that cannot be
/// without two alike.
fn elided(way: &Names, all: &[&str], limit: usize, style: Style) -> Option<Names> {
    /// Shares of the room that the start of a name gets.
    const STARTS: [f64; 3] = [0.5, 0.0, 1.0];
    STARTS.iter().find_map(|&share| {
        let shown: Option<Vec<(&str, String)>> = all
            .iter()
            .map(|&name| Some((name, elide(way.of(name), limit, share, style)?)))
            .collect();
        let found = names(shown?, way.about.clone());
        found.are_distinct().then_some(found)
    })
}

/// `text` in at most `limit` columns with all its numbers, and with as much of its start and end as
/// fits; nothing where its numbers alone do not fit.
fn elide(text: &str, limit: usize, share: f64, style: Style) -> Option<String> {
    if fit::width(text) <= limit {
        return Some(text.to_owned());
    }
    let characters: Vec<char> = text.chars().collect();
    let number = numbers(&characters);
    (0..=limit.min(characters.len())).rev().find_map(|room| {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let head = (room as f64 * share).ceil() as usize;
        let tail = characters.len() - (room - head);
        let mut out = String::new();
        let mut left_out = String::new();
        for (at, &character) in characters.iter().enumerate() {
            if at < head || at >= tail || number[at] {
                out += gap(&left_out, style);
                left_out.clear();
                out.push(character);
            } else {
                left_out.push(character);
            }
        }
        out += gap(&left_out, style);
        (fit::width(&out) <= limit).then_some(out)
    })
}

/// What stands for what was left out: itself, where the mark is no shorter.
fn gap(left_out: &str, style: Style) -> &str {
    let mark = style.ellipsis();
    if fit::width(left_out) <= fit::width(mark) {
        left_out
    } else {
        mark
    }
}

/// Which characters belong to a number: `12`, `0.5`, `1e-3`.
fn numbers(characters: &[char]) -> Vec<bool> {
    let digit = |at: usize| characters.get(at).is_some_and(char::is_ascii_digit);
    let before = |at: usize| at > 0 && digit(at - 1);
    (0..characters.len())
        .map(|at| match characters[at] {
            '.' => before(at) && digit(at + 1),
            'e' | 'E' => {
                let signed = matches!(characters.get(at + 1), Some('-' | '+')) && digit(at + 2);
                before(at) && (digit(at + 1) || signed)
            }
            '-' | '+' => {
                let exponent = at > 1 && matches!(characters[at - 1], 'e' | 'E') && before(at - 1);
                exponent && digit(at + 1)
            }
            _ => digit(at),
        })
        .collect()
}

/// The names as numbers, and the list of them.
fn numbered(all: &[&str], safe: &HashMap<&str, String>) -> Names {
    let numbers = all.iter().enumerate();
    let shown = numbers.clone().map(|(at, &name)| (name, format!("[{at}]")));
    let list: Vec<String> = numbers
        .map(|(at, name)| format!("[{at}] {}", safe[name]))
        .collect();
    names(shown, Some(format!("names: {}", list.join("  "))))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const STYLE: Style = Style {
        ascii: false,
        colour: false,
        width: None,
    };

    fn shown(names: &[&str], way: usize) -> Vec<String> {
        let ways = ways(&[names.to_vec()], STYLE);
        names
            .iter()
            .map(|name| ways[way].of(name).to_owned())
            .collect()
    }

    #[test]
    fn what_all_names_share_goes_first_and_is_said() {
        let names = [
            "model.layers.0.mlp",
            "model.layers.1.mlp",
            "model.layers.10.mlp",
        ];
        assert_eq!(shown(&names, 1), ["0", "1", "10"]);
        let ways = ways(&[names.to_vec()], STYLE);
        assert_eq!(
            ways[1].about.as_deref(),
            Some("names stand for model.layers.….mlp")
        );
        // Whole parts, and never a digit.
        assert_eq!(shown(&["layer_10", "layer_11"], 1), ["10", "11"]);
        assert_eq!(
            shown(&["block3.attn_in", "block3.attn_out"], 1),
            ["3.attn_in", "3.attn_out"]
        );
        assert_eq!(common(&["attention.in", "attribute.in"]), (0, 3));
        assert_eq!(common(&["embed", "embed_pos"]), (0, 0));
    }

    #[test]
    fn columns_that_share_nothing_are_shortened_each_by_itself() {
        let sets = [vec!["encoder.0", "encoder.1"], vec!["class_a", "class_b"]];
        let ways = ways(&sets, STYLE);
        assert_eq!(ways[1].of("encoder.1"), "1");
        assert_eq!(ways[1].of("class_b"), "b");
        let about = "names stand for encoder.…, class_…";
        assert_eq!(ways[1].about.as_deref(), Some(about));
        // Not where two of them would look alike.
        let sets = [
            vec!["encoder.0", "encoder.1"],
            vec!["decoder.0", "decoder.1"],
        ];
        assert_eq!(super::ways(&sets, STYLE)[1].about, None);
    }

    #[test]
    fn the_middle_goes_but_its_numbers_stay() {
        let elide = |text, limit| elide(text, limit, 0.5, STYLE);
        assert_eq!(
            elide("model.layers.10.mlp.down_proj", 16).as_deref(),
            Some("model.…10…n_proj")
        );
        assert_eq!(
            elide("decoder_lr_1e-3_final", 8).as_deref(),
            Some("d…1e-3…l")
        );
        assert_eq!(elide("layer_00001_batch_00002", 8), None);
    }

    proptest! {
        #[test]
        fn no_two_names_look_alike_and_none_loses_a_digit(
            family in "[a-z]{0,12}[._/]?",
            set in prop::collection::hash_set("[a-z._]{0,14}[0-9]{0,3}[a-z._-]{0,14}", 2..24),
            ascii in any::<bool>(),
        ) {
            let style = Style { ascii, ..STYLE };
            let names: Vec<String> = set.iter().map(|name| format!("{family}{name}")).collect();
            let sets: Vec<&str> = names.iter().map(String::as_str).collect();
            let ways = ways(&[sets], style);
            for (at, way) in ways.iter().enumerate() {
                prop_assert!(way.are_distinct(), "{way:?}");
                let is_list = at + 1 == ways.len();
                for name in names.iter().filter(|_| !is_list) {
                    let digits = |text: &str| -> String {
                        text.chars().filter(char::is_ascii_digit).collect()
                    };
                    prop_assert_eq!(digits(name), digits(way.of(name)));
                }
            }
        }
    }
}
