//! Options of similarities.

use serde::Serialize;

use crate::geometry::similarity::{
    CKA, Dissimilarity, Measure, RankCorrelation, Setting, Settings,
};
use crate::profile::compare::Target;

/// Similarity that deep layers must reach to be called unchanged, by custom.
const THRESHOLD: f64 = 0.9;

/// What to compute between layers, and how.
///
/// A setting that no measure reads is not used; in a report it is null.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SimilarityOptions {
    /// What every layer is compared with.
    #[serde(rename = "to")]
    #[cfg_attr(test, schemars(with = "String"))]
    pub target: Target,
    /// Measures, by the names of their quantities, in the order of the report.
    pub measures: Vec<&'static Measure>,
    /// σ of the Gaussian kernel over the median distance, where it is used.
    pub bandwidth: Option<f64>,
    /// Share of variance that SVCCA keeps, where it is used.
    pub variance: Option<f64>,
    /// What RSA compares, where it is used.
    pub dissimilarity: Option<Dissimilarity>,
    /// How RSA compares it.
    pub correlation: Option<RankCorrelation>,
    /// Neighbours of the imbalance and the overlap in place of 1 and 30.
    #[serde(skip)]
    pub k: Option<usize>,
    /// Disjoint parts of the rows in which everything is computed again.
    pub partitions: Option<usize>,
    /// How often the rows of the second layer are permuted, for a null.
    pub permutations: usize,
    /// Similarity that deep layers must reach to be called unchanged, where layers are matched.
    pub threshold: Option<f64>,
    /// Seed of every random choice.
    pub seed: u64,
}

impl Default for SimilarityOptions {
    fn default() -> Self {
        let settings = Settings::default();
        Self {
            target: Target::All,
            measures: vec![&CKA],
            bandwidth: Some(settings.bandwidth),
            variance: Some(settings.variance),
            dissimilarity: Some(settings.dissimilarity),
            correlation: Some(settings.correlation),
            k: None,
            partitions: None,
            permutations: 0,
            threshold: Some(THRESHOLD),
            seed: settings.seed,
        }
    }
}

impl SimilarityOptions {
    /// Whether one of the measures reads `setting`.
    pub fn use_setting(&self, setting: Setting) -> bool {
        self.measures.iter().any(|one| one.uses(setting))
    }

    /// What the measures read; the customary value where nobody said.
    pub(super) fn settings(&self) -> Settings {
        let custom = Settings::default();
        Settings {
            bandwidth: self.bandwidth.unwrap_or(custom.bandwidth),
            variance: self.variance.unwrap_or(custom.variance),
            dissimilarity: self.dissimilarity.unwrap_or(custom.dissimilarity),
            correlation: self.correlation.unwrap_or(custom.correlation),
            seed: self.seed,
        }
    }

    /// Similarity that deep layers must reach to be called unchanged.
    pub(super) fn threshold(&self) -> f64 {
        self.threshold.unwrap_or(THRESHOLD)
    }

    /// The options as they are used: what is read holds its value, the rest none.
    pub(super) fn used(&self) -> Self {
        let uses = |setting| self.use_setting(setting);
        let settings = self.settings();
        let matched = self.target == Target::Matched;
        Self {
            bandwidth: uses(Setting::Bandwidth).then_some(settings.bandwidth),
            variance: uses(Setting::Variance).then_some(settings.variance),
            dissimilarity: uses(Setting::Dissimilarity).then_some(settings.dissimilarity),
            correlation: uses(Setting::Correlation).then_some(settings.correlation),
            threshold: matched.then_some(self.threshold()),
            ..self.clone()
        }
    }
}
