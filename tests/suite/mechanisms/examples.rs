//! The numbers of single examples, written beside the reports that average them.

use std::collections::BTreeMap;

use serde_json::Value;
use tempfile::TempDir;

use super::fixture;
use crate::common::{path as text, refusal, stdout};

/// A row of a table by the names of its columns.
type Line = BTreeMap<String, String>;

/// A folder with streams of the trained model at `positions`.
fn dumped(positions: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    let all = folder.path().join("all.safetensors");
    let model = fixture::path("gpt2_tiny");
    let prompts = fixture::path("gpt2_tiny/prompts.safetensors");
    let streams = "embed,pos-embed,resid-post,attn-out,mlp-out,z";
    stdout(&[
        "forward",
        text(&model),
        "--tokens",
        text(&prompts),
        "-o",
        text(&all),
        "--dump",
        streams,
        "--positions",
        positions,
        "--precision",
        "f64",
    ]);
    folder
}

/// The report of a command over the streams of `folder`, and the lines beside it.
fn with_examples(folder: &TempDir, command: &str, flags: &[&str]) -> (Value, Vec<Line>) {
    let all = folder.path().join("all.safetensors");
    let file = folder.path().join("each.csv");
    let model = fixture::path("gpt2_tiny");
    let start = [
        command,
        text(&all),
        "--unembed",
        text(&model),
        "--examples",
        text(&file),
    ];
    let report = serde_json::from_str(&stdout(&[&start[..], flags].concat())).unwrap();
    let mut reader = csv::Reader::from_path(&file).unwrap();
    (report, reader.deserialize().map(Result::unwrap).collect())
}

fn number(line: &Line, column: &str) -> f64 {
    line[column].parse().unwrap()
}

fn mean(lines: &[&Line], column: &str) -> f64 {
    let values = lines.iter().map(|line| number(line, column));
    values.sum::<f64>() / lines.len() as f64
}

fn near(found: f64, wanted: &Value) {
    let wanted = wanted.as_f64().unwrap();
    assert!((found - wanted).abs() < 1e-12, "{found} {wanted}");
}

#[test]
fn contributions_of_an_example_add_up_to_its_last_lens_and_average_to_the_rows() {
    for (parts, positions) in [("block", "all"), ("head", "last")] {
        let folder = dumped(positions);
        let place = ["--positions", positions];
        let (report, lines) = with_examples(
            &folder,
            "attribution",
            &[&["--by", parts], &place[..]].concat(),
        );
        let (_, lens) = with_examples(&folder, "logit-lens", &place);
        let rows = report["components"].as_array().unwrap();
        let n = usize::try_from(report["n"].as_u64().unwrap()).unwrap();
        assert_eq!(lines.len(), n * rows.len());
        for row in rows {
            let of_row = |line: &&Line| {
                row["component"] == *line["component"] && row["position"] == *line["position"]
            };
            let own: Vec<&Line> = lines.iter().filter(of_row).collect();
            let held: Vec<&Line> = own
                .iter()
                .filter(|line| !line["fact"].is_empty())
                .copied()
                .collect();
            assert_eq!(
                (own.len(), held.len() as u64),
                (n, row["n"].as_u64().unwrap())
            );
            for column in ["fact", "counterfactual", "delta"] {
                near(mean(&held, column), &row[column]["mean"]);
            }
        }
        let mut sums: BTreeMap<(&str, &str), [f64; 2]> = BTreeMap::new();
        for line in lines.iter().filter(|line| !line["fact"].is_empty()) {
            let sum = sums
                .entry((&line["example"], &line["position"]))
                .or_default();
            sum[0] += number(line, "fact");
            sum[1] += number(line, "counterfactual");
        }
        let last = lens.last().unwrap()["layer"].clone();
        let mut compared = 0;
        for line in lens.iter().filter(|line| line["layer"] == last) {
            let Some(sum) = sums.get(&(&line["example"], &line["position"])) else {
                assert!(line["logit_fact"].is_empty());
                continue;
            };
            assert!((sum[0] - number(line, "logit_fact")).abs() < 1e-10);
            assert!((sum[1] - number(line, "logit_counterfactual")).abs() < 1e-10);
            compared += 1;
        }
        assert_eq!(compared, sums.len());
        assert!(compared >= n && (compared > n) == (positions == "all"));
    }
}

#[test]
fn ranks_and_winners_of_examples_average_to_the_rows() {
    let folder = dumped("last");
    let (report, lines) = with_examples(&folder, "logit-lens", &["--rank", "--topk", "3"]);
    for row in report["rows"].as_array().unwrap() {
        let own: Vec<&Line> = lines
            .iter()
            .filter(|line| row["layer"] == *line["layer"])
            .collect();
        assert_eq!(own.len() as u64, row["n"].as_u64().unwrap());
        for (column, stat) in [
            ("logit_fact", "fact"),
            ("logit_counterfactual", "counterfactual"),
            ("delta", "delta"),
        ] {
            near(mean(&own, column), &row[stat]["mean"]);
        }
        for column in ["rank_fact", "rank_counterfactual"] {
            near(mean(&own, column), &row["winners"][column]);
        }
        for winner in ["fact", "counterfactual", "other"] {
            let won = own.iter().filter(|line| line["outcome"] == winner).count();
            near(won as f64 / own.len() as f64, &row["winners"][winner]);
        }
        let most = row["top"][0]["token"].to_string();
        let listed = own
            .iter()
            .filter(|line| line["top"].split(' ').any(|token| token == most));
        near(
            listed.count() as f64 / own.len() as f64,
            &row["top"][0]["share"],
        );
        assert!(own.iter().all(|line| line["top"].split(' ').count() == 3));
    }
    // What was not asked for has empty cells.
    let (_, plain) = with_examples(&folder, "logit-lens", &[]);
    let empty = |line: &Line| line["outcome"].is_empty() && line["top"].is_empty();
    assert!(!plain.is_empty() && plain.iter().all(empty));
}

#[test]
fn a_file_of_another_ending_is_refused_before_any_work() {
    for command in ["attribution", "logit-lens"] {
        let line = [
            command,
            "not-there",
            "--unembed",
            "not-there",
            "--examples",
            "x.txt",
        ];
        let message = refusal(&line, 2);
        assert!(message.contains("--examples"), "{message}");
    }
}
