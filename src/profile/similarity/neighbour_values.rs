//! Values of the measures that search for neighbours, and what they are searched in.

use super::options::SimilarityOptions;
use super::shape::Null;
use crate::error::Result;
use crate::geometry::similarity::{Measure, PairValue};
use crate::profile::bench::Bench;
use crate::profile::compare::Comparison;
use crate::warning::Warning;

/// The layers whose neighbours are compared, and how they are sought.
pub(super) struct Searched<'a> {
    pub comparison: &'a Comparison<'a>,
    pub options: &'a SimilarityOptions,
    pub bench: &'a Bench<'a>,
}

/// Computes a measure of neighbours, pair by pair of `options.target`.
pub(super) type BySearch = fn(&Searched<'_>, &mut Vec<Warning>) -> Result<NeighbourValues>;

/// What was found, and the means over parts where parts were asked for.
pub(super) struct NeighbourValues {
    pub measure: &'static Measure,
    pub found: Vec<PairValue>,
    pub part_means: Vec<Option<f64>>,
    /// What permuted rows give, where that was asked for and there is such a thing.
    pub nulls: Vec<Option<Null>>,
    /// Rows of the smallest part.
    pub part_n: usize,
}

impl Searched<'_> {
    /// Rows of the smallest part.
    pub fn part_n(&self) -> usize {
        self.comparison.n_rows() / self.options.partitions.unwrap_or(1).max(1)
    }

    /// Neighbours of `measure`: those asked for, or its custom.
    pub fn k(&self, measure: &Measure) -> usize {
        self.options.k.unwrap_or(measure.k)
    }
}
