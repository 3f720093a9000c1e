//! The layers to compare, and one value of one pair of them.

use super::measure::Measure;
use super::options::SimilarityOptions;
use crate::geometry::Reason;
use crate::input::Matrix;

/// One measure of one pair.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PairValue {
    /// The number, or why there is none.
    pub value: Result<f64, Reason>,
    /// The number in the other direction.
    pub backward: Option<f64>,
    /// What chance gives.
    pub chance: Option<f64>,
    /// Of canonical correlations.
    pub mean_squared: Option<f64>,
    /// Of the two spaces.
    pub dimensions: Option<[usize; 2]>,
    /// Whether some canonical correlations are 1 whatever the data.
    pub wide: bool,
    /// Rows.
    pub n: usize,
    /// An error that the measure brings along, and its kind.
    pub error: Option<(f64, &'static str)>,
    /// The number for every permutation of rows.
    pub permuted: Vec<f64>,
}

impl PairValue {
    /// A number over `n` rows, with its permutations.
    pub fn new(value: Result<f64, Reason>, n: usize, permuted: Vec<f64>) -> Self {
        Self {
            value,
            backward: None,
            chance: None,
            mean_squared: None,
            dimensions: None,
            wide: false,
            n,
            error: None,
            permuted,
        }
    }
}

/// Layers over common rows, and which of them are compared.
pub(super) struct Subject<'a> {
    /// Row r of each is the same sample.
    pub matrices: &'a [Matrix],
    /// Pairs of positions among them.
    pub pairs: &'a [(usize, usize)],
    /// Orders of the rows of the second layer, for a null.
    pub permutations: &'a [Vec<u32>],
    /// What to compute, and how.
    pub options: &'a SimilarityOptions,
}

impl Subject<'_> {
    /// N.
    pub fn n_rows(&self) -> usize {
        self.matrices.first().map_or(0, Matrix::n_rows)
    }

    /// Whether one of `measures` is wanted.
    pub fn wants(&self, measures: &[Measure]) -> bool {
        measures
            .iter()
            .any(|one| self.options.measures.contains(one))
    }
}
