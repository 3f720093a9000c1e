//! The shape of the report: what `similarity` says, as data.

use serde::Serialize;

use super::options::SimilarityOptions;
use crate::geometry::id::ErrorKind;
use crate::geometry::permutation::PValue;
use crate::geometry::similarity::Measure;
use crate::geometry::{Known, known};
use crate::neighbours::Metric;
use crate::profile::compare::LayerRef;
use crate::profile::compare::{ComparedLayer, LayerMatrix};
use crate::profile::parameters::RowParameters;
use crate::warning::Warning;

/// Similarities between layers.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SimilarityProfile {
    /// How they were computed.
    pub parameters: SimilarityParameters,
    /// Common rows, N.
    pub n: usize,
    /// The layers; those of the target where sources are ranked.
    pub layers: Vec<ComparedLayer>,
    /// The layers of the other dump, if there is one.
    pub against: Option<Vec<ComparedLayer>>,
    /// Every pair that was asked for, by every measure.
    pub pairs: Vec<SimilarityPair>,
    /// The same as matrices, one for each measure, where all layers were compared.
    pub matrices: Vec<SimilarityMatrix>,
    /// Sources by how alike they are to the target, best first, measure by measure; one source
    /// where the layers of two dumps were matched.
    pub ranking: Vec<RankedSource>,
    /// Rank correlations of similarity with values of an external table.
    pub joined: Vec<Joined>,
    /// Warnings about the run.
    pub warnings: Vec<Warning>,
}

/// The options, echoed.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SimilarityParameters {
    /// What was asked for; null where it was not used.
    #[serde(flatten)]
    pub options: SimilarityOptions,
    /// The distance of the imbalance and the overlap, where they were used.
    pub metric: Option<Metric>,
    /// Neighbours of the imbalance, where it was used.
    pub imbalance_k: Option<usize>,
    /// Neighbours of the overlap, where it was used.
    pub overlap_k: Option<usize>,
    /// How layers became points.
    #[serde(flatten)]
    pub rows: RowParameters,
}

/// Two layers by one measure.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SimilarityPair {
    /// The dump of the second layer, where several sources are ranked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The first layer.
    pub a: LayerRef,
    /// The second.
    pub b: LayerRef,
    /// The quantity.
    pub measure: &'static Measure,
    /// Rows that it rests on.
    pub n: usize,
    /// The number, or why there is none.
    #[serde(flatten)]
    pub outcome: Known<SimilarityValue>,
    /// The number of b → a; absent where the measure is symmetric.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backward: Option<f64>,
    /// What rows without a common order have on average; of the mean squared correlation for CCA.
    pub chance: Option<f64>,
    /// Mean squared canonical correlation; absent for other measures.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean_squared: Option<f64>,
    /// Dimensions of the two spaces; absent for other measures.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dimensions: Option<[usize; 2]>,
    /// The same in disjoint parts of the rows; absent unless asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partitions: Option<Parts>,
    /// What permuted rows give; absent unless asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub null: Option<Null>,
}

known! {
    /// A measure of two layers.
    #[derive(Debug, Clone, Copy, PartialEq)]
    pub struct SimilarityValue {
        /// The number: of a → b where the measure has a direction.
        pub value: f64,
        /// Standard error of `value`.
        pub std_error: Option<f64>,
        /// Where the error comes from.
        pub error_kind: Option<ErrorKind>,
    }
}

impl SimilarityPair {
    /// The number, where it exists.
    pub fn value(&self) -> Option<f64> {
        self.outcome.ok().map(|found| found.value)
    }

    /// Its standard error, where it has one.
    pub fn std_error(&self) -> Option<f64> {
        self.outcome.ok()?.std_error
    }
}

/// A pair in disjoint parts of the rows.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "SimilarityParts"))]
pub struct Parts {
    /// Rows of the smallest part.
    pub n: usize,
    /// The value in every part.
    pub values: Vec<Option<f64>>,
    /// Their mean; `None` if one is missing.
    pub mean: Option<f64>,
}

/// A pair whose second layer had its rows permuted.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "SimilarityNull"))]
pub struct Null {
    /// Mean over permutations.
    pub mean: f64,
    /// Standard deviation over them.
    pub std_dev: Option<f64>,
    /// How few orders of the rows are at least as alike as the layers.
    #[serde(flatten)]
    pub p: PValue,
}

/// One measure between all layers.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SimilarityMatrix {
    /// The quantity.
    pub measure: &'static Measure,
    /// Rows to columns.
    #[serde(flatten)]
    pub values: LayerMatrix,
}

/// One source by one measure over matched layers.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RankedSource {
    /// Its dump; `None` where two dumps were compared without a ranking.
    pub source: Option<String>,
    /// The quantity.
    pub measure: &'static Measure,
    /// Place among the sources by this measure, from 1; `None` without a mean.
    pub rank: Option<usize>,
    /// Mean over layers of the similarity; `None` if one is missing.
    pub mean: Option<f64>,
    /// Layer by layer, as a similarity that is 1 for equal layers.
    pub similarities: Vec<Option<f64>>,
    /// How deep the source stays like the target, or why there is no such layer.
    #[serde(flatten)]
    pub outcome: Known<Unchanged>,
}

known! {
    /// Up to where layers are alike.
    #[derive(Debug, Clone, PartialEq)]
    pub struct Unchanged {
        /// The last layer before the first whose similarity is below the threshold.
        pub unchanged_up_to: LayerRef,
    }
}

impl RankedSource {
    /// The last layer before the first whose similarity is below the threshold.
    pub fn unchanged_up_to(&self) -> Option<&LayerRef> {
        self.outcome.ok().map(|found| &found.unchanged_up_to)
    }
}

/// The rank correlation of a source's similarities with values of an external table.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Joined {
    /// The source, as in the ranking.
    pub source: Option<String>,
    /// The quantity.
    pub measure: &'static Measure,
    /// The column of the table.
    pub column: String,
    /// Layers with both values.
    pub n: usize,
    /// The correlation, or why there is none.
    #[serde(flatten)]
    pub outcome: Known<RankTest>,
}

known! {
    /// A rank correlation and how often chance is as far from 0.
    #[derive(Debug, Clone, Copy, PartialEq)]
    pub struct RankTest {
        /// Spearman's rank correlation.
        pub spearman: f64,
        /// Share of the orders of the values with a correlation at least as far from 0, two-sided:
        /// of all orders of up to 8 values, else of 9999 drawn ones and the one found.
        pub p_value: f64,
        /// The standard error of `p_value`, where orders were drawn.
        pub p_std_error: Option<f64>,
        /// How many orders it is a share of.
        pub n_orders: usize,
    }
}
