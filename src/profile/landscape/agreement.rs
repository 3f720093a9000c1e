//! Compares the peaks of a layer with the peaks of another clustering of the same rows.

use super::rules::HaloRule;
use super::shape::{Compared, LabelScores, LayerPeaks};
use crate::geometry::Reason;
use crate::geometry::partition::{Contingency, Scores};

/// How well the peaks of `layer` match those of `reference`, which stand in for classes under the name
/// `labels`; both must have been kept row by row.
///
/// The same numbers come from `density-peaks --labels` where the labels are the clusters that
/// `--assignments` wrote of the other clustering: rows that repeat another are counted once, by the
/// layer, and `halo` says what becomes of its halo rows.
pub fn agreement(
    layer: &LayerPeaks,
    reference: &LayerPeaks,
    labels: &str,
    halo: HaloRule,
) -> LabelScores {
    let outcome = match (&layer.rows, &reference.rows) {
        _ if layer.outcome.reason().is_some() => {
            Err(layer.outcome.reason().unwrap_or(Reason::NoLabels))
        }
        (Some(rows), Some(others)) => {
            let clusters = (0..rows.peak.len()).map(|row| match halo {
                _ if rows.repeats[row].is_some() => None,
                HaloRule::LeftOut if rows.halo[row] => None,
                HaloRule::Cluster if rows.halo[row] => Some(layer.peaks.len()),
                _ => rows.peak[row],
            });
            let clusters: Vec<Option<usize>> = clusters.collect();
            // Dumps of other lengths share the rows that were chosen.
            let classes = (0..clusters.len()).map(|row| others.peak.get(row).copied().flatten());
            Contingency::new(&clusters, &classes.collect::<Vec<_>>()).ok_or(Reason::NoLabels)
        }
        _ => Err(Reason::NoLabels),
    };
    let counts = outcome.as_ref().ok();
    let n = counts.map_or(0, |counts| usize::try_from(counts.n).unwrap_or(usize::MAX));
    LabelScores {
        labels: labels.to_owned(),
        n,
        n_missing: layer.n_rows.saturating_sub(n),
        n_classes: counts.map_or(0, |counts| counts.classes.len()),
        outcome: outcome
            .as_ref()
            .map(|counts| Compared {
                scores: Scores::of(counts),
            })
            .map_err(|reason| *reason)
            .into(),
    }
}
