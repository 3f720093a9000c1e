//! Every report in every format and at every width: nothing is cut, and all say the same.

use std::collections::HashSet;
use std::fs;

use rayon::prelude::*;
use repgeo::report::Format;
use serde_json::Value;
use tempfile::TempDir;
use unicode_width::UnicodeWidthStr;

use super::common::reports::{REPORTS, Workplace};
use super::common::{command, fixture, path, printed};

/// Commands whose tables have no matrix, which narrow terminals see as shades.
const WITHOUT_MATRIX: [&str; 15] = [
    "inspect",
    "id-profile",
    "id-profile-family",
    "id-profile-controls",
    "id-profile-scaling",
    "overlap-labels",
    "density-peaks",
    "landscape",
    "clones",
    "neighbours",
    "forward",
    "logit-lens",
    "attribution",
    "attention-modify",
    "ablate",
];

/// Words that are numbers, as a reader sees them.
fn numbers(table: &str) -> HashSet<&str> {
    let words = table.split(|c: char| c.is_whitespace() || ",;:()".contains(c));
    words.filter(|word| word.parse::<f64>().is_ok()).collect()
}

fn words<'l>(line: &'l [String], more: &[&'l str]) -> Vec<&'l str> {
    let line = line.iter().map(String::as_str);
    line.chain(more.iter().copied()).collect()
}

#[test]
fn every_table_fits_a_narrow_terminal_with_all_its_numbers() {
    let place = Workplace::new();
    let reports = REPORTS
        .par_iter()
        .filter(|(_, line)| !line.contains("--explain"));
    reports.for_each(|(name, line)| {
        let line = place.arguments(line);
        let shown = |width: Option<usize>| {
            let words = words(&line, &["--format", "table"]);
            let mut command = command(&words);
            if let Some(width) = width {
                command.env("COLUMNS", width.to_string());
            }
            printed(command.current_dir(fixture("")))
        };
        let whole = shown(None);
        for width in [40, 80] {
            let narrow = shown(Some(width));
            for line in narrow.lines() {
                assert!(line.width() <= width, "{name} at {width}: {line}");
            }
            if WITHOUT_MATRIX.contains(name) {
                let (all, left) = (numbers(&whole), numbers(&narrow));
                let lost: Vec<&&str> = all.difference(&left).collect();
                assert!(
                    lost.is_empty(),
                    "{name} at {width}: {lost:?}\n{whole}\n{narrow}"
                );
            }
        }
    });
}

#[test]
fn every_report_is_written_in_every_format_from_one_computation() {
    let place = Workplace::new();
    let takes_files = |line: &str| !["--explain", " -o "].iter().any(|one| line.contains(one));
    let reports = REPORTS.par_iter().filter(|(_, line)| takes_files(line));
    reports.for_each(|(name, line)| {
        let folder = TempDir::new().unwrap();
        let endings = ["txt", "json", "csv", "jsonl", "md", "tex"];
        assert_eq!(endings.len(), Format::ALL.len());
        let files = endings.map(|ending| folder.path().join(format!("report.{ending}")));
        let line = place.arguments(line);
        let outputs: Vec<&str> = files.iter().flat_map(|file| ["-o", path(file)]).collect();
        printed(command(&words(&line, &outputs)).current_dir(fixture("")));
        let [_, _, csv, lines, markdown, latex] =
            files.map(|file| fs::read_to_string(file).unwrap());

        let mut reader = csv::Reader::from_reader(csv.as_bytes());
        let header = reader.headers().unwrap().clone();
        let start = header.iter().position(|name| name == "layer").unwrap();
        let before: Vec<&str> = header.iter().take(start).collect();
        let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        let lines: Vec<Value> = lines
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let said = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let gathered: usize = lines
            .iter()
            .map(|line| {
                // What is known of a run stands before the columns of every command.
                let of_line = rows.iter().filter(|row| {
                    let run = before.iter().zip(row.iter());
                    run.into_iter()
                        .all(|(name, cell)| cell == said(&line[name]))
                        && row[start] == *said(&line["layer"])
                        && row[start + 3] == *said(&line["other"])
                });
                let values = line["values"].as_array().unwrap();
                let of_line: Vec<&csv::StringRecord> = of_line.collect();
                assert_eq!(of_line.len(), values.len(), "{name}: {line}");
                for (row, value) in of_line.iter().zip(values) {
                    assert_eq!(row[start + 4], *said(&value["quantity"]), "{name}");
                    assert_eq!(
                        row[start + 7].parse().ok(),
                        value["value"].as_f64(),
                        "{name}: {row:?}"
                    );
                }
                values.len()
            })
            .sum();
        assert_eq!(gathered, rows.len(), "{name}");

        let mut columns = None;
        for line in markdown.lines() {
            // A bar within a cell is escaped.
            let bars = line.replace("\\|", "").matches('|').count();
            match line.starts_with('|') {
                true => assert_eq!(*columns.get_or_insert(bars), bars, "{name}: {line}"),
                false => columns = None,
            }
        }
        for (begin, end) in [
            ("\\begin{tabular}", "\\end{tabular}"),
            ("\\toprule", "\\bottomrule"),
        ] {
            let counts = [begin, end].map(|mark| latex.matches(mark).count());
            assert_eq!(counts[0], counts[1], "{name}");
        }
        let tables = [markdown.contains("---"), latex.contains("\\midrule")];
        assert_eq!(tables[0], tables[1], "{name}\n{markdown}\n{latex}");
    });
}
