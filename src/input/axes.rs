//! Says which axis of an array is which, as typed after `--axes`, and turns arrays to fit.

use std::fmt;
use std::str::FromStr;

use super::entry::Entry;
use crate::{Error, Result};

/// The meaning of each axis of stored arrays, a letter each: `LND`, `NLD`, `LNTD`, `NHWC`, …
///
/// L is the layer, N the row, T the token, D the column; C, H and W are channel, height and width.
/// Without N every array is one row: one prompt a file, stacked by [`Join::Rows`](super::Join).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Axes(Vec<Axis>);

/// One axis; their order is the order in which layers are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Axis {
    Layer,
    Row,
    Token,
    Channel,
    Height,
    Width,
    Column,
}

const LETTERS: [(char, Axis); 7] = [
    ('L', Axis::Layer),
    ('N', Axis::Row),
    ('T', Axis::Token),
    ('C', Axis::Channel),
    ('H', Axis::Height),
    ('W', Axis::Width),
    ('D', Axis::Column),
];

impl FromStr for Axes {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let usage = |fact: &str| {
            Error::Usage(format!(
                "--axes {text:?}: {fact}; give a letter for each axis, such as LND, NLD, LNTD or \
                 NHWC: L layer, N row, T token, D column, C channel, H height, W width"
            ))
        };
        let mut axes = Vec::new();
        for letter in text.chars() {
            let known = LETTERS
                .iter()
                .find(|(known, _)| *known == letter.to_ascii_uppercase());
            let (_, axis) = known.ok_or_else(|| usage(&format!("{letter:?} is no axis")))?;
            if axes.contains(axis) {
                return Err(usage(&format!("{letter:?} stands twice")));
            }
            axes.push(*axis);
        }
        let has = |axis| axes.contains(&axis);
        let pixels = [Axis::Channel, Axis::Height, Axis::Width].map(has);
        match (has(Axis::Column), pixels) {
            (true, [false, false, false]) => {}
            (false, [true, true, true]) if !has(Axis::Token) => {}
            _ => return Err(usage("columns are D, or C, H and W")),
        }
        if !has(Axis::Row) && !has(Axis::Token) && !has(Axis::Layer) {
            return Err(usage("there is no N for the rows"));
        }
        Ok(Self(axes))
    }
}

impl fmt::Display for Axes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letter = |axis: &Axis| LETTERS.iter().find(|(_, known)| known == axis);
        let letters: String = self.0.iter().filter_map(letter).map(|(l, _)| *l).collect();
        f.write_str(&letters)
    }
}

impl Axes {
    /// How many axes arrays must have.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether arrays hold several layers.
    pub(crate) fn has_layers(&self) -> bool {
        self.0.contains(&Axis::Layer)
    }

    /// Whether each array is one row.
    pub(crate) fn is_one_row(&self) -> bool {
        !self.0.contains(&Axis::Row)
    }

    /// The layers of an array: views of it with axes `[N, D]`, `[N, T, D]` or `[N, C, H, W]`.
    ///
    /// # Errors
    /// [`Error::Unsupported`] if it has another number of axes.
    pub(crate) fn split(&self, entry: &Entry) -> Result<Vec<Entry>> {
        if entry.shape.len() != self.len() {
            let fact = format!("shape {:?}", entry.shape);
            let remedy = format!(
                "--axes {self} needs {} axes; leave arrays of another kind out with --layers, or \
                 name one as FILE#NAME",
                self.len()
            );
            return Err(entry.unsupported(fact, remedy));
        }
        let mut axes: Vec<(Axis, usize, usize)> = self
            .0
            .iter()
            .zip(&entry.shape)
            .zip(&entry.strides)
            .map(|((&axis, &n), &stride)| (axis, n, stride))
            .collect();
        if self.is_one_row() {
            axes.push((Axis::Row, 1, 0));
        }
        axes.sort_unstable();
        let layers = match axes[0] {
            (Axis::Layer, n, stride) => {
                axes.remove(0);
                (0..n).map(|layer| layer * stride).collect()
            }
            _ => vec![0],
        };
        let view = |before: usize| Entry {
            shape: axes.iter().map(|(_, n, _)| *n).collect(),
            strides: axes.iter().map(|(_, _, stride)| *stride).collect(),
            origin: entry.origin + before,
            ..entry.clone()
        };
        Ok(layers.into_iter().map(view).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_checked() {
        for good in ["LND", "NLD", "nltd", "TLD", "NHWC", "ND", "LNCHW", "LD"] {
            assert!(good.parse::<Axes>().is_ok(), "{good}");
        }
        for (bad, fact) in [
            ("LNX", "'X' is no axis"),
            ("LNN", "stands twice"),
            ("LN", "columns are D"),
            ("NHC", "columns are D"),
            ("D", "no N"),
            ("", "columns are D"),
        ] {
            let error = bad.parse::<Axes>().unwrap_err().to_string();
            assert!(error.contains(fact), "{bad}: {error}");
        }
        assert_eq!("nltd".parse::<Axes>().unwrap().to_string(), "NLTD");
    }
}
