//! JSON with two-space indentation and a newline at the end.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter, Serializer};

use super::text::is_unsafe;
use crate::report::zero;

/// `report` as pretty JSON; fields keep the order of their declaration.
pub(crate) fn pretty(report: &impl Serialize) -> String {
    without_hidden(written(report, PrettyFormatter::new()))
}

/// `line` as JSON on one line.
pub(super) fn line(line: &impl Serialize) -> String {
    without_hidden(written(line, CompactFormatter))
}

fn written(report: &impl Serialize, layout: impl Formatter) -> String {
    let mut bytes = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut bytes, UnsignedZero(layout));
    report
        .serialize(&mut serializer)
        .expect("reports have string keys and plain values");
    bytes.push(b'\n');
    String::from_utf8(bytes).expect("JSON is UTF-8")
}

/// A layout in which −0 is written as 0.
struct UnsignedZero<F>(F);

/// Passes what a layout decides on to it.
macro_rules! as_laid_out {
    ($($method:ident($($argument:ident: $type:ty),*)),* $(,)?) => {
        $(fn $method<W: ?Sized + Write>(
            &mut self,
            writer: &mut W,
            $($argument: $type),*
        ) -> io::Result<()> {
            self.0.$method(writer, $($argument),*)
        })*
    };
}

impl<F: Formatter> Formatter for UnsignedZero<F> {
    fn write_f32<W: ?Sized + Write>(&mut self, writer: &mut W, value: f32) -> io::Result<()> {
        self.0.write_f32(writer, value + 0.0)
    }

    fn write_f64<W: ?Sized + Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        self.0.write_f64(writer, zero::unsigned(value))
    }

    as_laid_out!(
        begin_array(),
        end_array(),
        begin_array_value(first: bool),
        end_array_value(),
        begin_object(),
        end_object(),
        begin_object_key(first: bool),
        end_object_key(),
        begin_object_value(),
        end_object_value(),
    );
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
    fn zero_has_no_sign_and_all_else_is_as_serde_json_writes_it() {
        assert_eq!(line(&[-0.0, 0.5, -1e-7]), "[0.0,0.5,-1e-7]\n");
        assert_eq!(line(&-0.0f32), "0.0\n");
        let mixed = serde_json::json!({"a": [1, {"b": [], "c": {}}], "d": null, "e": 0.1});
        let plain = serde_json::to_string_pretty(&mixed).unwrap();
        assert_eq!(pretty(&mixed), format!("{plain}\n"));
        assert_eq!(line(&mixed), format!("{mixed}\n"));
    }

    #[test]
    fn hidden_characters_are_escaped_and_read_back() {
        let name = "a\u{9b}b\u{202e}c\u{e0041}d\u{200b}é\n";
        let text = pretty(&[name]);
        assert!(!text.contains(hidden) && text.contains('é'), "{text}");
        let back: Vec<String> = serde_json::from_str(&text).unwrap();
        assert_eq!(back, [name]);
    }
}
