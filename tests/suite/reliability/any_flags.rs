//! Random flags over degenerate layers: exit 0, 1 or 2, reports that meet the schema, no NaN, and
//! never "this is a fault in repgeo".

use std::path::Path;

use repgeo::random::SplitMix64;
use serde_json::Value;

use super::super::common::schema::faults;
use super::{fixture_arg, path, repgeo, stderr, write_layer};

const RUNS: usize = 120;

/// Values that flags choke on, and some that they should not.
const NUMBERS: [&str; 16] = [
    "0",
    "1",
    "2",
    "3",
    "7",
    "-1",
    "0.5",
    "1e-9",
    "1e300",
    "NaN",
    "inf",
    "",
    "18446744073709551615",
    "4294967296",
    "x",
    "0..2",
];

/// Commands that take a dump, and flags of theirs that take a value.
const COMMANDS: [(&str, &[&str]); 9] = [
    (
        "id-profile",
        &[
            "-k",
            "--order",
            "--range-max",
            "--fraction",
            "--blocks",
            "--partitions",
            "--decimate",
            "--subsample",
            "--density-k",
        ],
    ),
    (
        "imbalance",
        &[
            "-k",
            "--to",
            "--partitions",
            "--shuffle",
            "--coordinates",
            "--greedy",
            "--beam",
        ],
    ),
    ("overlap", &["-k", "--to", "--partitions", "--blocks"]),
    (
        "similarity",
        &[
            "-k",
            "--to",
            "--partitions",
            "--permutations",
            "--bandwidth",
            "--variance",
            "--threshold",
        ],
    ),
    (
        "density-peaks",
        &["-k", "--z", "--id", "--alpha", "--subsample"],
    ),
    ("landscape", &["-k", "--z", "--id", "--cuts"]),
    ("clones", &["--sizes", "--draws", "--partitions"]),
    ("events", &["--smooth", "--threshold"]),
    ("inspect", &["--layers"]),
];

/// Switches that any of them may have.
const SWITCHES: [&[&str]; 8] = [
    &["--drop-nonfinite"],
    &["--duplicates", "keep"],
    &["--duplicates", "refuse"],
    &["--metric", "cosine"],
    &["--estimator", "all"],
    &["--measure", "all"],
    &["--scan"],
    &["--rows", "0..3"],
];

/// Layers on which most quantities do not exist.
fn dumps(folder: &Path) -> Vec<String> {
    let dump = |name: &str, layers: &[(usize, usize, Option<f64>)]| {
        let place = folder.join(name);
        std::fs::create_dir(&place).unwrap();
        for (at, &(rows, columns, value)) in layers.iter().enumerate() {
            write_layer(
                &place.join(format!("l{at}.npy")),
                rows,
                columns,
                at as u64,
                value,
            );
        }
        path(&place).to_owned()
    };
    vec![
        dump("constant", &[(12, 3, Some(1.0)), (12, 3, None)]),
        dump(
            "nan",
            &[(12, 3, Some(f64::NAN)), (12, 2, Some(f64::INFINITY))],
        ),
        dump("single", &[(1, 1, Some(0.0))]),
        dump("pair", &[(2, 5, None), (2, 1, None)]),
        dump("tiny", &[(9, 2, Some(1e-310)), (9, 2, Some(1e149))]),
        dump("three", &[(30, 4, None), (30, 1, None), (30, 40, None)]),
    ]
}

#[test]
fn random_flags_over_degenerate_layers_give_a_report_or_words() {
    let folder = tempfile::tempdir().unwrap();
    let dumps = dumps(folder.path());
    let series = fixture_arg("events");
    let mut random = SplitMix64::new(11);
    let mut choose = |count: usize| (random.uniform() * count as f64) as usize % count;
    let mut answered = 0;
    for _ in 0..RUNS {
        let (command, flags) = COMMANDS[choose(COMMANDS.len())];
        let input = match command {
            "events" => series.clone(),
            _ => dumps[choose(dumps.len())].clone(),
        };
        let mut args = vec![command.to_owned(), input];
        for _ in 0..choose(3) {
            let value = NUMBERS[choose(NUMBERS.len())];
            args.push(format!("{}={value}", flags[choose(flags.len())]).replace("-k=", "-k"));
        }
        if choose(2) == 0 {
            args.extend(
                SWITCHES[choose(SWITCHES.len())]
                    .iter()
                    .map(|&word| word.to_owned()),
            );
        }
        let format = ["json", "csv", "table"][choose(3)];
        args.extend(["--format".to_owned(), format.to_owned()]);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let output = repgeo(&args);
        let words = stderr(&output);
        let code = output.status.code();
        assert!(matches!(code, Some(0..=2)), "{args:?}: {code:?} {words}");
        assert!(!words.contains("fault in repgeo"), "{args:?}: {words}");
        if code != Some(0) {
            assert!(output.stdout.is_empty() && !words.is_empty(), "{args:?}");
            continue;
        }
        answered += 1;
        let text = String::from_utf8(output.stdout).unwrap();
        if format == "json" {
            let report: Value = serde_json::from_str(&text).unwrap();
            let faults = faults(&report);
            assert_eq!(faults, [""; 0], "{args:?}");
        } else {
            let cells = text.split(|c: char| !c.is_alphanumeric());
            assert!(
                cells.clone().all(|cell| cell != "NaN" && cell != "inf"),
                "{args:?}: {text}"
            );
        }
    }
    assert!(answered > RUNS / 8, "only {answered} runs had an answer");
}
