//! A grid of typed cells under headed columns.

use super::Phrase;

/// Rows and columns.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Grid {
    /// What it shows, where a page has several of a kind.
    pub title: Option<Phrase>,
    /// The columns.
    pub columns: Vec<Column>,
    /// The rows, each with one cell a column.
    pub rows: Vec<Vec<Cell>>,
}

/// One column of a [`Grid`].
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Its head.
    pub header: Phrase,
    /// What its cells hold.
    pub kind: Kind,
    /// How closely it belongs to the column before it.
    pub bond: Bond,
    /// Whether it may be left out where there is no room for all.
    pub spare: bool,
}

/// What the cells of a column hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Words and names.
    Words,
    /// Numbers, which align on their point.
    Number,
    /// Sizes in bytes.
    Bytes,
}

/// How closely a column belongs to the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bond {
    /// It is a quantity of its own.
    Apart,
    /// It says more about the column before it: its error, its chance level.
    Near,
    /// It is part of what stands before it.
    Tight,
}

/// One cell of a [`Grid`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Cell {
    /// What it holds; nothing where there is nothing to say.
    pub phrase: Phrase,
    /// Whether a reader looks for this cell, e.g. the peak.
    pub marked: bool,
}

impl Column {
    /// A column of words.
    pub fn words(header: impl Into<Phrase>) -> Self {
        Self {
            header: header.into(),
            kind: Kind::Words,
            bond: Bond::Apart,
            spare: false,
        }
    }

    /// A column of numbers.
    pub fn number(header: impl Into<Phrase>) -> Self {
        Self {
            kind: Kind::Number,
            ..Self::words(header)
        }
    }

    /// A column of sizes in bytes.
    pub fn bytes(header: impl Into<Phrase>) -> Self {
        Self {
            kind: Kind::Bytes,
            ..Self::words(header)
        }
    }

    /// The standard errors of the numbers in the column before it.
    pub fn error() -> Self {
        Self::number("±").near()
    }

    /// The standard deviations of what the column before it is the mean of: never under one heading
    /// with errors.
    pub fn spread() -> Self {
        Self::number("sd").near()
    }

    /// The same column as more about the one before it.
    #[must_use]
    pub fn near(self) -> Self {
        Self {
            bond: Bond::Near,
            ..self
        }
    }

    /// The same column as part of the one before it.
    #[must_use]
    pub fn tight(self) -> Self {
        Self {
            bond: Bond::Tight,
            ..self
        }
    }

    /// The same column, which may be left out where there is no room.
    #[must_use]
    pub fn spare(self) -> Self {
        Self {
            spare: true,
            ..self
        }
    }
}

impl Cell {
    /// A cell that a reader looks for.
    pub fn marked(phrase: impl Into<Phrase>) -> Self {
        Self {
            phrase: phrase.into(),
            marked: true,
        }
    }
}

impl<T: Into<Phrase>> From<T> for Cell {
    fn from(phrase: T) -> Self {
        Self {
            phrase: phrase.into(),
            marked: false,
        }
    }
}

impl Grid {
    /// A grid without rows.
    pub fn new(columns: Vec<Column>) -> Self {
        Self {
            title: None,
            columns,
            rows: Vec::new(),
        }
    }

    /// Adds a row; cells that are missing at its end stay empty.
    pub fn push(&mut self, mut row: Vec<Cell>) {
        row.resize_with(self.columns.len(), Cell::default);
        self.rows.push(row);
    }
}
