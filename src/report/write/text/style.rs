//! Describes what the terminal can show.

/// How text for people is drawn. The decisions (`--ascii`, `NO_COLOR`, is it a terminal, how wide)
/// are made in `cli`; the default is plain Unicode without colour or limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Style {
    /// Only ASCII characters.
    pub ascii: bool,
    /// Bold and faint text through ANSI escapes.
    pub colour: bool,
    /// Columns of the terminal; `None` for no limit.
    pub width: Option<usize>,
}

/// How much a piece of text stands out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Emphasis {
    #[default]
    Plain,
    Bold,
    Faint,
}

impl Style {
    /// Stands where a number does not exist.
    pub(super) fn dash(self) -> &'static str {
        if self.ascii { "-" } else { "—" }
    }

    /// Stands for the characters left out of a long name.
    pub(super) fn ellipsis(self) -> &'static str {
        if self.ascii { ".." } else { "…" }
    }

    /// `text` as it is sent to the terminal.
    pub(super) fn paint(self, text: &str, emphasis: Emphasis) -> String {
        match emphasis {
            Emphasis::Bold if self.colour => format!("\x1b[1m{text}\x1b[0m"),
            Emphasis::Faint if self.colour => format!("\x1b[2m{text}\x1b[0m"),
            _ => text.to_owned(),
        }
    }
}
