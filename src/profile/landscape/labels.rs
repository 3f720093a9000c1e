//! Peaks beside classes.

use super::options::PeakOptions;
use super::rules::HaloRule;
use super::shape::{ClassCount, ClassMix, Compared, LabelScores};
use crate::geometry::Reason;
use crate::geometry::density::peaks::Peaks;
use crate::geometry::partition::{Contingency, GroupMix, Scores};
use crate::input::Labels;

/// The class of each of `rows`; rows of the noise label have none.
fn classes(labels: &Labels, rows: &[u32], noise: Option<&str>) -> Vec<Option<usize>> {
    let class = |&row: &u32| {
        let code = labels.codes.get(row as usize).copied().flatten()? as usize;
        let name = labels.classes.get(code).map(String::as_str);
        (noise.is_none() || name != noise).then_some(code)
    };
    rows.iter().map(class).collect()
}

/// How well `peaks` match each set of labels; `rows` are the input rows behind them.
pub(super) fn scores(
    peaks: Result<&Peaks, Reason>,
    rows: &[u32],
    options: &PeakOptions,
) -> Vec<LabelScores> {
    let noise = options.noise_label.as_deref();
    let one = |labels: &Labels| {
        let classes = classes(labels, rows, noise);
        let outcome = peaks.and_then(|peaks| {
            let clusters = clusters(peaks, options.halo);
            Contingency::new(&clusters, &classes).ok_or(Reason::NoLabels)
        });
        let counts = outcome.as_ref().ok();
        let scored = outcome.as_ref().map_err(|&reason| reason);
        let scored = scored.map(|counts| Compared {
            scores: Scores::of(counts),
        });
        LabelScores {
            labels: labels.name.clone(),
            n: counts.map_or(0, |counts| usize::try_from(counts.n).unwrap_or(usize::MAX)),
            n_missing: classes.iter().filter(|class| class.is_none()).count(),
            n_classes: counts.map_or(0, |counts| counts.classes.len()),
            outcome: scored.into(),
        }
    };
    options.labels.iter().map(one).collect()
}

fn clusters(peaks: &Peaks, halo: HaloRule) -> Vec<Option<usize>> {
    let rows = peaks.labels.iter().zip(&peaks.halo);
    rows.map(|(&label, &in_halo)| match halo {
        HaloRule::LeftOut if in_halo => None,
        HaloRule::Cluster if in_halo => Some(peaks.peaks.len()),
        _ => label,
    })
    .collect()
}

/// Which classes every peak holds, one list a set of labels.
pub(super) fn mixes(peaks: &Peaks, rows: &[u32], options: &PeakOptions) -> Vec<Vec<ClassMix>> {
    let mut mixes = vec![Vec::new(); peaks.peaks.len()];
    for labels in &options.labels {
        let classes = classes(labels, rows, options.noise_label.as_deref());
        let counts = Contingency::new(&peaks.labels, &classes);
        let found = counts.map(|counts| counts.mixes()).unwrap_or_default();
        for mix in found {
            if let Some(of_peak) = mixes.get_mut(mix.cluster) {
                of_peak.push(class_mix(labels, &mix));
            }
        }
    }
    mixes
}

fn class_mix(labels: &Labels, mix: &GroupMix) -> ClassMix {
    let name = |code: usize| labels.classes.get(code).cloned().unwrap_or_default();
    let count = |&(code, n): &(usize, u64)| ClassCount {
        class: name(code),
        n,
    };
    ClassMix {
        labels: labels.name.clone(),
        n: mix.n,
        majority_fraction: mix.majority_fraction,
        entropy: mix.entropy,
        classes: mix.classes.iter().map(count).collect(),
    }
}
