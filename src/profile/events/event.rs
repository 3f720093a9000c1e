//! One event: its rule, and what was found or why nothing was.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::geometry::{Known, Reason, known};

known! {
    /// What stands in a report as `found`.
    #[derive(Debug, Clone, Copy, PartialEq)]
    pub struct Found<F> {
        /// What was found.
        pub found: F,
    }
}

/// One event: its rule, and what was found or why nothing was.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(
    test,
    schemars(
        rename = "Event_for_{F}",
        bound = "F: Serialize + schemars::JsonSchema"
    )
)]
pub struct Event<F> {
    /// The rule, in words.
    pub rule: &'static str,
    /// The numbers of the rule.
    pub parameters: BTreeMap<&'static str, f64>,
    /// What was found, or why nothing was.
    #[serde(flatten)]
    pub outcome: Known<Found<F>>,
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
            outcome: outcome.map(|found| Found { found }).into(),
        }
    }

    /// What was found.
    pub fn found(&self) -> Option<&F> {
        self.outcome().ok()
    }

    /// What was found, by value.
    pub fn into_found(self) -> Option<F> {
        self.outcome.0.ok().map(|one| one.found)
    }

    /// Why nothing was.
    pub fn reason(&self) -> Option<Reason> {
        self.outcome.reason()
    }

    /// What was found, or why nothing was.
    ///
    /// # Errors
    /// The reason.
    pub fn outcome(&self) -> Result<&F, Reason> {
        match &self.outcome.0 {
            Ok(one) => Ok(&one.found),
            Err(reason) => Err(*reason),
        }
    }
}
