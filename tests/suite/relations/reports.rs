//! Every form of report fits the schema, and threads change no byte of it.

use std::path::Path;

use assert_cmd::Command;
use serde_json::Value;
use tempfile::TempDir;

use super::layers::{fixture, normal, write};
use crate::common::schema::faults;

const FORMS: &[&[&str]] = &[
    &["imbalance"],
    &[
        "imbalance",
        "--layers",
        "0,2,4",
        "--to",
        "first",
        "-k",
        "1,5,30",
        "--metric",
        "cosine",
    ],
    &[
        "imbalance",
        "--to",
        "next",
        "--partitions",
        "3",
        "--shuffle",
        "4",
    ],
    &["imbalance", "--against", "OTHER", "-k", "2"],
    &["imbalance", "--against", "OTHER", "--to", "last"],
    &[
        "imbalance",
        "--layers",
        "0,1",
        "--coordinates",
        "0..3",
        "--coordinates",
        "1,4",
    ],
    &[
        "imbalance",
        "--layers",
        "0",
        "--greedy",
        "2",
        "--beam",
        "2",
        "--criterion",
        "forward",
    ],
    &["overlap"],
    &[
        "overlap",
        "--to",
        "next",
        "-k",
        "3,10",
        "--partitions",
        "3",
        "--per-row",
    ],
    &["overlap", "--against", "OTHER", "--to", "matched"],
    &[
        "overlap", "--labels", "LABELS", "--to", "last", "--blocks", "5",
    ],
    &["overlap", "--labels", "LABELS", "--class-fraction", "0.2"],
    &["neighbours", "-k", "7", "-o", "TABLES"],
    &["neighbours", "--queries", "OTHER", "-o", "TABLES"],
];

fn run(args: &[String]) -> String {
    let output = Command::cargo_bin("repgeo")
        .unwrap()
        .args(args)
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

/// A dump of five layers: related, one tied, one all equal, one with repeated rows.
fn dump(folder: &Path, seed: u64) {
    let first = normal(130, 5, seed);
    let lattice = first.mapv(|x| x.round());
    let mut repeated = &first + normal(130, 5, seed + 1) * 0.3;
    for row in 0..20 {
        let copy = repeated.row(row + 20).to_owned();
        repeated.row_mut(row).assign(&copy);
    }
    let constant = ndarray::Array2::from_elem((130, 5), 2.5);
    let layers = [&first, &lattice, &repeated, &constant, &(&first * 1e-3)];
    for (at, rows) in layers.into_iter().enumerate() {
        write(&folder.join(format!("layer_{at}.npy")), rows);
    }
}

#[test]
fn every_form_fits_the_schema_and_depends_on_no_thread() {
    let [acts, other, tables] = [(); 3].map(|()| TempDir::new().unwrap());
    dump(acts.path(), 1);
    dump(other.path(), 50);
    let labels = acts.path().join("classes.txt");
    let text: String = (0..130)
        .map(|row| format!("{}\n", ["a", "b", ""][row % 3]))
        .collect();
    std::fs::write(&labels, text).unwrap();
    for form in FORMS {
        let fill = |word: &&str| match *word {
            "OTHER" => other.path().to_str().unwrap().to_owned(),
            "LABELS" => labels.to_str().unwrap().to_owned(),
            "TABLES" => tables.path().to_str().unwrap().to_owned(),
            word => word.to_owned(),
        };
        let mut args: Vec<String> = form.iter().map(fill).collect();
        args.insert(1, acts.path().to_str().unwrap().to_owned());
        for format in ["json", "csv", "table"] {
            let with = |threads: &str| {
                let more = ["--format", format, "--threads", threads].map(str::to_owned);
                run(&[&args[..], &more[..]].concat())
            };
            let one = with("1");
            assert_eq!(one, with("2"), "{form:?} {format}");
            if format == "json" {
                let report: Value = serde_json::from_str(&one).unwrap();
                let faults = faults(&report);
                assert!(faults.is_empty(), "{form:?}: {faults:#?}");
            }
        }
    }
}

#[test]
fn half_single_and_double_precision_give_the_same_imbalance() {
    let files = ["c_f16.npy", "c_f32.npy", "c_f64.npy"].map(|name| fixture("formats").join(name));
    let of = |a: &Path, b: &Path| {
        let args = ["imbalance", a.to_str().unwrap(), b.to_str().unwrap()].map(str::to_owned);
        let report: Value = serde_json::from_str(&run(&args)).unwrap();
        report["pairs"][0]["forward"].clone()
    };
    let n = |value: &Value| value.as_f64();
    let floor = of(&files[0], &files[0]);
    for file in &files {
        assert_eq!(n(&of(&files[0], file)), n(&floor));
        assert_eq!(n(&of(file, &files[0])), n(&floor));
    }
}
