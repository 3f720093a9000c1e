//! Nests peaks: a tree whose forks lie at the height of saddles.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use serde::Serialize;

use super::{MAX_PAIRED, Peak, Saddle};
use crate::choice::choice;
use crate::geometry::Reason;

choice! {
    /// At which height two groups of peaks join.
    pub enum Linkage {
        /// The highest saddle between them.
        Single = "single",
        /// The lowest saddle between them.
        Complete = "complete",
        /// The mean over all pairs of a peak of one with a peak of the other.
        Average = "average",
        /// The mean of the two parts that a group was made of.
        Weighted = "weighted",
    }
}

/// A binary tree over peaks.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Dendrogram {
    /// How heights were found.
    pub linkage: Linkage,
    /// What a pair that does not meet was given, if anything.
    pub floor: Option<f64>,
    /// The peaks, then every fork, its children always before it; the last node is the root.
    pub nodes: Vec<Node>,
}

/// A peak or a fork.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "TreeNode"))]
pub struct Node {
    /// Its place among the nodes; a peak's is the number of the peak.
    pub id: usize,
    /// The two nodes that join here; `None` for a peak.
    pub children: Option<[usize; 2]>,
    /// Log-density at the top of a peak, or where the two children join; `None` if they never meet.
    pub height: Option<f64>,
    /// Whether the children meet; true for a peak.
    pub connected: bool,
    /// Rows below this node.
    pub size: usize,
    /// Of these, the rows outside the halo.
    pub n_core: usize,
}

/// The tree of `peaks` under `linkage`.
///
/// The two groups that join at the greatest height do so first; equal heights go to the groups with
/// the lowest peaks. Groups that never meet join last, in order of their lowest peak, without a
/// height, unless a `floor` stands in for every saddle that is not there.
///
/// Reasons for none: `single_peak`; `not_adjacent` (a linkage other than single without a floor,
/// when some pair does not meet); `too_many_peaks` (the same linkages, or a floor, beyond 2000).
pub fn dendrogram(
    peaks: &[Peak],
    saddles: &[Saddle],
    linkage: Linkage,
    floor: Option<f64>,
) -> Result<Dendrogram, Reason> {
    let n = peaks.len();
    if n < 2 {
        return Err(Reason::SinglePeak);
    }
    let needs_all = linkage != Linkage::Single;
    if (needs_all || floor.is_some()) && n > MAX_PAIRED {
        return Err(Reason::TooManyPeaks);
    }
    if needs_all && floor.is_none() && saddles.len() < n * (n - 1) / 2 {
        return Err(Reason::NotAdjacent);
    }
    let mut groups = Groups::new(peaks, linkage);
    if let Some(floor) = floor {
        for a in 0..n {
            for b in a + 1..n {
                groups.meet(a, b, floor);
            }
        }
    }
    for saddle in saddles {
        let [a, b] = saddle.peaks;
        groups.meet(a, b, saddle.log_density);
    }
    groups.collapse();
    Ok(Dendrogram {
        linkage,
        floor,
        nodes: groups.nodes,
    })
}

/// Groups of peaks, each at the place of its lowest peak.
struct Groups {
    linkage: Linkage,
    nodes: Vec<Node>,
    /// The node of the group at each place; `None` once it has joined another.
    node: Vec<Option<usize>>,
    /// How many peaks the group holds.
    n_peaks: Vec<usize>,
    /// The height at which it would join every other group that it meets.
    heights: Vec<BTreeMap<usize, f64>>,
    /// Candidates; one whose height is no longer current is passed over.
    highest: BinaryHeap<(Height, Reverse<[usize; 2]>)>,
}

impl Groups {
    fn new(peaks: &[Peak], linkage: Linkage) -> Self {
        let leaves = peaks.iter().enumerate().map(|(id, peak)| Node {
            id,
            children: None,
            height: Some(peak.log_density),
            connected: true,
            size: peak.size,
            n_core: peak.n_core,
        });
        Self {
            linkage,
            nodes: leaves.collect(),
            node: (0..peaks.len()).map(Some).collect(),
            n_peaks: vec![1; peaks.len()],
            heights: vec![BTreeMap::new(); peaks.len()],
            highest: BinaryHeap::new(),
        }
    }

    /// Sets the height at which two groups would join.
    fn meet(&mut self, a: usize, b: usize, height: f64) {
        let (a, b) = (a.min(b), a.max(b));
        self.heights[a].insert(b, height);
        self.heights[b].insert(a, height);
        self.highest.push((Height(height), Reverse([a, b])));
    }

    fn collapse(&mut self) {
        while let Some((Height(height), Reverse([a, b]))) = self.highest.pop() {
            let current = self.heights[a].get(&b);
            if current.is_some_and(|current| current.total_cmp(&height).is_eq()) {
                self.join(a, b, Some(height));
            }
        }
        // What is left never meets.
        let rest: Vec<usize> = (0..self.node.len())
            .filter(|&at| self.node[at].is_some())
            .collect();
        for &b in rest.iter().skip(1) {
            self.join(rest[0], b, None);
        }
    }

