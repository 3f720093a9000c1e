//! Options of the lens, and the shape of what `repgeo logit-lens` reports.

use serde::Serialize;

use crate::choice::choice;
use crate::geometry::Reason;
use crate::input::Labels;
use crate::mechanisms::model::LastLogits;
use crate::mechanisms::spots::Positions;
use crate::mechanisms::stat::Stat;
use crate::warning::Warning;

choice! {
    /// Which stream is read.
    pub enum LensStream {
        /// After the block.
        ResidPost = "resid_post",
        /// Before the block.
        ResidPre = "resid_pre",
        /// Between attention and MLP.
        ResidMid = "resid_mid",
        /// What the attention adds.
        AttnOut = "attn_out",
        /// What the MLP adds.
        MlpOut = "mlp_out",
    }
}

choice! {
    /// Which standard deviation the stream is divided by.
    pub enum LensScale {
        /// That of the last block's output at the same position: contributions then add up.
        Final = "final",
        /// Its own: what the model would say if it ended there.
        Own = "own",
    }
}

/// What is asked of the lens.
#[derive(Debug, Clone, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LensOptions {
    /// The stream.
    pub stream: LensStream,
    /// Its scale.
    pub scale: LensScale,
    /// Adds c_t, so that the last block gives the centred logit.
    pub with_bias: bool,
    /// The places.
    pub positions: Positions,
    /// Ranks and three-way shares, from the full vocabulary.
    pub rank: bool,
    /// How many tokens to list.
    pub top_k: usize,
    /// A class for each example.
    #[serde(rename = "group_by")]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub groups: Option<Labels>,
    /// Keeps what every example has.
    #[serde(skip)]
    pub keep_examples: bool,
}

/// What the lens shows.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LogitLens {
    /// What was asked for, defaults included.
    pub parameters: LensParameters,
    /// Number of examples.
    pub n: usize,
    /// Rows by block, place and group.
    pub rows: Vec<LensRow>,
    /// Warnings about it.
    pub warnings: Vec<Warning>,
    /// What every example has in every block at every place; empty unless asked for, and in no
    /// report.
    #[serde(skip)]
    pub examples: Vec<PlaceLogits>,
}

/// The logits of every example in one block at one place.
#[derive(Debug, Clone, PartialEq)]
pub struct PlaceLogits {
    /// Name of the stream, as in [`LensRow::layer`].
    pub layer: String,
    /// Name of the place.
    pub position: String,
    /// For each example the logits of the factual and the counterfactual token; `None` where the
    /// example has no such place.
    pub logits: Vec<Option<[f64; 2]>>,
    /// What the whole vocabulary says of each example; `None` unless asked for.
    pub vocabulary: Option<Vec<Option<LastLogits>>>,
}

/// What was asked of the lens.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LensParameters {
    /// The options.
    #[serde(flatten)]
    pub options: LensOptions,
    /// Whether logits are relative to their mean over the vocabulary.
    pub centred: bool,
}

/// One block at one place, over all examples or one group.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LensRow {
    /// Name of the stream.
    pub layer: String,
    /// Its block.
    pub index: usize,
    /// Name of the place.
    pub position: String,
    /// The group; `None` for all examples.
    pub group: Option<String>,
    /// Examples that have the place.
    pub n: usize,
    /// Logit of the factual token.
    pub fact: Stat,
    /// Logit of the counterfactual token.
    pub counterfactual: Stat,
    /// Counterfactual − factual.
    pub delta: Stat,
    /// Share of examples in which the factual token is above the counterfactual one.
    pub fact_above: Option<f64>,
    /// How often each target has the largest logit; `None` unless asked for.
    pub winners: Option<Winners>,
    /// The tokens most often among the largest logits; empty unless asked for.
    pub top: Vec<TopToken>,
    /// Why there are no numbers.
    pub reason: Option<Reason>,
}

/// Whose logit is the largest of the whole vocabulary, and the mean ranks (0 is the largest).
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Winners {
    /// Share of examples won by the factual token.
    pub fact: f64,
    /// Share won by the counterfactual token.
    pub counterfactual: f64,
    /// Share won by another.
    pub other: f64,
    /// Mean number of tokens above the factual one.
    pub rank_fact: f64,
    /// Mean number of tokens above the counterfactual one.
    pub rank_counterfactual: f64,
}

/// A token, and in which share of examples it is among the largest logits.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TopToken {
    /// Its id.
    pub token: u32,
    /// Share of examples.
    pub share: f64,
}
