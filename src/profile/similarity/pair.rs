//! One measure of one pair, as it is reported.

use super::neighbour_values::NeighbourValues;
use super::options::SimilarityOptions;
use super::shape::{Null, Parts, SimilarityPair, SimilarityValue};
use crate::geometry::id::ErrorKind;
use crate::geometry::permutation::PValue;
use crate::geometry::similarity::{Measure, PairValue};
use crate::geometry::stats::{mean, std_dev};
use crate::profile::compare::ComparedLayer;

/// The two layers of a pair.
pub(super) struct Ends<'a> {
    /// The dump of the second, where several are ranked.
    pub source: Option<String>,
    /// The first.
    pub a: &'a ComparedLayer,
    /// The second.
    pub b: &'a ComparedLayer,
    /// Whether rows were permuted in every order there is.
    pub all_orders: bool,
}

impl Ends<'_> {
    /// What was found of a pair, and in parts of the rows.
    pub fn pair(
        &self,
        measure: &'static Measure,
        found: &PairValue,
        parts: Option<Parts>,
    ) -> SimilarityPair {
        // Canonical correlations grow as rows get fewer: parts say nothing of the whole.
        let by_parts = parts
            .as_ref()
            .filter(|_| measure.parts_tell_error)
            .and_then(|parts| {
                let values: Option<Vec<f64>> = parts.values.iter().copied().collect();
                let values = values?;
                Some(std_dev(&values)? / (values.len() as f64).sqrt())
            });
        let error = found
            .error
            .or(by_parts.map(|error| (error, ErrorKind::Partitions)));
        let outcome = found.value.map(|value| SimilarityValue {
            value,
            std_error: error.map(|(error, _)| error),
            error_kind: error.map(|(_, kind)| kind),
        });
        let value = found.value.ok();
        SimilarityPair {
            source: self.source.clone(),
            a: self.a.place(),
            b: self.b.place(),
            measure,
            n: found.n,
            outcome: outcome.into(),
            backward: found.backward,
            chance: found.chance,
            mean_squared: found.mean_squared,
            dimensions: found.dimensions,
            partitions: parts,
            null: value.and_then(|value| null(measure, value, &found.permuted, self.all_orders)),
        }
    }

    /// The same of a measure of neighbours, pair number `at`.
    pub fn by_neighbours(
        &self,
        found: &NeighbourValues,
        at: usize,
        options: &SimilarityOptions,
    ) -> SimilarityPair {
        let parts = options.partitions.map(|_| Parts {
            n: found.part_n,
            values: Vec::new(),
            mean: found.part_means[at],
        });
        SimilarityPair {
            partitions: parts,
            null: found.nulls[at].clone(),
            ..self.pair(found.measure, &found.found[at], None)
        }
    }
}

/// How far `value` lies from what permuted rows give.
fn null(measure: &Measure, value: f64, permuted: &[f64], all_orders: bool) -> Option<Null> {
    Some(Null {
        mean: mean(permuted)?,
        std_dev: std_dev(permuted),
        p: PValue::of(value, permuted, measure.is_distance, all_orders)?,
    })
}
