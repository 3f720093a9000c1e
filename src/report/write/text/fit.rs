//! Text that fits a terminal: its width in columns, safe characters, wrapping.

use unicode_width::UnicodeWidthStr;

use super::style::Style;

/// Terminal columns that `text` takes.
pub(super) fn width(text: &str) -> usize {
    text.width()
}

/// `text` without characters that could move the cursor or turn the writing direction; under
/// `--ascii` without anything beyond ASCII. Such characters are shown as `\u{…}`.
pub(super) fn safe(text: &str, style: Style) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if is_unsafe(character) || (style.ascii && !character.is_ascii()) {
            out.extend(character.escape_default());
        } else {
            out.push(character);
        }
    }
    out
}

/// `text` as a terminal may be shown it: what would move its cursor, turn the writing direction or
/// take no place at all stands as `\u{…}`.
pub fn safe_text(text: &str) -> String {
    safe(text, Style::default())
}

/// The same line by line: ends of lines stay.
pub fn safe_lines(text: &str) -> String {
    let lines: Vec<String> = text.split('\n').map(safe_text).collect();
    lines.join("\n")
}

/// Control characters, and those that Unicode calls ignorable by default: nobody sees them, so two
/// names that differ in one look alike.
pub(in crate::report) fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

fn prefix(text: &str, limit: usize) -> &str {
    let ends = text.char_indices().map(|(start, c)| start + c.len_utf8());
    let end = ends.take_while(|&end| width(&text[..end]) <= limit).last();
    &text[..end.unwrap_or(0)]
}

/// `head` of `text` without the number that it would cut, if it holds more than that.
fn before_number<'t>(head: &'t str, text: &'t str) -> &'t str {
    let of_number = |character: char| character.is_ascii_digit() || ".eE".contains(character);
    if !text[head.len()..].starts_with(of_number) {
        return head;
    }
    match head.trim_end_matches(|character| of_number(character) || character == '-') {
        "" => head,
        kept => kept,
    }
}

/// `text` broken between words into lines of at most `limit` columns; a longer word is cut, but not
/// in a number that fits.
/// Lines after the first start with two spaces.
pub(super) fn wrap(text: &str, limit: Option<usize>) -> Vec<String> {
    const INDENT: &str = "  ";
    let limit = match limit {
        Some(limit) if width(text) > limit => limit.max(INDENT.len() + 2),
        _ => return vec![text.to_owned()],
    };
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_inclusive(' ') {
        let mut rest = word;
        if width(line.as_str()) + width(rest.trim_end()) > limit && !line.trim().is_empty() {
            lines.push(std::mem::replace(&mut line, INDENT.to_owned()));
        }
        while width(&line) + width(rest.trim_end()) > limit {
            let head = before_number(prefix(rest, limit - width(&line)), rest);
            line += head;
            rest = &rest[head.len()..];
            lines.push(std::mem::replace(&mut line, INDENT.to_owned()));
        }
        line += rest;
    }
    if !line.trim().is_empty() {
        lines.push(line);
    }
    lines
        .iter()
        .map(|line| line.trim_end().to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASCII: Style = Style {
        ascii: true,
        colour: false,
        width: None,
    };

    #[test]
    fn control_characters_and_direction_marks_never_reach_the_terminal() {
        assert_eq!(safe("a\u{1b}[2Jb\n", Style::default()), "a\\u{1b}[2Jb\\n");
        assert_eq!(safe("a\u{202e}b", Style::default()), "a\\u{202e}b");
        assert_eq!(safe("schön", Style::default()), "schön");
        assert_eq!(safe("schön", ASCII), "sch\\u{f6}n");
    }

    #[test]
    fn wrapping_keeps_every_word_and_the_limit() {
        let text = "duplicates: 129 rows repeat an earlier row and were removed";
        let lines = wrap(text, Some(24));
        assert!(lines.iter().all(|line| width(line) <= 24), "{lines:?}");
        let words: Vec<&str> = lines.iter().flat_map(|l| l.split_whitespace()).collect();
        assert_eq!(words.join(" "), text);
        assert_eq!(wrap(text, None), [text]);
        assert_eq!(wrap("", Some(10)), [""]);
    }

    #[test]
    fn a_word_wider_than_the_limit_is_cut_before_a_number() {
        assert_eq!(
            wrap("layers_norm=12.5", Some(14)),
            ["layers_norm=", "  12.5"]
        );
        let lines = wrap("see /a/very/long/path/without/spaces now", Some(10));
        assert!(lines.iter().all(|line| width(line) <= 10), "{lines:?}");
    }
}
