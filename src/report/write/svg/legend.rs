//! Draws legends, below the picture and never over its data.

use super::ink::{Hold, Ink};
use super::words;

/// The height of a line of the legend.
const LINE: f64 = 13.0;

/// How a meaning is shown.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Swatch {
    /// A stroke with these attributes.
    Stroke(String),
    /// A dot with these attributes.
    Dot(String),
}

/// One meaning.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub swatch: Swatch,
    pub label: String,
}

/// Most meanings that are listed. Of more, which differ by shade, some stand for all: the first,
/// the last and what lies evenly between them.
const MOST: usize = 16;

/// Draws the entries in lines between `left` and `right`, the first at `top`; gives the height.
pub(super) fn legend(ink: &mut Ink, entries: &[Entry], [left, right]: [f64; 2], top: f64) -> f64 {
    if entries.is_empty() {
        return 0.0;
    }
    let (mut x, mut y) = (left, top + 9.0);
    let shown = if entries.len() > MOST {
        MOST - 1
    } else {
        entries.len()
    };
    let places = (0..shown).map(|at| match shown < entries.len() {
        true => at * (entries.len() - 1) / (shown - 1),
        false => at,
    });
    for entry in places.map(|place| &entries[place]) {
        let label = words::elided(&entry.label, 9.0, right - left - 24.0);
        let width = 20.0 + words::width(&label, 9.0) + 10.0;
        if x > left && x + width > right + 10.0 {
            (x, y) = (left, y + LINE);
        }
        match &entry.swatch {
            Swatch::Stroke(attributes) => {
                ink.path(
                    &format!("M{} {}h14", super::ink::px(x), super::ink::px(y - 3.0)),
                    attributes,
                );
            }
            Swatch::Dot(attributes) => ink.circle([x + 8.0, y - 3.0], 3.5, attributes, None),
        }
        ink.text([x + 18.0, y], Hold::Start, "s", &label);
        x += width;
    }
    if shown < entries.len() {
        let more = format!("{shown} of {} are named", entries.len());
        if x + words::width(&more, 9.0) > right {
            (x, y) = (left, y + LINE);
        }
        ink.text([x, y], Hold::Start, "s q", &more);
    }
    y + 8.0 - top
}
