//! Options of overlaps.

use serde::Serialize;

use crate::geometry::relation::Depth;
use crate::input::Labels;
use crate::profile::compare::Target;

/// What overlaps to compute, and how.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct OverlapOptions {
    /// What every layer is compared with; `None` for labels only.
    #[serde(rename = "to")]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub target: Option<Target>,
    /// Numbers of neighbours.
    pub k: Vec<usize>,
    /// Look at this share of the rows of a row's class, for labels only.
    pub class_fraction: Option<f64>,
    /// Labels of all input rows of the first dump.
    #[cfg_attr(test, schemars(with = "Vec<String>"))]
    pub labels: Vec<Labels>,
    /// Second labels of all input rows: neighbours that share the row's are left out, for labels
    /// only; absent unless asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub exclude: Option<Labels>,
    /// Disjoint blocks of rows behind the errors.
    pub blocks: usize,
    /// Disjoint parts in which everything is computed again.
    pub partitions: Option<usize>,
    /// Whether overlaps of single rows are kept.
    #[serde(skip)]
    pub per_row: bool,
    /// Seed of blocks and parts.
    pub seed: u64,
}

impl OverlapOptions {
    /// How many neighbours of each of `n` rows all of it needs.
    pub fn deepest(&self, n: usize) -> usize {
        let labels = (self.labels.as_slice(), self.exclude.as_ref());
        deepest(&self.k, self.class_fraction, labels, n)
    }
}

/// How many neighbours of each of `n` rows are needed: the largest of `k`, or of what a share of each
/// class takes, beside those that are left out for having the second label of a row.
pub(super) fn deepest(
    k: &[usize],
    class_fraction: Option<f64>,
    (labels, exclude): (&[Labels], Option<&Labels>),
    n: usize,
) -> usize {
    let most = match class_fraction {
        None => k.iter().copied().max(),
        Some(share) => {
            let sizes = labels.iter().flat_map(class_sizes);
            sizes.map(|size| Depth::ClassFraction(share).k(size)).max()
        }
    };
    let left_out = exclude.map_or(0, most_alike);
    (most.unwrap_or(0) + left_out).min(n.saturating_sub(1))
}

/// How many neighbours of a row may share its label.
fn most_alike(labels: &Labels) -> usize {
    let most = class_sizes(labels).into_iter().max();
    most.unwrap_or(0).saturating_sub(1)
}

/// How many rows each class has.
fn class_sizes(labels: &Labels) -> Vec<usize> {
    let mut sizes = vec![0; labels.classes.len()];
    for &code in labels.codes.iter().flatten() {
        sizes[code as usize] += 1;
    }
    sizes
}

impl Default for OverlapOptions {
    fn default() -> Self {
        Self {
            target: Some(Target::All),
            k: vec![30],
            class_fraction: None,
            labels: Vec::new(),
            exclude: None,
            blocks: 10,
            partitions: None,
            per_row: false,
            seed: 0,
        }
    }
}
