//! Writes what every single example does, as a file beside the report of a mechanism.

use std::path::Path;

use super::write::csv::plain_csv;
use super::zero::plain;
use crate::error::Result;
use crate::mechanisms::ablate::ExampleAblation;
use crate::mechanisms::attribution::{PlaceContributions, RunAttribution};
use crate::mechanisms::lens::{PlaceLogits, RunLens};
use crate::mechanisms::model::Outcome;
use crate::mechanisms::modify::ExampleOutcome;
use crate::storage::write_atomically;

/// A line an edit and example: `example` from 0, `edit` (empty where all heads are edited), `alpha`
/// (empty where every head has its own factor), `outcome`, both logits and their difference.
///
/// # Errors
/// [`Error::Write`](crate::Error::Write).
pub fn write_outcomes(path: &Path, examples: &[ExampleOutcome]) -> Result<()> {
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
        let start = [
            one.example.to_string(),
            one.edit.clone().unwrap_or_default(),
            one.alpha.map(plain).unwrap_or_default(),
            name(one.outcome).to_owned(),
        ];
        let logits = pair(Some([one.logit_fact, one.logit_counterfactual]));
        [&start[..], &logits].concat()
    });
    write_atomically(path, plain_csv(&header, lines).as_bytes())
}

/// A line a block, place and example: `example` from 0, `layer`, `position`, both logits and their
/// difference; of the whole vocabulary `outcome`, both ranks and the `top` tokens, best first, empty
/// where they were not asked for. An example without the place has a line without numbers.
///
/// # Errors
/// [`Error::Write`](crate::Error::Write).
pub fn write_logits(path: &Path, places: &[PlaceLogits]) -> Result<()> {
    let table = plain_csv(&LOGITS[1..], logits(None, places));
    write_atomically(path, table.as_bytes())
}

/// The same of several runs, the name of the run first.
///
/// # Errors
/// [`Error::Write`](crate::Error::Write).
pub fn write_logits_of_runs(path: &Path, runs: &[RunLens]) -> Result<()> {
    let lines = runs
        .iter()
        .flat_map(|run| logits(Some(&run.run), &run.examples));
    write_atomically(path, plain_csv(&LOGITS, lines).as_bytes())
}

const LOGITS: [&str; 11] = [
    "run",
    "example",
    "layer",
    "position",
    "logit_fact",
    "logit_counterfactual",
    "delta",
    "outcome",
    "rank_fact",
    "rank_counterfactual",
    "top",
];

fn logits<'a>(
    run: Option<&'a str>,
    places: &'a [PlaceLogits],
) -> impl Iterator<Item = Vec<String>> + 'a {
    places.iter().flat_map(move |place| {
        let examples = place.logits.iter().enumerate();
        examples.map(move |(example, logits)| {
            let start = [
                example.to_string(),
                place.layer.clone(),
                place.position.clone(),
            ];
            let whole = place.vocabulary.as_ref();
            let whole = match whole.and_then(|all| all[example].as_ref()) {
                None => Default::default(),
                Some(found) => [
                    name(found.outcome()).to_owned(),
                    found.ranks[0].to_string(),
                    found.ranks[1].to_string(),
                    spaced(&found.top),
                ],
            };
            let run = run.map(str::to_owned).into_iter();
            let numbers = pair(*logits).into_iter().chain(whole);
            run.chain(start).chain(numbers).collect()
        })
    })
}

/// A line a place, component and example: `example` from 0, `position`, `component`, its
/// contributions to both logits and their difference. An example without the place has a line
/// without numbers.
///
/// # Errors
/// [`Error::Write`](crate::Error::Write).
pub fn write_contributions(path: &Path, places: &[PlaceContributions]) -> Result<()> {
    let table = plain_csv(&CONTRIBUTIONS[1..], contributions(None, places));
    write_atomically(path, table.as_bytes())
}

/// The same of several runs, the name of the run first.
///
/// # Errors
/// [`Error::Write`](crate::Error::Write).
pub fn write_contributions_of_runs(path: &Path, runs: &[RunAttribution]) -> Result<()> {
    let lines = runs
        .iter()
        .flat_map(|run| contributions(Some(&run.run), &run.examples));
    write_atomically(path, plain_csv(&CONTRIBUTIONS, lines).as_bytes())
}

const CONTRIBUTIONS: [&str; 7] = [
    "run",
    "example",
    "position",
    "component",
    "fact",
    "counterfactual",
    "delta",
];

fn contributions<'a>(
    run: Option<&'a str>,
    places: &'a [PlaceContributions],
) -> impl Iterator<Item = Vec<String>> + 'a {
    places.iter().flat_map(move |place| {
        let components = place.components.iter().enumerate();
        components.flat_map(move |(at, component)| {
            let examples = place.examples.iter().enumerate();
            examples.map(move |(example, found)| {
                let start = [
                    example.to_string(),
                    place.position.clone(),
                    component.clone(),
                ];
                let run = run.map(str::to_owned).into_iter();
                let numbers = pair(found.as_ref().map(|all| all[at]));
                run.chain(start).chain(numbers).collect()
            })
        })
    })
}

/// A line a replacement and example: `example` from 0, `component` (`nothing` for the unchanged
/// model), `outcome`, both logits, their difference, and by how much the replacement changed it.
///
/// # Errors
/// [`Error::Write`](crate::Error::Write).
pub fn write_ablations(path: &Path, examples: &[ExampleAblation]) -> Result<()> {
    let header = [
        "example",
        "component",
        "outcome",
        "logit_fact",
        "logit_counterfactual",
        "delta",
        "effect",
    ];
    let lines = examples.iter().map(|one| {
        let start = [
            one.example.to_string(),
            one.component.to_string(),
            name(one.outcome).to_owned(),
        ];
        [&start[..], &pair(Some(one.logits)), &[plain(one.effect)]].concat()
    });
    write_atomically(path, plain_csv(&header, lines).as_bytes())
}

fn name(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Fact => "fact",
        Outcome::Counterfactual => "counterfactual",
        Outcome::Other => "other",
    }
}

/// The numbers of the factual and of the counterfactual token, and the second less the first.
fn pair(numbers: Option<[f64; 2]>) -> [String; 3] {
    match numbers {
        None => Default::default(),
        Some([fact, counterfactual]) => [
            plain(fact),
            plain(counterfactual),
            plain(counterfactual - fact),
        ],
    }
}

fn spaced(tokens: &[u32]) -> String {
    let tokens: Vec<String> = tokens.iter().map(u32::to_string).collect();
    tokens.join(" ")
}
