//! Options of an ablation, and the shape of what `repgeo ablate` reports.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::choice::choice;
use crate::input::Labels;
use crate::mechanisms::model::{BlockPart, Outcome, Precision};
use crate::mechanisms::outcomes::Outcomes;
use crate::mechanisms::stat::Stat;
use crate::warning::Warning;

choice! {
    /// What stands in place of a component.
    pub enum Replacement {
        /// Its mean in the unchanged model, over all examples at the tokens where it is replaced.
        Mean = "mean",
        /// Zero.
        Zero = "zero",
    }
}

choice! {
    /// At which tokens a component is replaced.
    pub enum Place {
        /// The last of every example.
        Last = "last",
        /// All.
        All = "all",
    }
}

/// What is asked for.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AblateOptions {
    /// The components, one at a time unless `together`.
    #[cfg_attr(test, schemars(with = "Vec<String>"))]
    pub components: Vec<BlockPart>,
    /// What stands in their place.
    pub with: Replacement,
    /// At which tokens.
    pub at: Place,
    /// Replaces all of them at once.
    pub together: bool,
    /// Logits minus their mean over the vocabulary.
    pub centred: bool,
    /// A class for each example; means stay those over all examples.
    #[serde(rename = "group_by")]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub groups: Option<Labels>,
    /// Keeps what every example does.
    #[serde(skip)]
    pub keep_examples: bool,
    /// Bytes that may be held beside the mapped checkpoint; no limit if `None`. Changes no number.
    #[serde(skip)]
    pub max_memory: Option<u64>,
}

/// What was asked for.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AblateParameters {
    /// The options.
    #[serde(flatten)]
    pub options: AblateOptions,
    /// Whether keys and values came from a dump.
    pub replay: bool,
    /// The precision of the pass.
    pub precision: Precision,
}

/// Outcomes by component.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Ablation {
    /// What was asked for, defaults included.
    pub parameters: AblateParameters,
    /// Number of examples.
    pub n: usize,
    /// Rows by component and group, those of the unchanged model first.
    pub rows: Vec<AblationRow>,
    /// Warnings about the run.
    pub warnings: Vec<Warning>,
    /// What every example does; empty unless asked for, and in no report.
    #[serde(skip)]
    pub examples: Vec<ExampleAblation>,
}

/// What was replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ablated {
    /// Nothing: the unchanged model.
    Nothing,
    /// One component.
    One(BlockPart),
    /// All of those that were asked for.
    Together,
}

impl fmt::Display for Ablated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("nothing"),
            Self::One(part) => part.fmt(f),
            Self::Together => f.write_str("together"),
        }
    }
}

impl Serialize for Ablated {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// One component, over all examples or one group.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AblationRow {
    /// What was replaced: `nothing`, a component, or `together`.
    #[cfg_attr(test, schemars(with = "String"))]
    pub component: Ablated,
    /// The group; `None` for all examples.
    pub group: Option<String>,
    /// `delta` less that of the unchanged model, example by example.
    pub effect: Stat,
    /// What came out.
    #[serde(flatten)]
    pub outcomes: Outcomes,
}

/// What one example does without one component.
#[derive(Debug, Clone, PartialEq)]
pub struct ExampleAblation {
    /// The example, from 0.
    pub example: usize,
    /// What was replaced.
    pub component: Ablated,
    /// The token with the largest logit.
    pub outcome: Outcome,
    /// Logits of the factual and of the counterfactual token.
    pub logits: [f64; 2],
    /// Their difference less that of the unchanged model.
    pub effect: f64,
}
