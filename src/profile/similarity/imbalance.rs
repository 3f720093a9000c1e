//! Information imbalance among the measures.

use super::neighbour_values::{NeighbourValues, Searched};
use super::shape::Null;
use crate::error::Result;
use crate::geometry::id::ErrorKind;
use crate::geometry::relation::floor;
use crate::geometry::similarity::{Measure, PairValue, Setting, Values};
use crate::profile::imbalance::{ImbalanceOptions, imbalance};
use crate::profile::resample::Partitioning;
use crate::warning::Warning;

/// Information imbalance Δ; as a similarity 1 − Δ.
pub(super) static IMBALANCE: Measure = Measure {
    is_distance: true,
    is_directed: true,
    as_similarity: |value| 1.0 - value,
    of_itself: floor,
    uses: &[Setting::Metric, Setting::Neighbours],
    k: 1,
    ..Measure::similarity(
        ["information_imbalance", "imbalance"],
        "Information imbalance",
        Values::Neighbours,
    )
};

/// The imbalance of every pair, in both directions.
pub(super) fn by_search(
    searched: &Searched<'_>,
    warnings: &mut Vec<Warning>,
) -> Result<NeighbourValues> {
    let options = searched.options;
    let asked = ImbalanceOptions {
        target: options.target.clone(),
        k: vec![searched.k(&IMBALANCE)],
        partitioning: options.partitions.map(Partitioning::random),
        shuffle: options.permutations,
        seed: options.seed,
    };
    let profile = imbalance(searched.comparison, &asked, searched.bench)?;
    warnings.extend(profile.warnings);
    let found = profile.pairs.iter().map(|pair| {
        let (parts, both) = (pair.partitions.as_ref(), pair.outcome.ok());
        let error = match parts.and_then(|parts| parts.std_error_forward) {
            Some(error) => Some((error, ErrorKind::Partitions)),
            None => both.map(|both| (both.std_error_forward, pair.error_kind)),
        };
        PairValue {
            backward: both.map(|both| both.backward),
            chance: Some(1.0),
            error,
            ..PairValue::new(pair.outcome.0.map(|both| both.forward), pair.n, Vec::new())
        }
    });
    Ok(NeighbourValues {
        measure: &IMBALANCE,
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
                    p: forward.p,
                })
            })
            .collect(),
        part_n: searched.part_n(),
    })
}
