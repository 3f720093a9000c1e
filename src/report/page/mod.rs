//! A report as a page: an order of parts of few kinds, which writers draw.
//!
//! A part holds what is meant (typed numbers, names, axes, events, a scale), never how it looks:
//! width, colour and ASCII belong to the text writer, lines and fonts to the writers of pictures.
//! Parts stand one after another; none holds another.

mod figure;
mod grid;
mod phrase;

pub use figure::{
    Axis, Band, Branch, Curve, CurveRole, Curves, Mark, Matrix, Plane, PlanePoint, Point, Scale,
    Segment, Shade, Share, Tree,
};
pub use grid::{Bond, Cell, Column, Grid, Kind};
pub use phrase::{Phrase, Piece, code, count, decimal, error, index, known, name, number, series};

pub(crate) use phrase::phrase;

use crate::warning::WarningCode;

/// What one command found, in the order in which it is read.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Page {
    /// What the page is about, e.g. `Intrinsic dimension`.
    pub title: Phrase,
    /// The parts, in order.
    pub parts: Vec<Part>,
    /// What a reader looks for, how it was made, and the warnings: the last lines of a table, and
    /// what a terminal shows on stderr while JSON or CSV goes elsewhere.
    pub closing: Notes,
}

/// One part of a page.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// Rows and columns of typed cells.
    Grid(Grid),
    /// Quantities along an axis, with errors and events; only pictures show it.
    Curves(Curves),
    /// Numbers of pairs, or of layers and heads, as shades.
    Matrix(Matrix),
    /// Groups that join at heights.
    Tree(Tree),
    /// Points on a plane; text shows its caption alone.
    Plane(Plane),
    /// Sentences.
    Notes(Notes),
}

/// Sentences that belong together.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Notes {
    /// Whether they begin something new, or belong to what stands above them.
    pub apart: bool,
    /// The sentences, in order.
    pub lines: Vec<Note>,
}

/// One sentence.
#[derive(Debug, Clone, PartialEq)]
pub enum Note {
    /// What was found.
    Line(Phrase),
    /// A quantity over layers, drawn small, with words about it.
    Series {
        /// What it is.
        label: Phrase,
        /// Its values; a gap where one does not exist.
        values: Vec<Option<f64>>,
        /// Words beside it; may be empty.
        words: Phrase,
    },
    /// How numbers were made and what their errors include; it stands back.
    Context(Phrase),
    /// A paragraph to be read at ease, whatever the width of the screen.
    Prose(Phrase),
    /// A warning.
    Warning {
        /// Its code.
        code: WarningCode,
        /// Its message.
        message: String,
        /// The layers that it concerns; empty for the run.
        layers: Vec<String>,
    },
}

impl Page {
    /// A page of `parts` that ends in `closing`.
    pub fn new(title: impl Into<Phrase>, parts: Vec<Part>, closing: Notes) -> Self {
        Self {
            title: title.into(),
            parts,
            closing,
        }
    }
}

impl From<Vec<Note>> for Notes {
    fn from(lines: Vec<Note>) -> Self {
        Self {
            apart: false,
            lines,
        }
    }
}

impl From<Grid> for Part {
    fn from(grid: Grid) -> Self {
        Self::Grid(grid)
    }
}
