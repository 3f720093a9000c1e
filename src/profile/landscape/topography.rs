//! Arranges the peaks of one layer: on a plane, and as a tree.

use std::collections::BTreeMap;

use serde::Serialize;

use super::analysis::Landmarks;
use super::labels::mixes;
use super::options::{LandscapeOptions, PeakOptions};
use super::shape::{ClassMix, PeakSummary};
use crate::geometry::density::peaks::{Linkage, Node, Peak, Saddle, dendrogram, map};
use crate::geometry::{Known, Reason, known};

/// The largest number of peaks for which every pair is listed, also those that do not meet.
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
    /// Peaks of fewer rows are left out; absent unless asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_rows: Option<usize>,
    /// Peaks of a lower log-density are left out; absent unless asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_density: Option<f64>,
    /// Leaves are named by the classes with at least this much of the largest share; absent unless
    /// asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leaf_share: Option<f64>,
    /// Which peak each leaf is, in the order of the nodes, and its classes; absent where every peak
    /// is a leaf under its own number and name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub leaves: Vec<TreeLeaf>,
    /// Peaks, then forks; the last node is the root.
    pub nodes: Vec<Node>,
    /// The tree in words, or why there is none.
    #[serde(flatten)]
    pub outcome: Known<Newick>,
}

/// A leaf of a tree of some of the peaks.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TreeLeaf {
    /// The number of the peak.
    pub peak: usize,
    /// The classes that it is named by, the largest share first; empty unless asked for.
    pub classes: Vec<RelativeShare>,
}

/// What part of a class lies in a peak.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RelativeShare {
    /// The class.
    pub class: String,
    /// Its rows in the peak over its rows in all peaks.
    pub share: f64,
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
    options: &LandscapeOptions,
) -> PeakTree {
    let range = found.densities.range();
    let floor = range
        .map(|(lowest, _)| lowest - 1.0)
        .filter(|_| options.absent_at_floor);
    let kept: Vec<usize> = (0..topography.peaks.len())
        .filter(|&at| is_kept(&topography.peaks[at].peak, options))
        .collect();
    let (peaks, saddles) = among(&kept, &found.peaks.peaks, &found.peaks.saddles);
    let tree = dendrogram(&peaks, &saddles, options.linkage, floor);
    let sizes = class_sizes(topography);
    let chosen =
        options.min_rows.is_some() || options.min_density.is_some() || options.leaf_share.is_some();
    let leaf = |&peak: &usize| TreeLeaf {
        peak,
        classes: options
            .leaf_share
            .map(|least| topography.peaks[peak].relative_shares(&sizes, least))
            .unwrap_or_default(),
    };
    let leaves: Vec<TreeLeaf> = kept.iter().filter(|_| chosen).map(leaf).collect();
    let names: Vec<String> = match leaves.is_empty() {
        true => kept.iter().map(|&at| topography.peaks[at].name()).collect(),
        false => leaves.iter().map(|leaf| leaf.name(topography)).collect(),
    };
    let words = tree.as_ref().map_err(|&reason| reason);
    let words = words.map(|tree| Newick {
        newick: tree.newick(&names),
    });
    PeakTree {
        linkage: options.linkage,
        floor,
        min_rows: options.min_rows,
        min_density: options.min_density,
        leaf_share: options.leaf_share,
        leaves,
        outcome: words.into(),
        nodes: tree.map(|tree| tree.nodes).unwrap_or_default(),
    }
}

fn is_kept(peak: &PeakSummary, options: &LandscapeOptions) -> bool {
    options.min_rows.is_none_or(|least| peak.size >= least)
        && options
            .min_density
            .is_none_or(|least| peak.log_density >= least)
}

/// The peaks `kept` and the saddles between two of them, which count them from 0.
fn among(kept: &[usize], peaks: &[Peak], saddles: &[Saddle]) -> (Vec<Peak>, Vec<Saddle>) {
    let place = |peak: usize| kept.binary_search(&peak).ok();
    let both = saddles.iter().filter_map(|saddle| {
        Some(Saddle {
            peaks: [place(saddle.peaks[0])?, place(saddle.peaks[1])?],
            ..saddle.clone()
        })
    });
    (
        kept.iter().map(|&at| peaks[at].clone()).collect(),
        both.collect(),
    )
}

/// How many rows of every class of the first labels lie in any peak.
fn class_sizes(topography: &Topography) -> BTreeMap<&str, u64> {
    let mixes = topography.peaks.iter();
    let mixes = mixes.filter_map(|peak| peak.classes.first());
    let mut sizes = BTreeMap::new();
    for class in mixes.flat_map(|mix| &mix.classes) {
        *sizes.entry(class.class.as_str()).or_default() += class.n;
    }
    sizes
}

