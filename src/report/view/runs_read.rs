//! Says below a table over runs what their dumps were understood to be.

use crate::profile::dynamics::DynamicsRun;
use crate::report::page::Note;

/// More different lines than this are left to the JSON.
const SHOWN: usize = 4;

/// What dumps were understood to be, a line for all runs of which it is the same.
pub(super) fn read_lines(runs: &[DynamicsRun]) -> Vec<Note> {
    let mut groups: Vec<(&str, Vec<&str>)> = Vec::new();
    for run in runs {
        let Some(line) = run.understood.as_deref() else {
            continue;
        };
        match groups.iter_mut().find(|(known, _)| *known == line) {
            Some((_, names)) => names.push(&run.run),
            None => groups.push((line, vec![&run.run])),
        }
    }
    let more = groups.len().saturating_sub(SHOWN);
    let alone = groups.len() == 1;
    let lines = groups
        .into_iter()
        .take(SHOWN)
        .map(|(line, names)| match alone {
            true => format!("read: {line}"),
            false => format!("read: {line} ({})", names.join(", ")),
        });
    let mut notes: Vec<Note> = lines.map(|line| Note::Context(line.into())).collect();
    if more > 0 {
        let rest = format!("read: {more} more ways of reading runs, in the JSON");
        notes.push(Note::Context(rest.into()));
    }
    notes
}
