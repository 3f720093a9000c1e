//! Numbers of two runs together are those of the commands for two dumps.

use std::fs;

use tempfile::TempDir;

use super::super::common::{fixture, json, path, refusal, stdout};
use super::{RUNS, values};

#[test]
fn runs_of_other_rows_are_refused_as_targets() {
    let runs = RUNS.map(fixture);
    let both = [path(&runs[0]), path(&runs[1])];
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
