//! A part on paper: its title, its height, its ink.

use super::ink::{Hold, Ink};
use super::words;

/// The width of every picture: a column of a paper at three quarters of its size.
pub(super) const WIDTH: f64 = 360.0;

/// What a part becomes on paper.
pub(super) struct Drawing {
    pub title: String,
    pub description: String,
    pub kind: &'static str,
    pub height: f64,
    pub ink: Ink,
}

/// The title above a picture; gives where the picture begins.
pub(super) fn heading(ink: &mut Ink, title: &str) -> f64 {
    let lines = words::wrapped(title, 11.5, WIDTH - 8.0);
    for (at, line) in lines.iter().enumerate() {
        ink.text([4.0, 13.0 + 13.0 * at as f64], Hold::Start, "h", line);
    }
    13.0 * lines.len() as f64 + 10.0
}
