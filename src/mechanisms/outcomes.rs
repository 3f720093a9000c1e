//! Counts which token wins at the last position, with both logits, over all examples or one group.

use serde::Serialize;

use super::model::{LastLogits, Outcome};
use super::share::Share;
use super::stat::{Group, Stat, share};
use crate::geometry::Reason;

/// Outcomes and logits of some examples.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Outcomes {
    /// Number of examples.
    pub n: usize,
    /// The factual token has the largest logit.
    pub fact: Share,
    /// The counterfactual token has it.
    pub counterfactual: Share,
    /// Another token has it.
    pub other: Share,
    /// Share of examples in which the factual token is above the counterfactual one.
    pub fact_above: Option<f64>,
    /// Logit of the factual token.
    pub logit_fact: Stat,
    /// Logit of the counterfactual token.
    pub logit_counterfactual: Stat,
    /// Counterfactual − factual.
    pub delta: Stat,
    /// Why there are no numbers.
    pub reason: Option<Reason>,
}

impl Outcomes {
    /// Of the members of a group; `logits` are those of all examples.
    pub(super) fn of(group: &Group, logits: &[LastLogits], centred: bool) -> Self {
        let members: Vec<&LastLogits> = group.members.iter().map(|&i| &logits[i]).collect();
        let n = members.len();
        let won = |outcome| {
            let count = members.iter().filter(|x| x.outcome() == outcome).count();
            Share::of(count, n)
        };
        let column = |value: fn([f64; 2]) -> f64| {
            let pairs = members.iter().map(|x| value(x.pair(centred)));
            Stat::of(&pairs.collect::<Vec<f64>>())
        };
        Self {
            n,
            fact: won(Outcome::Fact),
            counterfactual: won(Outcome::Counterfactual),
            other: won(Outcome::Other),
            fact_above: share(members.iter().map(|x| x.fact > x.counterfactual)),
            logit_fact: column(|pair| pair[0]),
            logit_counterfactual: column(|pair| pair[1]),
            delta: Stat::of(&members.iter().map(|x| x.delta()).collect::<Vec<f64>>()),
            reason: (n == 0).then_some(Reason::TooFewRows),
        }
    }
}
