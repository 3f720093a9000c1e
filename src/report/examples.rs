//! Writes what edited attention does to every single example.

use std::path::Path;

use super::write::csv::plain_csv;
use crate::error::Result;
use crate::mechanisms::model::Outcome;
use crate::mechanisms::modify::ExampleOutcome;
use crate::storage::write_atomically;

/// A line an edit and example: `example` from 0, `edit` (empty where all heads are edited), `alpha`
/// (empty where every head has its own factor), `outcome`, both logits and their difference.
///
/// # Errors
/// [`Error::Write`](crate::Error::Write).
pub fn write_examples(path: &Path, examples: &[ExampleOutcome]) -> Result<()> {
    let header = [
        "example",
        "edit",
        "alpha",
        "outcome",
        "logit_fact",
        "logit_counterfactual",
        "delta",
    ];
    let lines = examples.iter().map(|one| {
        let outcome = match one.outcome {
            Outcome::Fact => "fact",
            Outcome::Counterfactual => "counterfactual",
            Outcome::Other => "other",
        };
        let delta = one.logit_counterfactual - one.logit_fact;
        vec![
            one.example.to_string(),
            one.edit.clone().unwrap_or_default(),
            one.alpha.map(|alpha| alpha.to_string()).unwrap_or_default(),
            outcome.to_owned(),
            one.logit_fact.to_string(),
            one.logit_counterfactual.to_string(),
            delta.to_string(),
        ]
    });
    write_atomically(path, plain_csv(&header, lines).as_bytes())
}