impl TreeLeaf {
    /// The number of the peak and what it is named by.
    fn name(&self, topography: &Topography) -> String {
        match self.classes.is_empty() {
            true => topography.peaks[self.peak].name(),
            false => {
                let classes: Vec<&str> =
                    self.classes.iter().map(|one| one.class.as_str()).collect();
                format!("{} {}", self.peak, classes.join(", "))
            }
        }
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

    /// The classes of the first labels whose share of their own rows, `sizes`, is at least `least`
    /// of the largest such share here: n_pc/N_c ≥ `least` · max_c n_pc/N_c. So a small class names
    /// a peak that holds all of it beside a few rows of a large one. Code of arXiv 2409.03662, with
    /// 0.2.
    fn relative_shares(&self, sizes: &BTreeMap<&str, u64>, least: f64) -> Vec<RelativeShare> {
        let mix = self.classes.first().into_iter();
        let mut shares: Vec<RelativeShare> = mix
            .flat_map(|mix| &mix.classes)
            .filter_map(|class| {
                let size = sizes.get(class.class.as_str()).filter(|size| **size > 0)?;
                Some(RelativeShare {
                    class: class.class.clone(),
                    share: class.n as f64 / *size as f64,
                })
            })
            .collect();
        shares.sort_by(|a, b| b.share.total_cmp(&a.share).then(a.class.cmp(&b.class)));
        let largest = shares.first().map_or(0.0, |first| first.share);
        shares.retain(|one| one.share >= least * largest);
        shares
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::landscape::ClassCount;

    fn peak(peak: usize, classes: &[(&str, u64)]) -> MappedPeak {
        let n = classes.iter().map(|&(_, n)| n).sum();
        let count = |&(class, n): &(&str, u64)| ClassCount {
            class: class.into(),
            n,
        };
        MappedPeak {
            peak: PeakSummary {
                peak,
                row: peak,
                log_density: -(peak as f64),
                error: 0.1,
                size: usize::try_from(n).unwrap(),
                n_core: 1,
            },
            classes: vec![ClassMix {
                labels: "class".into(),
                n,
                majority_fraction: 0.5,
                entropy: 0.1,
                classes: classes.iter().map(count).collect(),
            }],
            at: None,
        }
    }

    #[test]
    fn a_leaf_is_named_by_the_part_of_a_class_that_it_holds() {
        let topography = Topography {
            peaks: vec![
                // Half of the large class, all of the small one, a twentieth of the middle one.
                peak(0, &[("large", 50), ("small", 4), ("middle", 1)]),
                peak(1, &[("large", 50), ("middle", 19)]),
            ],
            saddles: Vec::new(),
            all_pairs: true,
            n_adjacent: 0,
            map_reason: None,
        };
        let sizes = class_sizes(&topography);
        assert_eq!(
            sizes,
            BTreeMap::from([("large", 100), ("middle", 20), ("small", 4)])
        );
        let named = |at: usize, least: f64| -> Vec<(String, f64)> {
            let found = topography.peaks[at].relative_shares(&sizes, least);
            found
                .into_iter()
                .map(|one| (one.class, one.share))
                .collect()
        };
        let expected = [("small".to_owned(), 1.0), ("large".to_owned(), 0.5)];
        assert_eq!(named(0, 0.2), expected);
        assert_eq!(named(0, 0.05).len(), 3);
        assert_eq!(named(1, 0.6), [("middle".to_owned(), 0.95)]);
        // Its own majority names a peak otherwise.
        assert_eq!(topography.peaks[0].name(), "0 large");
    }

    #[test]
    fn saddles_are_counted_among_the_peaks_that_stay() {
        let peaks: Vec<Peak> = (0..4)
            .map(|at| Peak {
                centre: at,
                log_density: 0.0,
                error: 0.1,
                size: 10 * at,
                n_core: 1,
            })
            .collect();
        let saddle = |a: usize, b: usize| Saddle {
            peaks: [a, b],
            row: a,
            log_density: -1.0,
            error: 0.1,
        };
        let all = [saddle(0, 1), saddle(1, 3), saddle(2, 3)];
        let (kept, saddles) = among(&[1, 3], &peaks, &all);
        assert_eq!(kept, [peaks[1].clone(), peaks[3].clone()]);
        assert_eq!(
            saddles,
            [Saddle {
                peaks: [0, 1],
                ..saddle(1, 3)
            }]
        );
        let summary = |size: usize, log_density: f64| PeakSummary {
            size,
            log_density,
            ..peak(0, &[("a", 1)]).peak
        };
        let options = LandscapeOptions {
            min_rows: Some(30),
            min_density: Some(-10.0),
            ..LandscapeOptions::default()
        };
        assert!(is_kept(&summary(30, -10.0), &options));
        assert!(!is_kept(&summary(29, -10.0), &options));
        assert!(!is_kept(&summary(30, -10.5), &options));
    }
}
