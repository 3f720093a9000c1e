//! Words in pictures: how wide they are, how they are shortened, what tells names apart.

use unicode_width::UnicodeWidthChar;

use super::super::text::{Style, plain};
use crate::report::page::Phrase;

/// The phrase as one line.
pub(super) fn line(phrase: &Phrase) -> String {
    plain(phrase, Style::default())
}

/// How wide a text of `size` is drawn, about: the mean widths of a common sans serif.
pub(super) fn width(text: &str, size: f64) -> f64 {
    let of = |character: char| match character {
        'i' | 'j' | 'l' | 't' | 'f' | 'I' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' | ' ' => 0.3,
        'm' | 'w' | 'M' | 'W' | '@' | '%' => 0.88,
        'A'..='Z' => 0.7,
        _ => 0.56 * character.width().unwrap_or(0) as f64,
    };
    size * text.chars().map(of).sum::<f64>()
}

/// The text, or as much of both its ends as fits.
pub(super) fn elided(text: &str, size: f64, room: f64) -> String {
    if width(text, size) <= room {
        return text.to_owned();
    }
    let letters: Vec<char> = text.chars().collect();
    for kept in (1..letters.len()).rev() {
        let (head, tail) = (kept / 2, kept - kept / 2);
        let start: String = letters[..head].iter().collect();
        let end: String = letters[letters.len() - tail..].iter().collect();
        let short = format!("{start}…{end}");
        if width(&short, size) <= room {
            return short;
        }
    }
    "…".to_owned()
}

/// The text, or as much of its beginning as fits.
pub(super) fn shortened(text: &str, size: f64, room: f64) -> String {
    let mut short = text.to_owned();
    while width(&short, size) > room {
        // The mark of what is left out goes with the letter before it.
        let kept = short
            .trim_end_matches('…')
            .chars()
            .count()
            .saturating_sub(1);
        if kept == 0 {
            return "…".to_owned();
        }
        short = text
            .chars()
            .take(kept)
            .collect::<String>()
            .trim_end()
            .to_owned()
            + "…";
    }
    short
}

/// The text in lines that fit, broken between words.
pub(super) fn wrapped(text: &str, size: f64, room: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(last) if width(&format!("{last} {word}"), size) <= room => {
                last.push(' ');
                last.push_str(word);
            }
            _ => lines.push(elided(word, size, room)),
        }
    }
    lines
}

/// The names without the beginning and the end that all share, as long as something is left of
/// each and no number or word is cut in two.
pub(super) fn distinct(names: &[String]) -> Vec<String> {
    let [first, rest @ ..] = names else {
        return Vec::new();
    };
    let all_same = rest.iter().all(|name| name == first);
    if rest.is_empty() || all_same {
        return names.to_vec();
    }
    let head = shared(names.iter().map(|name| name.chars()));
    let head = cut(first, head);
    let ends: Vec<String> = names
        .iter()
        .map(|name| name.chars().skip(head).collect())
        .collect();
    let tail = shared(ends.iter().map(|name| name.chars().rev()));
    let backwards: String = ends[0].chars().rev().collect();
    let tail = cut(&backwards, tail);
    let short: Vec<String> = ends
        .iter()
        .map(|name| {
            let length = name.chars().count();
            name.chars().take(length - tail.min(length)).collect()
        })
        .collect();
    match short.iter().any(String::is_empty) {
        true => names.to_vec(),
        false => short,
    }
}

/// How many letters at the beginning are the same in all.
fn shared<I: Iterator<Item = char>>(names: impl Iterator<Item = I>) -> usize {
    let mut names: Vec<I> = names.collect();
    let mut length = 0;
    loop {
        let mut letters = names.iter_mut().map(Iterator::next);
        let Some(Some(letter)) = letters.next() else {
            return length;
        };
        if !letters.all(|other| other == Some(letter)) {
            return length;
        }
        length += 1;
    }
}

/// At most `length`, and just behind a separator: words and numbers stay whole.
fn cut(name: &str, length: usize) -> usize {
    let letters: Vec<char> = name.chars().take(length).collect();
    let separator = |letter: &char| !letter.is_alphanumeric();
    letters
        .iter()
        .rposition(separator)
        .map_or(0, |place| place + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(names: &[&str]) -> Vec<String> {
        distinct(&names.iter().map(|&name| name.into()).collect::<Vec<_>>())
    }

    #[test]
    fn names_keep_what_tells_them_apart() {
        assert_eq!(of(&["layers.1.mlp", "layers.12.mlp"]), ["1", "12"]);
        assert_eq!(of(&["layer_10", "layer_11"]), ["10", "11"]);
        assert_eq!(of(&["embed", "norm"]), ["embed", "norm"]);
        assert_eq!(of(&["a.x", "a.x"]), ["a.x", "a.x"]);
        assert_eq!(of(&["block.1", "block.1.out"]), ["1", "1.out"]);
        assert_eq!(of(&["one"]), ["one"]);
        assert!(of(&[]).is_empty());
    }

    #[test]
    fn elided_text_fits_and_keeps_both_ends() {
        let short = elided("model.layers.10.post_attention_layernorm", 10.0, 100.0);
        assert!(width(&short, 10.0) <= 100.0);
        assert!(
            short.starts_with("model") && short.ends_with("norm"),
            "{short}"
        );
        assert_eq!(elided("short", 10.0, 100.0), "short");
        let start = shortened("peak 3  -26.31  164 rows  foldoc 100 %", 10.0, 100.0);
        assert!(
            width(&start, 10.0) <= 100.0 && start.starts_with("peak 3  -26.31"),
            "{start}"
        );
        assert_eq!(shortened("short", 10.0, 100.0), "short");
        assert_eq!(shortened("short", 10.0, 1.0), "…");
    }

    #[test]
    fn lines_are_broken_between_words() {
        let lines = wrapped("intrinsic dimension over all layers", 10.0, 100.0);
        assert!(lines.len() > 1);
        assert_eq!(lines.join(" "), "intrinsic dimension over all layers");
    }
}
