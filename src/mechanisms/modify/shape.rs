//! Options of edited attention, and the shape of what `repgeo attention-modify` reports.

use serde::{Serialize, Serializer};

use crate::choice::choice;
use crate::input::Labels;
use crate::mechanisms::model::{EditMode, Head, Outcome, Precision, ValueBias};
use crate::mechanisms::outcomes::Outcomes;
use crate::warning::Warning;

/// The attended positions that are edited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Key {
    /// The attribute (`attr_pos`).
    #[default]
    Attribute,
    /// The subject of the premise (slots 1 to 3).
    Subject,
    /// The whole row.
    All,
    /// One position, the same in every example.
    Index(usize),
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Attribute => f.write_str("attr"),
            Self::Subject => f.write_str("subject"),
            Self::All => f.write_str("all"),
            Self::Index(at) => write!(f, "{at}"),
        }
    }
}

impl Serialize for Key {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What is asked for.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ModifyOptions {
    /// The heads that are edited, all at once or as `each` says.
    pub heads: Vec<Head>,
    /// A factor of its own for each of the heads in place of alpha, null for none; absent where no
    /// head has one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub factors: Vec<Option<f64>>,
    /// What is edited at a time; absent where all heads are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub each: Option<Each>,
    /// The edited positions: `attr`, `subject`, `all` or an index.
    #[cfg_attr(test, schemars(with = "String"))]
    pub key: Key,
    /// The factors; 1, the baseline, is always among them.
    #[serde(skip)]
    pub alphas: Vec<f64>,
    /// Where the factor goes.
    pub mode: EditMode,
    /// What of the values it scales.
    pub value_bias: ValueBias,
    /// Logits minus their mean over the vocabulary.
    pub centred: bool,
    /// A class for each example.
    #[serde(rename = "group_by")]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub groups: Option<Labels>,
    /// Names the factor with the most factual outcomes.
    #[serde(skip)]
    pub select: bool,
    /// Keeps what every example does.
    #[serde(skip)]
    pub keep_examples: bool,
    /// Bytes that may be held beside the mapped checkpoint; no limit if `None`. Changes no number.
    #[serde(skip)]
    pub max_memory: Option<u64>,
}

/// Outcomes by factor.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AttentionModify {
    /// What was asked for, defaults included.
    pub parameters: ModifyParameters,
    /// Number of examples.
    pub n: usize,
    /// Attention weights that are edited, over all examples and heads.
    pub n_edited: usize,
    /// Rows by factor and group.
    pub rows: Vec<ModifyRow>,
    /// The factor with the most factual outcomes, the smaller on ties; `None` unless asked for.
    pub selected: Option<f64>,
    /// Warnings about the run.
    pub warnings: Vec<Warning>,
    /// What every example does under every edit; empty unless asked for, and in no report.
    #[serde(skip)]
    pub examples: Vec<ExampleOutcome>,
}

choice! {
    /// Which of the heads are edited at a time.
    pub enum Each {
        /// Those of one block, block after block.
        Layer = "layer",
        /// One, head after head.
        Head = "head",
    }
}

/// What one example does under one edit.
#[derive(Debug, Clone, PartialEq)]
pub struct ExampleOutcome {
    /// The example, from 0.
    pub example: usize,
    /// What was edited, where that changes from row to row.
    pub edit: Option<String>,
    /// The factor; `None` where every head has its own.
    pub alpha: Option<f64>,
    /// The token with the largest logit.
    pub outcome: Outcome,
    /// Logit of the factual token.
    pub logit_fact: f64,
    /// Logit of the counterfactual token.
    pub logit_counterfactual: f64,
}

/// What was asked for.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ModifyParameters {
    /// The options.
    #[serde(flatten)]
    pub options: ModifyOptions,
    /// Whether keys and values came from a dump.
    pub replay: bool,
    /// The precision of the pass.
    pub precision: Precision,
}

/// One factor, over all examples or one group.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ModifyRow {
    /// The block or head that was edited alone; absent where all are, and for the unedited model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edit: Option<String>,
    /// The factor; null where every head has its own.
    pub alpha: Option<f64>,
    /// The group; `None` for all examples.
    pub group: Option<String>,
    /// What came out.
    #[serde(flatten)]
    pub outcomes: Outcomes,
}
