//! The table of every command for one input, kept as a file under `tests/tables`.
//!
//! A changed table is accepted with `REPGEO_ACCEPT=1 cargo test --test suite tables`; what changed
//! is then seen in the difference of the files.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::common::reports::{REPORTS, Workplace};
use super::common::{command, fixture, printed};

#[test]
fn every_table_is_the_one_that_was_accepted() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tables");
    let accept = std::env::var_os("REPGEO_ACCEPT").is_some();
    let place = Workplace::new();
    let mut changed = Vec::new();
    for (name, line) in REPORTS {
        let args = place.arguments(line);
        let mut args: Vec<&str> = args.iter().map(String::as_str).collect();
        if !args.contains(&"--explain") {
            args.extend(["--format", "table"]);
        }
        let table = printed(command(&args).current_dir(fixture("")));
        let shown = format!("$ repgeo {}\n{table}", words(line));
        let file = folder.join(format!("{name}.txt"));
        if accept {
            fs::write(&file, shown).unwrap();
        } else if fs::read_to_string(&file).unwrap_or_default() != shown {
            changed.push(format!("{}:\n{shown}", file.display()));
        }
    }
    assert!(
        changed.is_empty(),
        "these tables changed; if they should, accept them with \
         REPGEO_ACCEPT=1 cargo test --test suite tables\n\n{}",
        changed.join("\n")
    );
}

#[test]
fn every_kept_table_belongs_to_a_command() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tables");
    let kept: BTreeSet<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let listed = REPORTS.iter().map(|(name, _)| format!("{name}.txt"));
    assert_eq!(kept, listed.collect::<BTreeSet<String>>());
}

/// A line of the list with one space between words.
fn words(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}
