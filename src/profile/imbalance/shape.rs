//! Shapes what `repgeo imbalance` reports.

use serde::Serialize;

use super::options::ImbalanceOptions;
use crate::geometry::id::ErrorKind;
use crate::geometry::permutation::PValue;
use crate::geometry::relation::Relation;
use crate::geometry::{Known, known};
use crate::neighbours::Metric;
use crate::profile::compare::{ComparedLayer, LayerMatrix, LayerRef};
use crate::profile::events::Run;
use crate::profile::parameters::RowParameters;
use crate::warning::Warning;

pub use crate::profile::events::Direction;

/// Imbalances between layers.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ImbalanceProfile {
    /// How they were computed.
    pub parameters: ImbalanceParameters,
    /// Common rows, N.
    pub n: usize,
    /// The layers.
    pub layers: Vec<ComparedLayer>,
    /// The layers of the other dump, if there is one.
    pub against: Option<Vec<ComparedLayer>>,
    /// Every pair that was asked for, at every k.
    pub pairs: Vec<ImbalancePair>,
    /// The same as matrices, one for each k, where all layers were compared.
    pub matrices: Vec<ImbalanceMatrix>,
    /// Expansion and compression along the layers, for each k, where consecutive layers were compared.
    pub steps: Vec<Steps>,
    /// The closest layers of two dumps, for each k.
    pub best_pairs: Vec<BestPair>,
    /// Warnings about the run.
    pub warnings: Vec<Warning>,
}

/// The options, echoed.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ImbalanceParameters {
    /// What was asked for; of the numbers of neighbours those that the rows allow.
    #[serde(flatten)]
    pub options: ImbalanceOptions,
    /// The distance.
    pub metric: Metric,
    /// How layers became points.
    #[serde(flatten)]
    pub rows: RowParameters,
    /// The rule behind `relation`.
    pub relation_rule: &'static str,
}

/// Two layers at one k.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ImbalancePair {
    /// The first layer.
    pub a: LayerRef,
    /// The second.
    pub b: LayerRef,
    /// Number of neighbours.
    pub k: usize,
    /// Rows, N.
    pub n: usize,
    /// (k + 1)/N, the least that can be; null without rows.
    pub floor: Option<f64>,
    /// Both imbalances, or why there are none.
    #[serde(flatten)]
    pub outcome: Known<BothWays>,
    /// How errors were computed.
    pub error_kind: ErrorKind,
    /// The same in disjoint parts of the rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partitions: Option<Parts>,
    /// What permuted rows give, a→b then b→a.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shuffle: Option<[Null; 2]>,
}

known! {
    /// The imbalances of two layers.
    #[derive(Debug, Clone, Copy, PartialEq)]
    pub struct BothWays {
        /// Δ(a→b).
        pub forward: f64,
        /// Δ(b→a).
        pub backward: f64,
        /// Standard error of `forward`.
        pub std_error_forward: f64,
        /// Standard error of `backward`.
        pub std_error_backward: f64,
        /// What the two say in a word.
        pub relation: Relation,
    }
}

impl ImbalancePair {
    /// Δ(a→b) and its standard error, where it exists.
    pub fn forward(&self) -> [Option<f64>; 2] {
        let found = self.outcome.ok();
        let error = found.map(|both| both.std_error_forward);
        [found.map(|both| both.forward), error]
    }

    /// Δ(b→a) and its standard error, where it exists.
    pub fn backward(&self) -> [Option<f64>; 2] {
        let found = self.outcome.ok();
        let error = found.map(|both| both.std_error_backward);
        [found.map(|both| both.backward), error]
    }
}

/// A pair computed again in disjoint parts of the rows.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "ImbalanceParts"))]
pub struct Parts {
    /// Rows of the smallest part.
    pub n: usize,
    /// (k + 1)/n there; null without rows.
    pub floor: Option<f64>,
    /// Mean of Δ(a→b) over parts.
    pub forward: Option<f64>,
    /// Mean of Δ(b→a).
    pub backward: Option<f64>,
    /// Standard deviation over parts (ddof 1) of Δ(a→b).
    pub std_forward: Option<f64>,
    /// The same of Δ(b→a).
    pub std_backward: Option<f64>,
    /// std/√parts of Δ(a→b).
    pub std_error_forward: Option<f64>,
    /// The same of Δ(b→a).
    pub std_error_backward: Option<f64>,
}

/// What the imbalance is when the rows of the second layer are permuted.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "ImbalanceNull"))]
pub struct Null {
    /// Mean over permutations; 1 but for chance.
    pub mean: f64,
    /// Their standard deviation (ddof 1).
    pub std: Option<f64>,
    /// How few orders of the rows have an imbalance as small.
    #[serde(flatten)]
    pub p: PValue,
}

/// One matrix, rows to columns; the floor stands where a layer meets itself.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ImbalanceMatrix {
    /// Number of neighbours.
    pub k: usize,
    /// (k + 1)/N; null without rows.
    pub floor: Option<f64>,
    /// Δ(row→column).
    #[serde(flatten)]
    pub forward: LayerMatrix,
    /// Δ(column→row) of two dumps, with the layers of the second as rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backward: Option<LayerMatrix>,
}

/// Relative differences along the layers at one k.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "ImbalanceSteps"))]
pub struct Steps {
    /// Number of neighbours.
    pub k: usize,
    /// R between each layer and the next.
    pub steps: Vec<Step>,
    /// Neighbouring steps of one direction.
    pub runs: Vec<Run>,
}

/// From one layer to the next.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "ImbalanceStep"))]
pub struct Step {
    /// The layer.
    pub from: String,
    /// The next one.
    pub to: String,
    /// R = (Δ(l→l+1) − Δ(l+1→l)) / mean: > 0 expansion, < 0 contraction.
    pub relative_difference: Option<f64>,
    /// Standard error of R, from those of both imbalances.
    pub std_error: Option<f64>,
    /// Expansion or contraction where R says so beyond two of its errors and the layers are neither
    /// equivalent nor independent.
    pub direction: Option<Direction>,
}

/// The layers of two dumps with the smallest max(Δ(a→b), Δ(b→a)).
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct BestPair {
    /// Number of neighbours.
    pub k: usize,
    /// The layer of the first dump.
    pub a: LayerRef,
    /// The layer of the second.
    pub b: LayerRef,
    /// max(Δ(a→b), Δ(b→a)).
    pub information_imbalance: f64,
    /// `information_imbalance` over the median of all pairs.
    pub ratio_to_median: Option<f64>,
    /// Whether both lie in the high-dimensional phase of their dump, by TwoNN over its layers;
    /// `None` where a dump has no such phase.
    pub in_high_phases: Option<bool>,
}
