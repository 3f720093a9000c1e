//! One quantity over layers, and which one of a file is meant.

use super::select::layer_place;
use crate::Result;

/// Positions closer than this share of the whole extent are one position.
const CLOSEST: f64 = 1e-12;

/// Values from here on are too large for differences and sums; like non-finite ones they are no
/// values.
pub(crate) const TOO_LARGE: f64 = 1e150;

/// One value a layer (or checkpoint), in order; a layer without one is a gap that keeps its place.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Series {
    names: Vec<String>,
    values: Vec<Option<f64>>,
    /// Standard errors, one a value; empty where there are none.
    errors: Vec<Option<f64>>,
    positions: Option<Vec<f64>>,
}

impl Series {
    /// Named values in order, at positions 0, 1, 2, …; NaN, infinity and
    /// anything beyond 1e150 are gaps.
    pub fn new<N: Into<String>>(values: impl IntoIterator<Item = (N, Option<f64>)>) -> Self {
        let (names, values) = values
            .into_iter()
            .map(|(name, value)| (name.into(), value.filter(|value| value.abs() < TOO_LARGE)))
            .unzip();
        Self {
            names,
            values,
            errors: Vec::new(),
            positions: None,
        }
    }

    /// The same values with their standard errors; none where no error is known.
    ///
    /// # Panics
    /// If there is not one error a value.
    #[must_use]
    pub fn with_errors(self, errors: Vec<Option<f64>>) -> Self {
        assert_eq!(errors.len(), self.len(), "one error a value");
        let errors: Vec<Option<f64>> = errors
            .into_iter()
            .map(|error| error.filter(|error| error.is_finite() && *error >= 0.0))
            .collect();
        let known = errors.iter().any(Option::is_some);
        Self {
            errors: if known { errors } else { Vec::new() },
            ..self
        }
    }

    /// Other values at the same layers and positions, without errors.
    #[must_use]
    pub(crate) fn with_values(&self, values: Vec<Option<f64>>) -> Self {
        Self {
            values,
            errors: Vec::new(),
            ..self.clone()
        }
    }

    /// The same values at positions of the user: real layer numbers, epochs, steps.
    ///
    /// `None` unless there is one finite position a value, each above the one before by more than
    /// rounding.
    pub fn with_positions(self, positions: Vec<f64>) -> Option<Self> {
        let extent = match (positions.first(), positions.last()) {
            (Some(first), Some(last)) => last - first,
            _ => 0.0,
        };
        let ascending = positions
            .windows(2)
            .all(|pair| pair[1] - pair[0] > CLOSEST * extent);
        let finite = extent.is_finite() && positions.iter().all(|position| position.is_finite());
        (positions.len() == self.len() && finite && ascending).then_some(Self {
            positions: Some(positions),
            ..self
        })
    }

    /// Number of layers, gaps included.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there are no layers at all.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Names of the layers, as given.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The values; `None` is a gap.
    pub fn values(&self) -> &[Option<f64>] {
        &self.values
    }

    /// Standard errors of the values; empty where there are none.
    pub fn errors(&self) -> &[Option<f64>] {
        &self.errors
    }

    /// Whether the user gave positions; otherwise the index is the position.
    pub fn has_positions(&self) -> bool {
        self.positions.is_some()
    }

    /// Position of a layer: the user's, or its index.
    ///
    /// # Panics
    /// If `index` is not below [`Series::len`].
    pub fn position(&self, index: usize) -> f64 {
        match &self.positions {
            Some(positions) => positions[index],
            None => index as f64,
        }
    }

    /// (x − x_first)/(x_last − x_first), which is index/(L − 1) without positions of the user;
    /// 0 for a single layer.
    ///
    /// # Panics
    /// If `index` is not below [`Series::len`].
    pub fn relative_depth(&self, index: usize) -> f64 {
        let first = self.position(0);
        let extent = self.position(self.len() - 1) - first;
        if extent > 0.0 {
            (self.position(index) - first) / extent
        } else {
            0.0
        }
    }

