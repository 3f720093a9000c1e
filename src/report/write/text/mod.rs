//! Pages as text for a terminal: the only place that knows width, colour and ASCII.

mod fit;
mod grid;
mod heatmap;
mod names;
mod number;
mod sparkline;
mod spell;
mod style;
mod table;
mod tree;

pub(in crate::report) use self::fit::is_unsafe;
pub use self::fit::{safe_lines, safe_text};
pub use self::sparkline::sparkline;
pub use self::style::Style;

pub(super) use self::number::significant;
pub(super) use self::spell::plain;
pub(super) use self::tree::tree;

use self::heatmap::heatmap;
use self::spell::warning;
use self::style::Emphasis;
use crate::report::page::{Note, Notes, Page, Part};

/// Paragraphs are broken here even where the terminal is wider or there is none.
const LINE: usize = 100;

/// The whole page; no line is wider than `style.width`.
pub fn page(page: &Page, style: &Style) -> String {
    let mut out = String::new();
    for part in &page.parts {
        let drawn = match part {
            Part::Grid(found) => grid::grid(found, *style),
            Part::Matrix(matrix) => heatmap(matrix, *style),
            Part::Tree(found) => tree(found, *style),
            Part::Plane(plane) => plane
                .caption
                .iter()
                .flat_map(|caption| fit::wrap(&plain(caption, *style), style.width))
                .map(|line| line + "\n")
                .collect(),
            Part::Notes(found) => notes(found, *style),
            Part::Curves(_) => String::new(),
        };
        let belongs = matches!(part, Part::Notes(Notes { apart: false, .. }));
        if !out.is_empty() && !drawn.is_empty() && !belongs {
            out.push('\n');
        }
        out += &drawn;
    }
    if page.closing.apart && !out.is_empty() {
        out.push('\n');
    }
    out + &closing(page, style)
}

/// The last lines of the page.
pub fn closing(page: &Page, style: &Style) -> String {
    notes(&page.closing, *style)
}

/// The warnings among them, one a line of any width, behind `prefix`.
pub fn warnings(page: &Page, prefix: &str, style: &Style) -> String {
    let lines = page.closing.lines.iter().filter_map(|note| match note {
        Note::Warning {
            code,
            message,
            layers,
        } => Some(warning(*code, message, layers, *style)),
        _ => None,
    });
    lines.map(|line| format!("{prefix}{line}\n")).collect()
}

fn notes(notes: &Notes, style: Style) -> String {
    let lines = sentences(notes, style);
    lines.into_iter().map(|line| line + "\n").collect()
}

/// The notes as lines.
pub(super) fn sentences(notes: &Notes, style: Style) -> Vec<String> {
    notes
        .lines
        .iter()
        .flat_map(|one| note(one, style))
        .collect()
}

fn note(note: &Note, style: Style) -> Vec<String> {
    match note {
        Note::Line(phrase) => fit::wrap(plain(phrase, style).trim_end(), style.width),
        Note::Context(phrase) => fit::wrap(&plain(phrase, style), style.width)
            .into_iter()
            .map(|line| style.paint(&line, Emphasis::Faint))
            .collect(),
        Note::Prose(phrase) => {
            let limit = style.width.map_or(LINE, |width| width.min(LINE));
            fit::wrap(&plain(phrase, style), Some(limit))
        }
        Note::Series {
            label,
            values,
            words,
        } => {
            let line = format!("{}  {}", plain(label, style), sparkline(values, &style));
            let words = plain(words, style);
            let whole = format!("{line}   {words}");
            match style.width {
                Some(limit) if fit::width(whole.trim_end()) > limit => {
                    let label = plain(label, style);
                    let mut lines = match fit::width(&label) * 2 > limit {
                        true => {
                            let mut lines = fit::wrap(&label, style.width);
                            lines.extend(chunks(&sparkline(values, &style), limit));
                            lines
                        }
                        false => chunks(&line, limit),
                    };
                    lines.extend(fit::wrap(&words, style.width));
                    lines
                }
                _ => vec![whole.trim_end().to_owned()],
            }
        }
        Note::Warning {
            code,
            message,
            layers,
        } => fit::wrap(&warning(*code, message, layers, style), style.width),
    }
}

/// A sparkline longer than the terminal goes on in the next line.
fn chunks(line: &str, limit: usize) -> Vec<String> {
    let characters: Vec<char> = line.chars().collect();
    characters
        .chunks(limit.max(1))
        .map(|chunk| String::from_iter(chunk).trim_end().to_owned())
        .collect()
}
