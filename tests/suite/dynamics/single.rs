//! Every number over runs is that of the command for a single dump.

use std::fs;

use serde_json::Value;
use tempfile::TempDir;

use super::super::common::{fixture, json, path, refusal, stdout};
use super::{RUNS, name, values};

/// A CSV as lists of cells under its header, and the places of its columns.
struct Csv {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Csv {
    fn of(args: &[&str]) -> Self {
        let text = stdout(&[args, &["--format", "csv"]].concat());
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let cells = |record: &csv::StringRecord| record.iter().map(str::to_owned).collect();
        Self {
            header: cells(reader.headers().unwrap()),
            rows: reader
                .records()
                .map(|record| cells(&record.unwrap()))
                .collect(),
        }
    }

    fn at(&self, row: &[String], column: &str) -> String {
        let place = self.header.iter().position(|name| name == column).unwrap();
        row[place].clone()
    }

    /// What is said of a number, without where its layer stands among others.
    fn number(&self, row: &[String]) -> [String; 8] {
        let columns = [
            "layer",
            "other",
            "quantity",
            "variant",
            "scale",
            "value",
            "std_error",
            "n",
        ];
        columns.map(|column| self.at(row, column))
    }
}

/// That every number of every run is one of the command for a single dump, and that no number of that
/// command is left out. The headline comes first where a layer has several scales.
fn same_as_single(over_runs: &[&str], command: &str, single: &[&str], kept: &[&str]) {
    let runs = RUNS.map(fixture);
    let all = [&["dynamics", path(&runs[0]), path(&runs[1])], over_runs].concat();
    let all = Csv::of(&all);
    let mut compared = 0;
    for run in RUNS {
        let one = Csv::of(&[&[command, path(&fixture(run))], single].concat());
        let is_kept = |row: &&Vec<String>| {
            kept.contains(&one.at(row, "quantity").as_str())
                && !one.at(row, "variant").ends_with("_std_dev")
        };
        let mut expected: Vec<[String; 8]> = Vec::new();
        for row in one.rows.iter().filter(is_kept) {
            let number = one.number(row);
            let same = |other: &[String; 8]| {
                other[0] == number[0]
                    && other[2..4] == number[2..4]
                    && (command != "clones" || other[4] == number[4])
                    && (command == "imbalance" || other[1] == number[1])
            };
            if !expected.iter().any(same) {
                expected.push(number);
            }
        }
        let own = all.rows.iter().filter(|row| {
            all.at(row, "run") == name(run) && kept.contains(&all.at(row, "quantity").as_str())
        });
        // A gap has no n: another run has the number.
        let found: Vec<[String; 8]> = own
            .map(|row| all.number(row))
            .filter(|number| !(number[5].is_empty() && number[7].is_empty()))
            .collect();
        assert!(!expected.is_empty(), "{command} {single:?}");
        for number in &expected {
            assert!(
                found.contains(number),
                "{over_runs:?} {run}: {number:?} of {found:?}"
            );
        }
        assert_eq!(found.len(), expected.len(), "{over_runs:?} {run}");
        compared += found.len();
    }
    assert!(compared > 0);
}

#[test]
fn dimensions_and_controls_are_those_of_id_profile() {
    for extra in [
        &["--estimator", "two-nn"][..],
        &["--estimator", "gride", "--order", "4"],
        &["--estimator", "mle", "-k", "7"],
        &["--estimator", "two-nn", "--control", "null", "--seed", "3"],
    ] {
        same_as_single(extra, "id-profile", extra, &["id"]);
    }
}

#[test]
fn pairs_are_those_of_imbalance_overlap_and_similarity() {
    for to in ["first", "last", "next", "layer_07_dec_1"] {
        for (quantity, extra, kept) in [
            (
                "imbalance",
                &["-k", "5"][..],
                &["information_imbalance", "relative_difference"][..],
            ),
            ("overlap", &["-k", "5"], &["data_overlap"]),
            (
                "similarity",
                &["--measure", "cka,rsa,overlap,id-correlation"],
                &["cka", "rsa", "data_overlap", "id_correlation"],
            ),
        ] {
            let single = [&["--to", to], extra].concat();
            let all = [&["--quantity", quantity], single.as_slice()].concat();
            same_as_single(&all, quantity, &single, kept);
        }
    }
}

const SCORES: [&str; 10] = [
    "n_peaks",
    "core_fraction",
    "largest_fraction",
    "ari",
    "ami",
    "nmi",
    "homogeneity",
    "completeness",
    "v_measure",
    "majority_fraction",
];

/// A label for each of the first 300 rows.
fn labels(folder: &TempDir) -> String {
    let file = folder.path().join("labels.txt");
    let lines: Vec<String> = (0..800)
        .map(|row| format!("class{}", (row * 7) % 5))
        .collect();
    fs::write(&file, lines.join("\n") + "\n").unwrap();
    path(&file).to_owned()
}

#[test]
fn labels_and_peaks_are_those_of_overlap_and_density_peaks() {
    let folder = TempDir::new().unwrap();
    let whole = labels(&folder);
    let short = folder.path().join("short.txt");
    let text = fs::read_to_string(&whole).unwrap();
    let lines: Vec<&str> = text.lines().take(300).collect();
    fs::write(&short, lines.join("\n") + "\n").unwrap();
    // Runs of other lengths have other labels: one run at a time.
    for (run, labels) in RUNS.iter().zip([whole.as_str(), path(&short)]) {
        let run = fixture(run);
        for (quantity, command, extra, kept) in [
            (
                "labels",
                "overlap",
                &["-k", "9"][..],
                &["label_overlap"][..],
            ),
            (
                "labels",
                "overlap",
                &["--class-fraction", "0.2"],
                &["label_overlap"],
            ),
            (
                "peaks",
                "density-peaks",
                &["--preset", "llm", "--z", "1"],
                &SCORES,
            ),
            (
                "peaks",
                "density-peaks",
                &["--density", "knn", "-k", "20", "--halo"],
                &SCORES,
            ),
        ] {
            let flags = [&["--labels", labels], extra].concat();
            let single = Csv::of(&[&[command, path(&run)], flags.as_slice()].concat());
            let all = [
                &["dynamics", path(&run), "--quantity", quantity],
                flags.as_slice(),
            ]
            .concat();
            let all = Csv::of(&all);
            let of = |csv: &Csv| -> Vec<[String; 8]> {
                let rows = csv.rows.iter().map(|row| csv.number(row));
                let mut rows: Vec<[String; 8]> = rows
                    .filter(|number| kept.contains(&number[2].as_str()))
                    .collect();
                rows.sort();
                rows
            };
            assert!(!of(&single).is_empty());
            assert_eq!(of(&all), of(&single), "{quantity}");
        }
    }
}

#[test]
fn chunks_are_those_of_clones() {
    let flags = [
        "--layers",
        "layer_07_dec_1",
        "--sizes",
        "2,8,48",
        "--draws",
        "5",
        "--disjoint",
        "--chunk-id",
    ];
    let all = [&["--quantity", "clones"], &flags[..]].concat();
    let kept = [
        "critical_width",
        "n_clones",
        "chunk_r2",
        "chunk_residual_correlation",
        "chunk_id",
    ];
    same_as_single(&all, "clones", &flags, &kept);
}

#[test]
fn a_run_as_target_gives_what_two_dumps_give() {
    let runs = RUNS.map(fixture);
    let both = [path(&runs[0]), path(&runs[1])];
    let rows = ["--rows", "0..300"];
    for (quantity, variant, value) in [
        ("imbalance", "forward", "forward"),
        ("imbalance", "backward", "backward"),
        ("overlap", "", "value"),
        ("similarity", "", "value"),
    ] {
        let flags = [
            &["--quantity", quantity, "--to-run", "vae_d16_ep0300"],
            &rows[..],
        ]
        .concat();
        let report = json(&[&["dynamics", both[0], both[1]], flags.as_slice()].concat());
        let single = [
            &[quantity, both[0], "--against", both[1], "--to", "same"],
            &rows[..],
        ]
        .concat();
        let single = json(&single);
        let pairs = single["pairs"].as_array().unwrap();
        assert_eq!(pairs.len(), 4);
        let found = values(&report, "vae_d08", variant);
        let found: Vec<&&Value> = found
            .iter()
            .filter(|one| one["value"].is_f64() && one["quantity"] != "relative_difference")
            .collect();
        assert_eq!(found.len(), 4, "{quantity}");
        for (one, pair) in found.iter().zip(pairs) {
            assert_eq!(one["layer"], pair["a"]["layer"]);
            assert_eq!(one["other"], pair["b"]["layer"]);
            assert_eq!(one["value"], pair[value], "{quantity}");
        }
    }
    let differ = [
        "dynamics",
        both[0],
        both[1],
        "--quantity",
        "overlap",
        "--to-run",
        "first",
    ];
    let message = refusal(&differ, 1);
    assert!(message.contains("--rows"), "{message}");
}

#[test]
fn peaks_of_two_runs_are_compared_as_by_files_of_assignments() {
    let runs = RUNS.map(fixture);
    let both = [path(&runs[0]), path(&runs[1])];
    let folder = TempDir::new().unwrap();
    let flags = [
        "--rows",
        "0..300",
        "--density",
        "knn",
        "-k",
        "12",
        "--z",
        "1",
    ];
    let to = path(folder.path()).to_owned();
    let written = [
        &["density-peaks", both[0], "--assignments", &to],
        &flags[..],
    ]
    .concat();
    stdout(&written);
    let all = [
        "dynamics",
        both[0],
        both[1],
        "--quantity",
        "peaks",
        "--to-run",
        "first",
    ];
    let report = json(&[&all, &flags[..]].concat());
    let mut compared = 0;
    for layer in [
        "layer_05_bottleneck_mean",
        "layer_07_dec_1",
        "layer_11_output",
    ] {
        // The other dump has as many rows as were chosen of the first.
        let file = folder.path().join(format!("{layer}.csv"));
        let text = fs::read_to_string(&file).unwrap();
        let lines: Vec<&str> = text.lines().take(301).collect();
        let short = folder.path().join("short.csv");
        fs::write(&short, lines.join("\n") + "\n").unwrap();
        let labels = format!("{}:cluster", path(&short));
        let single = [
            "density-peaks",
            both[1],
            "--layers",
            layer,
            "--labels",
            &labels,
        ];
        let single = json(&[&single, &flags[..]].concat());
        for quantity in ["ari", "ami", "homogeneity"] {
            let found = values(&report, "vae_d16_ep0300", "knn");
            let mut found = found.into_iter();
            let found = found.find(|one| one["quantity"] == quantity && one["layer"] == layer);
            let found = found.unwrap();
            assert_eq!(found["other"], "vae_d08");
            let expected = &single["layers"][0]["scores"][0]["scores"][quantity];
            assert!(expected.is_f64(), "{single}");
            assert_eq!(found["value"], *expected, "{layer} {quantity}");
            compared += 1;
        }
    }
    assert_eq!(compared, 9);
}