    /// The one layer that `text` means by name or index, as [`layer_place`] has it; `flag` is what
    /// it was given to.
    ///
    /// # Errors
    /// As [`layer_place`].
    pub fn find(&self, text: &str, flag: &str) -> Result<usize> {
        let names: Vec<&str> = self.names.iter().map(String::as_str).collect();
        layer_place(&names, text, flag)
    }
}

/// Which series of a file is meant; what is `None` is left to the reader.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SeriesChoice {
    /// `--quantity`: the quantity of a report, e.g. `id`.
    pub quantity: Option<String>,
    /// `--variant`: how it was computed, e.g. `two_nn_base`.
    pub variant: Option<String>,
    /// `--scale`: its neighbour order n1, k or chunk width.
    pub scale: Option<usize>,
    /// `--other`: the second layer or the label column.
    pub other: Option<String>,
    /// `--run`: the run, where a CSV is over several.
    pub run: Option<String>,
    /// `--layer`: follow this layer over the runs of a CSV.
    pub layer: Option<String>,
    /// `--column`: the column of values of a plain CSV.
    pub column: Option<String>,
    /// `--std-error`: the column of standard errors of a plain CSV; without it the column that is
    /// called as that of the values with `_std_error` behind it, or `std_error`, if any.
    pub std_error: Option<String>,
    /// `--x`: the column of positions of a plain CSV; without it a column called `x`, if any.
    pub x: Option<String>,
}

impl SeriesChoice {
    /// Whether it names columns, which only a table that is no report has names for.
    pub(crate) fn names_columns(&self) -> bool {
        self.column.is_some() || self.std_error.is_some() || self.x.is_some()
    }

    /// Whether it chooses among the series of a report, which no other table has.
    pub(crate) fn is_of_report(&self) -> bool {
        let texts = [
            &self.quantity,
            &self.variant,
            &self.other,
            &self.run,
            &self.layer,
        ];
        self.scale.is_some() || texts.into_iter().any(Option::is_some)
    }
}

/// A series as it was found in a file.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SeriesFile {
    /// The series.
    pub series: Series,
    /// The same quantity in parts of the rows, where a JSON report holds them.
    pub parts: Vec<Series>,
    /// The quantity of a report, or the column of a plain CSV.
    pub quantity: String,
    /// How it was computed; empty if the file does not say.
    pub variant: String,
    /// Neighbour order n1, k or chunk width; `None` where it differs between layers.
    pub scale: Option<usize>,
    /// The second layer or the label column; empty if there is none.
    pub other: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gapped() -> Series {
        Series::new([("a", Some(1.0)), ("b", None), ("2", Some(f64::NAN))])
    }

    #[test]
    fn numbers_that_are_none_are_gaps() {
        assert_eq!(gapped().values(), [Some(1.0), None, None]);
    }

    #[test]
    fn depth_follows_positions_where_there_are_any() {
        assert!((gapped().relative_depth(1) - 0.5).abs() < 1e-15);
        let placed = gapped().with_positions(vec![10.0, 11.0, 20.0]).unwrap();
        assert!((placed.relative_depth(1) - 0.1).abs() < 1e-15);
        let single = Series::new([("only", Some(1.0))]);
        assert!(single.relative_depth(0).abs() < 1e-15);
    }

    #[test]
    fn positions_must_ascend_and_be_one_a_layer() {
        for positions in [
            vec![0.0, 1.0],
            vec![0.0, 2.0, 2.0],
            vec![0.0, f64::NAN, 2.0],
            vec![0.0, 1.0, f64::INFINITY],
        ] {
            assert_eq!(gapped().with_positions(positions), None);
        }
    }

    #[test]
    fn a_layer_is_found_by_name_or_index() {
        let find = |text| gapped().find(text, "--bottleneck").ok();
        assert_eq!(find("b"), Some(1));
        assert_eq!(find("-1"), Some(2));
        assert_eq!(find("1"), Some(1));
        assert_eq!(find("3"), None);
    }
}
