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
            Contingency::new(&clusters, &classes(&others.peak, clusters.len()))
                .ok_or(Reason::NoLabels)
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

/// The clusters of the first `n` rows as classes in order of first appearance, as labels of a file are
/// read: sums over classes have the same order. Dumps of other lengths share the rows that were chosen.
fn classes(peaks: &[Option<usize>], n: usize) -> Vec<Option<usize>> {
    let mut known: Vec<usize> = Vec::new();
    let class = |row: usize| {
        let peak = peaks.get(row).copied().flatten()?;
        Some(
            known
                .iter()
                .position(|one| *one == peak)
                .unwrap_or_else(|| {
                    known.push(peak);
                    known.len() - 1
                }),
        )
    };
    (0..n).map(class).collect()
}
