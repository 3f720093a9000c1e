//! JSON with two-space indentation and a newline at the end.

use serde::Serialize;

use super::text::is_unsafe;

/// `report` as pretty JSON; fields keep the order of their declaration.
pub(crate) fn pretty(report: &impl Serialize) -> String {
    let mut text =
        serde_json::to_string_pretty(report).expect("reports have string keys and plain values");
    text.push('\n');
    without_hidden(text)
}

/// `line` as JSON on one line.
pub(super) fn line(line: &impl Serialize) -> String {
    let mut text = serde_json::to_string(line).expect("lines have string keys and plain values");
    text.push('\n');
    without_hidden(text)
}

fn without_hidden(text: String) -> String {
    if text.contains(hidden) {
        escaped(&text)
    } else {
        text
    }
}

/// What JSON lets pass in strings and a terminal should not see.
fn hidden(character: char) -> bool {
    character != '\n' && is_unsafe(character)
}

/// The same JSON with such characters as `\uXXXX`; they stand in strings only.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if hidden(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                out += &format!("\\u{unit:04x}");
            }
        } else {
            out.push(character);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_characters_are_escaped_and_read_back() {
        let name = "a\u{9b}b\u{202e}c\u{e0041}d\u{200b}é\n";
        let text = pretty(&[name]);
        assert!(!text.contains(hidden) && text.contains('é'), "{text}");
        let back: Vec<String> = serde_json::from_str(&text).unwrap();
        assert_eq!(back, [name]);
    }
}
