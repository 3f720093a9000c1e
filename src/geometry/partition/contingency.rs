//! Counts how often each cluster meets each class.

use std::collections::BTreeMap;

/// Counts of rows by cluster and class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contingency {
    /// (cluster, class) and the rows they share, in order; pairs without a row are left out.
    pub cells: Vec<((usize, usize), u64)>,
    /// Rows of every cluster.
    pub clusters: BTreeMap<usize, u64>,
    /// Rows of every class.
    pub classes: BTreeMap<usize, u64>,
    /// Rows in all.
    pub n: u64,
}

/// What a cluster holds.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupMix {
    /// The cluster.
    pub cluster: usize,
    /// Rows with a label.
    pub n: u64,
    /// Its classes and their rows, the most frequent first, the lower class first among equals.
    pub classes: Vec<(usize, u64)>,
    /// Share of the most frequent class.
    pub majority_fraction: f64,
    /// Entropy of the classes, −Σ p ln p.
    pub entropy: f64,
}

impl Contingency {
    /// The counts over the rows that have both; `None` if none has.
    ///
    /// # Panics
    /// If the slices differ in length.
    pub fn new(clusters: &[Option<usize>], classes: &[Option<usize>]) -> Option<Self> {
        assert_eq!(clusters.len(), classes.len(), "one cluster and class a row");
        let mut cells = BTreeMap::new();
        for pair in clusters.iter().zip(classes) {
            if let (&Some(cluster), &Some(class)) = pair {
                *cells.entry((cluster, class)).or_insert(0u64) += 1;
            }
        }
        let mut found = Self {
            cells: cells.into_iter().collect(),
            clusters: BTreeMap::new(),
            classes: BTreeMap::new(),
            n: 0,
        };
        for &((cluster, class), count) in &found.cells {
            *found.clusters.entry(cluster).or_insert(0) += count;
            *found.classes.entry(class).or_insert(0) += count;
            found.n += count;
        }
        (found.n > 0).then_some(found)
    }

    /// What every cluster holds, in order.
    pub fn mixes(&self) -> Vec<GroupMix> {
        let same_cluster = |a: &((usize, usize), u64), b: &((usize, usize), u64)| a.0.0 == b.0.0;
        let groups = self.cells.chunk_by(same_cluster);
        groups.map(mix).collect()
    }
}

fn mix(cells: &[((usize, usize), u64)]) -> GroupMix {
    let n: u64 = cells.iter().map(|&(_, count)| count).sum();
    let mut classes: Vec<(usize, u64)> = cells.iter().map(|&((_, c), count)| (c, count)).collect();
    classes.sort_by_key(|&(class, count)| (std::cmp::Reverse(count), class));
    let shares = cells.iter().map(|&(_, count)| count as f64 / n as f64);
    GroupMix {
        cluster: cells.first().map_or(0, |&((cluster, _), _)| cluster),
        n,
        majority_fraction: classes.first().map_or(0, |&(_, count)| count) as f64 / n as f64,
        // + 0.0 makes no difference but to −0.
        entropy: -shares.map(|p| p * libm::log(p)).sum::<f64>() + 0.0,
        classes,
    }
}