    /// Makes one group of those at `a` and `b`, at `a`, the lower place.
    fn join(&mut self, a: usize, b: usize, height: Option<f64>) {
        let (Some(first), Some(second)) = (self.node[a], self.node[b].take()) else {
            return;
        };
        let (left, right) = (&self.nodes[first], &self.nodes[second]);
        let fork = Node {
            id: self.nodes.len(),
            children: Some([first, second]),
            height,
            connected: height.is_some(),
            size: left.size + right.size,
            n_core: left.n_core + right.n_core,
        };
        self.node[a] = Some(fork.id);
        self.nodes.push(fork);

        for (other, from_b) in std::mem::take(&mut self.heights[b]) {
            self.heights[other].remove(&b);
            if other == a {
                continue;
            }
            let joint = match self.heights[a].get(&other) {
                Some(&from_a) => self.combined(from_a, self.n_peaks[a], from_b, self.n_peaks[b]),
                None => from_b,
            };
            self.meet(a, other, joint);
        }
        self.heights[a].remove(&b);
        self.n_peaks[a] += self.n_peaks[b];
    }

    fn combined(&self, from_a: f64, n_a: usize, from_b: f64, n_b: usize) -> f64 {
        match self.linkage {
            Linkage::Single => from_a.max(from_b),
            Linkage::Complete => from_a.min(from_b),
            Linkage::Weighted => (from_a + from_b) / 2.0,
            Linkage::Average => {
                let (n_a, n_b) = (n_a as f64, n_b as f64);
                (n_a * from_a + n_b * from_b) / (n_a + n_b)
            }
        }
    }
}

/// A height that has an order; it is finite.
#[derive(Clone, Copy)]
struct Height(f64);

impl Ord for Height {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl PartialOrd for Height {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Height {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Height {}

#[cfg(test)]
mod tests {
    use super::*;

    fn peaks(n: usize) -> Vec<Peak> {
        let peak = |at: usize| Peak {
            centre: at,
            log_density: 10.0 - at as f64,
            error: 0.1,
            size: 10,
            n_core: 4,
        };
        (0..n).map(peak).collect()
    }

    fn saddles(of: &[(usize, usize, f64)]) -> Vec<Saddle> {
        of.iter()
            .map(|&(a, b, log_density)| Saddle {
                peaks: [a, b],
                row: 0,
                log_density,
                error: 0.1,
            })
            .collect()
    }

    fn forks(tree: &Dendrogram) -> Vec<([usize; 2], Option<f64>)> {
        let forks = tree.nodes.iter();
        forks
            .filter_map(|node| Some((node.children?, node.height)))
            .collect()
    }

    const TRIANGLE: [(usize, usize, f64); 3] = [(0, 1, 3.0), (0, 2, 1.0), (1, 2, 2.0)];

    #[test]
    fn linkages_differ_in_the_height_of_the_second_fork() {
        for (linkage, height) in [
            (Linkage::Single, 2.0),
            (Linkage::Complete, 1.0),
            (Linkage::Average, 1.5),
            (Linkage::Weighted, 1.5),
        ] {
            let tree = dendrogram(&peaks(3), &saddles(&TRIANGLE), linkage, None).unwrap();
            assert_eq!(forks(&tree), [([0, 1], Some(3.0)), ([3, 2], Some(height))]);
            let root = tree.nodes.last().unwrap();
            assert_eq!((root.size, root.n_core, root.connected), (30, 12, true));
        }
    }

    #[test]
    fn average_counts_peaks_and_weighted_does_not() {
        let four = [
            (0, 1, 9.0),
            (0, 2, 6.0),
            (1, 2, 6.0),
            (0, 3, 1.0),
            (1, 3, 1.0),
            (2, 3, 4.0),
        ];
        for (linkage, root) in [(Linkage::Average, 2.0), (Linkage::Weighted, 2.5)] {
            let tree = dendrogram(&peaks(4), &saddles(&four), linkage, None).unwrap();
            assert_eq!(tree.nodes.last().unwrap().height, Some(root));
        }
    }

    #[test]
    fn groups_that_never_meet_join_last_without_a_height() {
        let tree = dendrogram(&peaks(4), &saddles(&[(1, 3, 2.0)]), Linkage::Single, None).unwrap();
        assert_eq!(
            forks(&tree),
            [([1, 3], Some(2.0)), ([0, 4], None), ([5, 2], None)]
        );
        assert!(!tree.nodes.last().unwrap().connected);
        let names: Vec<String> = ["a", "b", "it's", "d"].map(Into::into).into();
        assert_eq!(tree.newick(&names), "(('a',('b':7,'d':5)),'it''s');");
        let floored = dendrogram(
            &peaks(4),
            &saddles(&[(1, 3, 2.0)]),
            Linkage::Complete,
            Some(-5.0),
        );
        assert_eq!(
            forks(&floored.unwrap()),
            [
                ([1, 3], Some(2.0)),
                ([0, 4], Some(-5.0)),
                ([5, 2], Some(-5.0))
            ]
        );
    }

    #[test]
    fn one_peak_and_missing_pairs_have_reasons() {
        let none = dendrogram(&peaks(1), &[], Linkage::Single, None);
        assert_eq!(none, Err(Reason::SinglePeak));
        let gaps = dendrogram(&peaks(3), &saddles(&TRIANGLE[..2]), Linkage::Average, None);
        assert_eq!(gaps, Err(Reason::NotAdjacent));
        let many = dendrogram(&peaks(MAX_PAIRED + 1), &[], Linkage::Single, Some(0.0));
        assert_eq!(many, Err(Reason::TooManyPeaks));
    }

    #[test]
    fn a_chain_of_thousands_neither_overflows_nor_crawls() {
        let chain: Vec<_> = (1..5000).map(|b| (b - 1, b, -(b as f64))).collect();
        let tree = dendrogram(&peaks(5000), &saddles(&chain), Linkage::Single, None).unwrap();
        assert_eq!(tree.nodes.len(), 9999);
        let names: Vec<String> = (0..5000).map(|at| at.to_string()).collect();
        assert!(tree.newick(&names).ends_with(");"));
    }
}
