//! `repgeo clones` as a user meets it.

use std::process::Output;

use serde_json::Value;

use super::fixture;
use crate::common::schema::faults;
use crate::common::{command, text};

fn repgeo(args: &[&str]) -> Output {
    let mut command = command(args);
    command.current_dir(fixture("clones")).output().unwrap()
}

const WHOLE: [&str; 16] = [
    "clones",
    "test_hidden.npy",
    "--readout",
    "readout_w.npy",
    "readout_b.npy",
    "--targets",
    "test_labels.npy",
    "--train",
    "train_hidden.npy",
    "--train-targets",
    "train_labels.npy",
    "--draws",
    "8",
    "--score-draws",
    "10",
    "--rescale",
];

const NETWORK: [&str; 4] = [
    "--network",
    "test_hidden.npy",
    "readout_w.npy",
    "readout_b.npy",
];

#[test]
fn reports_fit_the_schema_and_do_not_depend_on_threads() {
    let plain = vec![
        "clones",
        "test_hidden.npy",
        "--sizes",
        "3,9",
        "--partitions",
        "3",
    ];
    let few = vec![
        "clones",
        "test_hidden.npy",
        "--rows",
        "0..20",
        "--draws",
        "1",
    ];
    for args in [
        plain,
        few,
        WHOLE.to_vec(),
        [&WHOLE[..], &NETWORK[..]].concat(),
    ] {
        let outputs = ["1", "2"].map(|threads| {
            let output = repgeo(&[&args[..], &["--threads", threads]].concat());
            assert!(output.status.success(), "{}", text(&output.stderr));
            text(&output.stdout)
        });
        assert_eq!(outputs[0], outputs[1], "{args:?}");
        let report: Value = serde_json::from_str(&outputs[0]).unwrap();
        let faults = faults(&report);
        assert!(faults.is_empty(), "{args:?}: {faults:#?}");
    }
}

#[test]
fn every_number_stands_in_the_csv() {
    let output = repgeo(&[&WHOLE[..], &NETWORK[..], &["--format", "csv"]].concat());
    let csv = text(&output.stdout);
    for start in [
        "test_hidden,,,,chunk_r2,paper,16,0.9",
        "test_hidden,,,,chunk_r2,complement_iid,16,",
        "test_hidden,,,,chunk_r2,complement,32,,,450",
        "test_hidden,,,,chunk_accuracy,test,32,0.9533333333333334,,450",
        "test_hidden,,,,chunk_accuracy,train_rescaled,8,",
        "test_hidden,,,,critical_width,,,,,450",
        "test_hidden,,,,ensemble_accuracy,,2,0.9533333333333334,,450",
    ] {
        assert!(
            csv.lines().any(|line| line.starts_with(start)),
            "{start}\n{csv}"
        );
    }
}

#[test]
fn the_table_ends_with_the_verdict() {
    let output = repgeo(&[&WHOLE[..], &["--format", "table", "--ascii"]].concat());
    let table = text(&output.stdout);
    assert!(table.starts_with("neurons"), "{table}");
    assert!(table.trim_end().ends_with("no clones."), "{table}");
    assert!(table.is_ascii(), "{table}");
}

#[test]
fn bad_input_is_refused_with_a_way_out() {
    let minilm = fixture("minilm");
    let minilm = minilm.to_str().unwrap();
    let targets = ["--targets", "test_labels.npy"];
    for (args, code, word) in [
        (&["test_hidden.npy", "--sizes", "33"][..], 2, "33"),
        (&["test_hidden.npy", "--sizes", "0"], 2, "at least 1"),
        (&[minilm], 1, "--layers"),
        (
            &["test_hidden.npy", "--targets", "test_labels.npy"],
            2,
            "--readout",
        ),
        (
            &[
                "highdim_labels.npy",
                "--readout",
                "readout_w.npy",
                "readout_b.npy",
            ],
            2,
            "--targets",
        ),
    ] {
        let output = repgeo(&[&["clones"], args].concat());
        let message = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {message}");
        assert!(message.contains(word), "{args:?}: {message}");
    }
    for (readout, word) in [
        (["readout_b.npy", "readout_b.npy"], "32"),
        (["readout_w.npy", "readout_w.npy"], "320"),
    ] {
        let args = [
            &["clones", "test_hidden.npy", "--readout"],
            &readout[..],
            &targets,
        ]
        .concat();
        let output = repgeo(&args);
        let message = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{message}");
        assert!(message.contains(word), "{message}");
    }
    let short = repgeo(&[&WHOLE[..5], &["--targets", "train_labels.npy"]].concat());
    assert_eq!(short.status.code(), Some(1));
    assert!(text(&short.stderr).contains("1347"));
}
