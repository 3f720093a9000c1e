//! `repgeo explain`: what a code of a report means.

use clap::Args;
use repgeo::choice::Choice;
use repgeo::geometry::Reason;
use repgeo::input::Series;
use repgeo::profile::events::{EventName, EventOptions, events};
use repgeo::report::page::{Column, Grid, Note, Notes, Page, Part, Phrase};
use repgeo::warning::WarningCode;
use repgeo::{Error, Result};

use super::choice::folded;
use super::output::OutputArgs;

/// What a code of a report means: a warning, the reason beside a null, an event
///
/// Codes are the words in "warnings", "reason" and "events" of a report, as its tables show them.
#[derive(Args)]
pub struct ExplainArgs {
    /// The code, e.g. near_duplicates, too_few_rows, onset; without one, all of them
    #[arg(value_name = "CODE")]
    code: Option<String>,
}

/// A code with what it means.
struct Entry {
    kind: &'static str,
    code: String,
    meaning: String,
}

const WARNING: &str = "warning: the numbers stand, and this is to be known beside them";
const REASON: &str = "reason: why a number does not exist, beside its null";
const EVENT: &str = "event: a place on a profile, found by a rule";

/// Prints what the code means, or the list.
pub fn run(args: &ExplainArgs) -> Result<()> {
    let entries = entries();
    let page = match &args.code {
        None => list(&entries),
        Some(code) => {
            let typed = folded(code);
            let is_it = |entry: &&Entry| folded(&entry.code) == typed;
            let found: Vec<&Entry> = entries.iter().filter(is_it).collect();
            if found.is_empty() {
                return Err(unknown(code, &entries));
            }
            one(&found)
        }
    };
    OutputArgs::default().write_page(&page)
}

fn one(found: &[&Entry]) -> Page {
    let lines = found.iter().flat_map(|entry| {
        let kind = format!("{} ({})", entry.code, entry.kind);
        [
            Note::Prose(kind.into()),
            Note::Prose(entry.meaning.clone().into()),
        ]
    });
    let notes: Vec<Note> = lines.collect();
    Page::new("Codes", Vec::new(), notes.into())
}

fn list(entries: &[Entry]) -> Page {
    let grids = [WARNING, REASON, EVENT].map(|kind| {
        let mut grid = Grid::new(vec![Column::words("code"), Column::words("")]);
        grid.title = Some(kind.into());
        for entry in entries.iter().filter(|entry| entry.kind == kind) {
            let [code, meaning] = [&entry.code, &entry.meaning].map(|words| words.clone());
            grid.push(vec![
                Phrase::from(code).into(),
                Phrase::from(meaning).into(),
            ]);
        }
        Part::Grid(grid)
    });
    Page::new("Codes", grids.into(), Notes::default())
}

/// Every code, from the types that reports are made of.
fn entries() -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    entries.extend(of_choice::<WarningCode>(WARNING));
    entries.extend(of_choice::<Reason>(REASON));
    let rules = rules();
    entries.extend(of_choice::<EventName>(EVENT).map(|mut entry| {
        let rule = rules
            .iter()
            .find(|(event, _)| entry.code.starts_with(event));
        if let Some((_, rule)) = rule {
            entry.meaning += &format!(" {rule}");
        }
        entry
    }));
    for (event, rule) in &rules {
        let is_named = entries
            .iter()
            .any(|entry| entry.kind == EVENT && entry.code == *event);
        if !is_named {
            entries.push(Entry {
                kind: EVENT,
                code: event.clone(),
                meaning: rule.clone(),
            });
        }
    }
    entries
}

fn of_choice<C: Choice>(kind: &'static str) -> impl Iterator<Item = Entry> {
    C::ALL.iter().map(move |one| Entry {
        kind,
        code: one.name().to_owned(),
        meaning: format!("{}.", one.words()),
    })
}

/// The rule of every event in words, with its numbers, as reports carry it.
fn rules() -> Vec<(String, String)> {
    let options = EventOptions {
        threshold: Some(0.0),
        bottleneck: Some(0),
        ..EventOptions::default()
    };
    let found = events(&Series::new([("layer", Some(1.0))]), &options);
    let found = serde_json::to_value(found).unwrap_or_default();
    let fields = found.as_object().into_iter().flatten();
    let rules = fields.filter_map(|(event, found)| {
        let rule = found["rule"].as_str()?;
        let numbers = found["parameters"].as_object().into_iter().flatten();
        let numbers: Vec<String> = numbers.map(|(name, x)| format!("{name} {x}")).collect();
        let numbers = match numbers.is_empty() {
            true => String::new(),
            false => format!(" ({})", numbers.join(", ")),
        };
        Some((event.clone(), format!("Rule: {rule}{numbers}.")))
    });
    let mut rules: Vec<(String, String)> = rules.collect();
    // The longest first, so that a name is not taken for the beginning of another.
    rules.sort_by_key(|(event, _)| std::cmp::Reverse(event.len()));
    rules
}

/// The error, with the codes that share a word with what was typed.
fn unknown(typed: &str, entries: &[Entry]) -> Error {
    let words = |code: &str| -> Vec<String> {
        let words = code.split(['_', '-', ' ']).map(folded);
        words.filter(|word| word.len() > 2).collect()
    };
    let asked = words(typed);
    let alike = entries.iter().filter(|entry| {
        let mut words = words(&entry.code).into_iter();
        words.any(|word| {
            asked
                .iter()
                .any(|one| word.starts_with(one) || one.starts_with(&word))
        })
    });
    let alike: Vec<&str> = alike.map(|entry| entry.code.as_str()).take(5).collect();
    let tip = match alike.is_empty() {
        true => "repgeo explain lists all".to_owned(),
        false => format!("there are {}; repgeo explain lists all", alike.join(", ")),
    };
    Error::Usage(format!("{typed}: no report has this code; {tip}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_meaning_and_every_event_its_rule() {
        let entries = entries();
        let count = WarningCode::ALL.len() + Reason::ALL.len() + EventName::ALL.len();
        assert!(entries.len() > count, "{}", entries.len());
        for entry in &entries {
            assert!(
                entry.meaning.len() > 15,
                "{}: {}",
                entry.code,
                entry.meaning
            );
            let is_event = entry.kind == EVENT;
            assert_eq!(entry.meaning.contains("Rule: "), is_event, "{}", entry.code);
        }
    }
}
