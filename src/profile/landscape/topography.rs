//! How the peaks of one layer are arranged.

use serde::Serialize;

use super::analysis::Landmarks;
use super::labels::mixes;
use super::options::PeakOptions;
use super::shape::{ClassMix, PeakSummary};
use crate::geometry::density::peaks::{Linkage, Node, dendrogram, map};
use crate::geometry::{Known, Reason, known};

/// Up to so many peaks every pair is listed, also those that do not meet.
const LISTED: usize = 64;

/// Peaks, saddles, and where they lie on a plane.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Topography {
    /// The peaks, by the row of their centre.
    pub peaks: Vec<MappedPeak>,
    /// Pairs of peaks: all of them where `all_pairs` says so, otherwise those that meet.
    pub saddles: Vec<SaddleSummary>,
    /// Whether pairs that do not meet are listed too.
    pub all_pairs: bool,
    /// Pairs of peaks that meet.
    pub n_adjacent: usize,
    /// Reason code where peaks have no place on the plane.
    pub map_reason: Option<Reason>,
}

/// One peak with the classes it holds and its place on the plane.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct MappedPeak {
    /// The peak.
    #[serde(flatten)]
    pub peak: PeakSummary,
    /// What it holds, for each set of labels that any of its rows has.
    pub classes: Vec<ClassMix>,
    /// Its place on the plane.
    pub at: Option<[f64; 2]>,
}

/// A pair of peaks.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SaddleSummary {
    /// The two peaks, ascending.
    pub peaks: [usize; 2],
    /// Whether they meet.
    pub adjacent: bool,
    /// The input row where they do.
    pub row: Option<usize>,
    /// Log-density there.
    pub log_density: Option<f64>,
    /// Its error.
    pub error: Option<f64>,
}

/// The dendrogram of a layer, or why there is none.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PeakTree {
    /// `single`, `complete`, `average` or `weighted`.
    pub linkage: Linkage,
    /// Log-density in place of every saddle that is not there; `None` unless asked for.
    pub floor: Option<f64>,
    /// Peaks, then forks; the last node is the root.
    pub nodes: Vec<Node>,
    /// The tree in words, or why there is none.
    #[serde(flatten)]
    pub outcome: Known<Newick>,
}

known! {
    /// A tree in words.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Newick {
        /// The tree in Newick's notation; branch lengths are differences in log-density.
        pub newick: String,
    }
}

/// The topography of what was `found`; `summaries` are its peaks, `rows` the input rows.
pub(super) fn topography(
    found: &Landmarks,
    summaries: &[PeakSummary],
    rows: &[u32],
    options: &PeakOptions,
) -> Topography {
    let peaks = &found.peaks;
    let (lowest, highest) = found.densities.range().unwrap_or((0.0, 0.0));
    let places = map(&peaks.peaks, &peaks.saddles, highest, lowest - 1.0);
    let mapped = summaries
        .iter()
        .zip(mixes(peaks, rows, options))
        .enumerate()
        .map(|(at, (peak, classes))| MappedPeak {
            peak: peak.clone(),
            classes,
            at: places.as_ref().ok().map(|places| places[at]),
        });
    let n = peaks.peaks.len();
    let mut saddles: Vec<SaddleSummary> = peaks
        .saddles
        .iter()
        .map(|saddle| SaddleSummary {
            peaks: saddle.peaks,
            adjacent: true,
            row: Some(rows[saddle.row] as usize),
            log_density: Some(saddle.log_density),
            error: Some(saddle.error),
        })
        .collect();
    if n <= LISTED {
        let pairs = (0..n).flat_map(|a| (a + 1..n).map(move |b| [a, b]));
        let meet = |pair: &[usize; 2]| peaks.saddles.iter().any(|saddle| saddle.peaks == *pair);
        let apart: Vec<[usize; 2]> = pairs.filter(|pair| !meet(pair)).collect();
        saddles.extend(apart.into_iter().map(|peaks| SaddleSummary {
            peaks,
            adjacent: false,
            row: None,
            log_density: None,
            error: None,
        }));
        saddles.sort_by_key(|saddle| saddle.peaks);
    }
    Topography {
        peaks: mapped.collect(),
        saddles,
        all_pairs: n <= LISTED,
        n_adjacent: peaks.saddles.len(),
        map_reason: places.as_ref().err().copied(),
    }
}

/// The tree of what was `found`; `topography` names its peaks.
pub(super) fn tree(
    found: &Landmarks,
    topography: &Topography,
    linkage: Linkage,
    absent_at_floor: bool,
) -> PeakTree {
    let range = found.densities.range();
    let floor = range
        .map(|(lowest, _)| lowest - 1.0)
        .filter(|_| absent_at_floor);
    let tree = dendrogram(&found.peaks.peaks, &found.peaks.saddles, linkage, floor);
    let names: Vec<String> = topography.peaks.iter().map(MappedPeak::name).collect();
    let words = tree.as_ref().map_err(|&reason| reason);
    let words = words.map(|tree| Newick {
        newick: tree.newick(&names),
    });
    PeakTree {
        linkage,
        floor,
        outcome: words.into(),
        nodes: tree.map(|tree| tree.nodes).unwrap_or_default(),
    }
}

impl MappedPeak {
    /// Its number, and its most frequent class by the first labels.
    pub fn name(&self) -> String {
        let class = self.classes.first().and_then(|mix| mix.classes.first());
        match class {
            Some(class) => format!("{} {}", self.peak.peak, class.class),
            None => self.peak.peak.to_string(),
        }
    }
}
