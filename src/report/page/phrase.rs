//! A phrase of typed pieces: words of ours, names of others, numbers with their digits.

use std::borrow::Cow;

use crate::geometry::Reason;

/// Words and numbers in order; each writer spells them in its own way.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Phrase(pub Vec<Piece>);

/// One piece of a [`Phrase`].
#[derive(Debug, Clone, PartialEq)]
pub enum Piece {
    /// Words of repgeo. They may hold `±`, `→`, `Δ`, `²`, `≥`, `×`, `│` and `●`, which plain text
    /// spells in ASCII.
    Words(Cow<'static, str>),
    /// A name that somebody else chose: a layer, a file, a label. It may hold anything.
    Name(String),
    /// A number and how many of its digits are worth showing.
    Number {
        /// The number.
        value: f64,
        /// Significant digits.
        digits: usize,
    },
    /// A number with a fixed number of decimals: a depth, a share.
    Decimal {
        /// The number.
        value: f64,
        /// Digits after the point.
        places: usize,
    },
    /// How many.
    Count(usize),
    /// Which one, from 0.
    Index(usize),
    /// A size in bytes.
    Bytes(u64),
    /// A number that does not exist.
    Absent,
    /// Why a number does not exist.
    Code(Reason),
    /// A quantity over layers or scales, drawn small; a gap where it does not exist.
    Series(Vec<Option<f64>>),
}

impl Phrase {
    /// Whether there is nothing to read.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// This phrase, then `more`.
    #[must_use]
    pub fn then(mut self, more: impl Into<Self>) -> Self {
        self.0.extend(more.into().0);
        self
    }

    /// `phrases` with `between` between each two.
    pub fn join(phrases: impl IntoIterator<Item = Self>, between: &'static str) -> Self {
        let mut joined = Self::default();
        for (at, phrase) in phrases.into_iter().enumerate() {
            if at > 0 {
                joined.0.push(between.into());
            }
            joined.0.extend(phrase.0);
        }
        joined
    }

    /// The first number of the phrase: what a table sorts by.
    pub fn value(&self) -> Option<f64> {
        self.0.iter().find_map(|piece| match piece {
            Piece::Number { value, .. } | Piece::Decimal { value, .. } => Some(*value),
            Piece::Count(n) | Piece::Index(n) => Some(*n as f64),
            Piece::Bytes(n) => Some(*n as f64),
            _ => None,
        })
    }
}

/// A phrase of everything between the brackets, in order.
macro_rules! phrase {
    ($($piece:expr),* $(,)?) => {
        $crate::report::page::Phrase::default()$(.then($piece))*
    };
}

pub(crate) use phrase;

impl From<&'static str> for Piece {
    fn from(words: &'static str) -> Self {
        Self::Words(words.into())
    }
}

impl From<&'static str> for Phrase {
    fn from(words: &'static str) -> Self {
        match words {
            "" => Self::default(),
            _ => Piece::from(words).into(),
        }
    }
}

impl From<String> for Phrase {
    fn from(words: String) -> Self {
        Piece::Words(words.into()).into()
    }
}

impl From<Piece> for Phrase {
    fn from(piece: Piece) -> Self {
        Self(vec![piece])
    }
}

impl<T: Into<Self>> From<Option<T>> for Phrase {
    fn from(phrase: Option<T>) -> Self {
        phrase.map_or_else(Self::default, Into::into)
    }
}

/// A name that somebody else chose.
pub fn name(name: impl Into<String>) -> Piece {
    Piece::Name(name.into())
}

/// A number with this many significant digits.
pub fn number(value: f64, digits: usize) -> Piece {
    Piece::Number { value, digits }
}

/// A number with this many significant digits, or that it does not exist.
pub fn known(value: Option<f64>, digits: usize) -> Piece {
    value.map_or(Piece::Absent, |value| number(value, digits))
}

/// A standard error or spread, to the two digits that one is worth; nothing where there is none.
pub fn error(value: Option<f64>) -> Option<Piece> {
    value.map(|value| number(value, 2))
}

/// A number with this many decimals.
pub fn decimal(value: f64, places: usize) -> Piece {
    Piece::Decimal { value, places }
}

/// How many.
pub fn count(n: usize) -> Piece {
    Piece::Count(n)
}

/// Which one.
pub fn index(n: usize) -> Piece {
    Piece::Index(n)
}

/// Why a number does not exist; nothing where it does.
pub fn code(reason: Option<Reason>) -> Option<Piece> {
    reason.map(Piece::Code)
}

/// A quantity drawn small.
pub fn series(values: impl IntoIterator<Item = Option<f64>>) -> Piece {
    Piece::Series(values.into_iter().collect())
}
