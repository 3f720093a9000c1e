//! Phrases in characters that a terminal can show.

use super::fit;
use super::number::{significant, size};
use super::sparkline::sparkline;
use super::style::Style;
use crate::report::page::{Phrase, Piece};
use crate::warning::WarningCode;

/// At most this many layers are named behind a warning.
const NAMED_LAYERS: usize = 3;

/// The symbols of our own words, and how ASCII spells them.
const SYMBOLS: [(char, &str); 8] = [
    ('±', "+/-"),
    ('→', "->"),
    ('Δ', "Delta"),
    ('²', "2"),
    ('≥', ">="),
    ('×', "x"),
    ('│', "|"),
    ('●', "*"),
];

/// The phrase as one line.
pub(in crate::report::write) fn plain(phrase: &Phrase, style: Style) -> String {
    phrase.0.iter().map(|piece| spell(piece, style)).collect()
}

fn spell(piece: &Piece, style: Style) -> String {
    match piece {
        Piece::Words(words) if style.ascii => in_ascii(words),
        Piece::Words(words) => words.as_ref().to_owned(),
        Piece::Name(name) => fit::safe(name, style),
        Piece::Number { value, digits } => significant(*value, *digits),
        Piece::Decimal { value, places } => format!("{value:.places$}"),
        Piece::Count(n) | Piece::Index(n) => n.to_string(),
        Piece::Bytes(n) => {
            let (number, unit) = size(*n);
            format!("{number} {unit}")
        }
        Piece::Absent => style.dash().to_owned(),
        Piece::Code(reason) => reason.code().to_owned(),
        Piece::Series(values) => sparkline(values, &style),
    }
}

fn in_ascii(words: &str) -> String {
    let mut out = String::with_capacity(words.len());
    for character in words.chars() {
        match SYMBOLS.iter().find(|(symbol, _)| *symbol == character) {
            Some((_, spelling)) => out += spelling,
            None if character.is_ascii() => out.push(character),
            None => out.extend(character.escape_default()),
        }
    }
    out
}

/// Code, message, and the layers that it concerns.
pub(super) fn warning(code: WarningCode, message: &str, layers: &[String], style: Style) -> String {
    let about = match layers {
        [] => String::new(),
        // Some messages name their layer already.
        [layer] if message.contains(layer.as_str()) => String::new(),
        _ if layers.len() <= NAMED_LAYERS => format!(" ({})", layers.join(", ")),
        _ => format!(
            " ({} and {} more)",
            layers[..NAMED_LAYERS].join(", "),
            layers.len() - NAMED_LAYERS
        ),
    };
    fit::safe(&format!("{code}: {message}{about}"), style)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::page::{name, phrase};

    #[test]
    fn our_symbols_are_spelt_in_ascii_and_names_are_escaped() {
        let ascii = Style {
            ascii: true,
            ..Style::default()
        };
        let phrase = phrase!["Δ(a→b) ± ", name("Δ→")];
        assert_eq!(plain(&phrase, Style::default()), "Δ(a→b) ± Δ→");
        assert_eq!(plain(&phrase, ascii), "Delta(a->b) +/- \\u{394}\\u{2192}");
    }
}
