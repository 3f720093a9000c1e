//! One event: its rule, and what was found or why nothing was.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::geometry::Reason;

/// One event: its rule, and what was found or why nothing was.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Event_for_{F}"))]
pub struct Event<F> {
    /// The rule, in words.
    pub rule: &'static str,
    /// The numbers of the rule.
    pub parameters: BTreeMap<&'static str, f64>,
    /// What was found.
    pub found: Option<F>,
    /// Why nothing was.
    pub reason: Option<Reason>,
}

impl<F> Event<F> {
    pub(super) fn new<const N: usize>(
        rule: &'static str,
        parameters: [(&'static str, f64); N],
        outcome: Result<F, Reason>,
    ) -> Self {
        Self {
            rule,
            parameters: parameters.into(),
            reason: outcome.as_ref().err().copied(),
            found: outcome.ok(),
        }
    }

    pub(super) fn outcome(&self) -> Result<&F, Reason> {
        self.found
            .as_ref()
            .ok_or(self.reason.unwrap_or(Reason::NotReached))
    }
}
