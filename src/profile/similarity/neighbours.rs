//! Information imbalance and neighbour overlap among the measures.

use super::measure::Measure;
use super::options::SimilarityOptions;
use super::shape::Null;
use super::subject::PairValue;
use crate::error::Result;
use crate::geometry::Reason;
use crate::profile::bench::Bench;
use crate::profile::compare::Comparison;
use crate::profile::imbalance::{ImbalanceOptions, imbalance};
use crate::profile::overlap::{OverlapOptions, overlap};
use crate::warning::Warning;

/// Neighbours of the imbalance where nothing was asked for.
pub(super) const IMBALANCE_K: usize = 1;

/// Neighbours of the overlap where nothing was asked for.
pub(super) const OVERLAP_K: usize = 30;

/// What was found, and the means over parts where parts were asked for.
pub(super) struct NeighbourValues {
    pub measure: Measure,
    pub found: Vec<PairValue>,
    pub part_means: Vec<Option<f64>>,
    /// What permuted rows give, where that was asked for and there is such a thing.
    pub nulls: Vec<Option<Null>>,
    /// Rows of the smallest part.
    pub part_n: usize,
}

/// The wanted measures of neighbours, in the order of the pairs of `options.target`.
pub(super) fn neighbour_values(
    comparison: &Comparison<'_>,
    options: &SimilarityOptions,
    bench: &Bench<'_>,
    warnings: &mut Vec<Warning>,
) -> Result<Vec<NeighbourValues>> {
    let mut all = Vec::new();
    let part_n = comparison.n_rows() / options.partitions.unwrap_or(1).max(1);
    if options.measures.contains(&Measure::Imbalance) {
        let asked = ImbalanceOptions {
            target: options.target.clone(),
            k: vec![options.k.unwrap_or(IMBALANCE_K)],
            partitions: options.partitions,
            shuffle: options.permutations,
            seed: options.seed,
            ..ImbalanceOptions::default()
        };
        let profile = imbalance(comparison, &asked, bench)?;
        warnings.extend(profile.warnings);
        let found = profile.pairs.iter().map(|pair| {
            let parts = pair.partitions.as_ref();
            let error = match parts.and_then(|parts| parts.std_error_forward) {
                Some(error) => Some((error, "partitions")),
                None => pair.std_error_forward.map(|error| (error, pair.error_kind)),
            };
            PairValue {
                backward: pair.backward,
                chance: Some(1.0),
                error,
                ..PairValue::new(outcome(pair.forward, pair.reason), pair.n, Vec::new())
            }
        });
        all.push(NeighbourValues {
            measure: Measure::Imbalance,
            found: found.collect(),
            part_means: profile
                .pairs
                .iter()
                .map(|pair| pair.partitions.as_ref()?.forward)
                .collect(),
            nulls: profile
                .pairs
                .iter()
                .map(|pair| {
                    let [forward, _] = pair.shuffle.as_ref()?;
                    Some(Null {
                        mean: forward.mean,
                        std_dev: forward.std,
                        p_value: forward.p_value,
                    })
                })
                .collect(),
            part_n,
        });
    }
    if options.measures.contains(&Measure::Overlap) {
        let asked = OverlapOptions {
            target: Some(options.target.clone()),
            k: vec![options.k.unwrap_or(OVERLAP_K)],
            partitions: options.partitions,
            seed: options.seed,
            ..OverlapOptions::default()
        };
        let profile = overlap(comparison, &asked, bench)?;
        warnings.extend(profile.warnings);
        let found = profile.pairs.iter().map(|pair| PairValue {
            chance: pair.chance,
            error: pair.std_error.map(|error| (error, pair.error_kind)),
            ..PairValue::new(outcome(pair.value, pair.reason), pair.n, Vec::new())
        });
        all.push(NeighbourValues {
            measure: Measure::Overlap,
            found: found.collect(),
            part_means: profile
                .pairs
                .iter()
                .map(|pair| pair.partitions_mean)
                .collect(),
            // Chance is known exactly.
            nulls: vec![None; profile.pairs.len()],
            part_n,
        });
    }
    Ok(all)
}

fn outcome(value: Option<f64>, reason: Option<Reason>) -> std::result::Result<f64, Reason> {
    value.ok_or(reason.unwrap_or(Reason::TooFewRows))
}
