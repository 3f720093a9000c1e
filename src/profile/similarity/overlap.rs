//! Neighbour overlap among the measures.

use super::neighbour_values::{NeighbourValues, Searched};
use crate::error::Result;
use crate::geometry::similarity::{Measure, PairValue, Setting, Values};
use crate::profile::overlap::{OverlapOptions, overlap};
use crate::warning::Warning;

/// Neighbour overlap.
pub(super) static OVERLAP: Measure = Measure {
    uses: &[Setting::Metric, Setting::Neighbours],
    k: 30,
    ..Measure::similarity(
        ["data_overlap", "overlap"],
        "Neighbour overlap",
        Values::Neighbours,
    )
};

/// The overlap of every pair.
pub(super) fn by_search(
    searched: &Searched<'_>,
    warnings: &mut Vec<Warning>,
) -> Result<NeighbourValues> {
    let options = searched.options;
    let asked = OverlapOptions {
        target: Some(options.target.clone()),
        k: vec![searched.k(&OVERLAP)],
        partitions: options.partitions,
        seed: options.seed,
        ..OverlapOptions::default()
    };
    let profile = overlap(searched.comparison, &asked, searched.bench)?;
    warnings.extend(profile.warnings);
    let found = profile.pairs.iter().map(|pair| PairValue {
        chance: pair.chance,
        error: pair.std_error().map(|error| (error, pair.error_kind)),
        ..PairValue::new(pair.outcome.0.map(|found| found.value), pair.n, Vec::new())
    });
    Ok(NeighbourValues {
        measure: &OVERLAP,
        found: found.collect(),
        part_means: profile
            .pairs
            .iter()
            .map(|pair| pair.partitions_mean)
            .collect(),
        // Chance is known exactly.
        nulls: vec![None; profile.pairs.len()],
        part_n: searched.part_n(),
    })
}
