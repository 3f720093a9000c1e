//! Names what is followed over runs.

use crate::choice::choice;
use crate::geometry::similarity::Measure;
use crate::profile::similarity::MEASURES;

choice! {
    /// What is followed over runs: the numbers of the command for a single dump.
    pub enum DynamicsQuantity {
        /// Intrinsic dimension by one estimator, and its controls (id-profile)
        Id = "id",
        /// Information imbalance with a layer, both directions (imbalance)
        Imbalance = "information_imbalance" as "imbalance",
        /// Neighbour overlap with a layer (overlap)
        Overlap = "data_overlap" as "overlap",
        /// Neighbours with the label of their row (overlap --labels)
        Labels = "label_overlap" as "labels",
        /// Similarity with a layer (similarity)
        Similarity = "similarity",
        /// Density peaks, and how well they match labels or the peaks of another run (density-peaks)
        Peaks = "density_peaks" as "peaks",
        /// Random chunks of one layer (clones)
        Clones = "clones",
    }
}

/// What peaks are, compared with nothing.
const OF_PEAKS: [&str; 3] = ["n_peaks", "core_fraction", "largest_fraction"];

/// How well peaks match labels, or the peaks of another run.
pub const SCORES: [&str; 7] = [
    "ari",
    "ami",
    "nmi",
    "homogeneity",
    "completeness",
    "v_measure",
    "majority_fraction",
];

impl DynamicsQuantity {
    /// The quantities of the command for a single dump that are followed, as its CSV calls them; the
    /// main one first.
    pub fn quantities(self) -> Vec<&'static str> {
        match self {
            Self::Id => vec!["id"],
            Self::Imbalance => vec!["information_imbalance", "relative_difference"],
            Self::Overlap => vec!["data_overlap"],
            Self::Labels => vec!["label_overlap"],
            Self::Similarity => MEASURES
                .iter()
                .map(|measure: &&Measure| measure.name)
                .collect(),
            Self::Peaks => [&OF_PEAKS[..], &SCORES].concat(),
            Self::Clones => vec![
                "critical_width",
                "n_clones",
                "chunk_r2",
                "chunk_residual_correlation",
                "chunk_id",
            ],
        }
    }

    /// Whether `other` of a value is the layer that the layer was compared with, not a set of labels.
    pub fn compares_layers(self) -> bool {
        matches!(self, Self::Imbalance | Self::Overlap | Self::Similarity)
    }

    /// Whether a layer has a value a scale.
    pub(super) fn has_scales(self) -> bool {
        self == Self::Clones
    }
}
