//! What to compute, and how.

use crate::geometry::similarity::{
    CKA, Dissimilarity, Measure, RankCorrelation, Setting, Settings,
};
use crate::profile::compare::Target;

/// What to compute between layers, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct SimilarityOptions {
    /// What every layer is compared with.
    pub target: Target,
    /// Which measures, in the order of the report.
    pub measures: Vec<&'static Measure>,
    /// σ of the Gaussian kernel as a fraction of the median distance.
    pub bandwidth: f64,
    /// Share of variance that SVCCA keeps.
    pub variance: f64,
    /// What RSA compares.
    pub dissimilarity: Dissimilarity,
    /// How RSA compares it.
    pub correlation: RankCorrelation,
    /// Neighbours of the imbalance and the overlap in place of 1 and 30.
    pub k: Option<usize>,
    /// Disjoint parts of the rows in which everything is computed again.
    pub partitions: Option<usize>,
    /// How often the rows of the second layer are permuted, for a null.
    pub permutations: usize,
    /// Similarity that deep layers must reach to be called unchanged.
    pub threshold: f64,
    /// Seed of every random choice.
    pub seed: u64,
}

impl Default for SimilarityOptions {
    fn default() -> Self {
        Self {
            target: Target::All,
            measures: vec![&CKA],
            bandwidth: 1.0,
            variance: 0.99,
            dissimilarity: Dissimilarity::Euclidean,
            correlation: RankCorrelation::Spearman,
            k: None,
            partitions: None,
            permutations: 0,
            threshold: 0.9,
            seed: 0,
        }
    }
}

impl SimilarityOptions {
    /// Whether one of the measures reads `setting`.
    pub fn use_setting(&self, setting: Setting) -> bool {
        self.measures.iter().any(|one| one.uses(setting))
    }

    /// What the measures read.
    pub(super) fn settings(&self) -> Settings {
        Settings {
            bandwidth: self.bandwidth,
            variance: self.variance,
            dissimilarity: self.dissimilarity,
            correlation: self.correlation,
            seed: self.seed,
        }
    }
}
