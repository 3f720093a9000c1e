//! Options of an attribution, and the shape of what `repgeo attribution` reports.

use serde::Serialize;

use crate::choice::choice;
use crate::geometry::Reason;
use crate::input::Labels;
use crate::mechanisms::model::ValueBias;
use crate::mechanisms::spots::Positions;
use crate::mechanisms::stat::Stat;
use crate::warning::Warning;

choice! {
    /// Into which parts the logit is taken apart.
    pub enum Parts {
        /// Attention and MLP of every block.
        Block = "block",
        /// Every head instead of the attention as a whole.
        Head = "head",
        /// Both.
        Both = "both",
    }
}

/// What is asked for.
#[derive(Debug, Clone, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AttributionOptions {
    /// Into which parts.
    #[serde(rename = "by")]
    pub parts: Parts,
    /// Where the constant part of the values is counted.
    pub value_bias: ValueBias,
    /// The places.
    pub positions: Positions,
    /// A class for each example.
    #[serde(rename = "group_by")]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub groups: Option<Labels>,
    /// Compares the sums with the last lens, and the logits if the dump has them.
    #[serde(skip)]
    pub check: bool,
    /// Keeps what every example has.
    #[serde(skip)]
    pub keep_examples: bool,
}

/// What adds to the residual stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ComponentKind {
    /// Token embedding, or the whole input of block 0 where only that was dumped.
    Embed,
    /// Position embedding.
    PosEmbed,
    /// Attention of a block, b_O included.
    AttnOut,
    /// MLP of a block.
    MlpOut,
    /// One head, without b_O.
    Head,
    /// b_O of all blocks; with folded value biases the values' constants too.
    Bias,
}

/// One component at one place, over all examples or one group.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ComponentRow {
    /// Its name: `embed`, `blocks.3.attn_out`, `blocks.3.head.2`, `bias`, …
    pub component: String,
    /// What it is.
    pub kind: ComponentKind,
    /// Its block.
    pub layer: Option<usize>,
    /// Its head.
    pub head: Option<usize>,
    /// Name of the place.
    pub position: String,
    /// The group; `None` for all examples.
    pub group: Option<String>,
    /// Examples that have the place.
    pub n: usize,
    /// Contribution to the logit of the factual token.
    pub fact: Stat,
    /// Contribution to that of the counterfactual token.
    pub counterfactual: Stat,
    /// Counterfactual − factual.
    pub delta: Stat,
    /// Share among the heads whose mean delta has the same sign; heads only.
    pub share: Option<f64>,
    /// Why there are no numbers.
    pub reason: Option<Reason>,
}

/// How well sums reproduce what they must.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "AttributionCheck"))]
pub struct Check {
    /// Largest |Σ contributions − last lens| over examples, places and both tokens, by block.
    pub blocks: Option<f64>,
    /// The same with heads.
    pub heads: Option<f64>,
    /// Largest |last lens| among them, for scale.
    pub largest: f64,
    /// Largest |lens + c_t − centred logit| against `logits_last`, if the dump has them.
    pub logits: Option<f64>,
}

/// All contributions.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Attribution {
    /// What was asked for, defaults included.
    pub parameters: AttributionParameters,
    /// Number of examples.
    pub n: usize,
    /// Rows by place, group and component.
    pub components: Vec<ComponentRow>,
    /// How well the sums reproduce the last lens; `None` unless asked for.
    pub check: Option<Check>,
    /// Warnings about the run.
    pub warnings: Vec<Warning>,
    /// What every example has at every place; empty unless asked for, and in no report.
    #[serde(skip)]
    pub examples: Vec<PlaceContributions>,
}

/// The contributions of every component in every example at one place.
#[derive(Debug, Clone, PartialEq)]
pub struct PlaceContributions {
    /// Name of the place.
    pub position: String,
    /// Names of the components, as in [`ComponentRow::component`].
    pub components: Vec<String>,
    /// For each example the contributions of each component to the logits of the factual and the
    /// counterfactual token; `None` where the example has no such place.
    pub examples: Vec<Option<Vec<[f64; 2]>>>,
}

/// What was asked for.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AttributionParameters {
    /// The options.
    #[serde(flatten)]
    pub options: AttributionOptions,
    /// Whether logits are relative to their mean over the vocabulary.
    pub centred: bool,
}
