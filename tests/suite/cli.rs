//! The program as a user meets it: real commands, real files, real exit codes.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use repgeo::random::SplitMix64;
use serde_json::Value;
use tempfile::TempDir;

use super::common::{command, fixture, json, path, refusal, repgeo, stdout, text};

pub(super) fn minilm() -> String {
    path(&fixture("minilm")).to_owned()
}

/// A small f32 .npy file.
pub(super) fn write_npy(
    path: &Path,
    rows: usize,
    columns: usize,
    value: impl Fn(usize, usize) -> f32,
) {
    let mut header =
        format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {columns}), }}");
    header.push_str(&" ".repeat(63 - (10 + header.len()) % 64));
    header.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend(u16::try_from(header.len()).unwrap().to_le_bytes());
    bytes.extend(header.as_bytes());
    for row in 0..rows {
        for column in 0..columns {
            bytes.extend(value(row, column).to_le_bytes());
        }
    }
    fs::write(path, bytes).unwrap();
}

/// Uniform numbers of 16 bits, the same on every run.
pub(super) fn noise(row: usize, column: usize) -> f32 {
    let mut random = SplitMix64::new((row * 1_000 + column) as u64);
    f32::from(u16::try_from(random.below(65_536)).unwrap()) / 65_536.0
}

#[test]
fn standard_input_equals_the_file() {
    let file = fixture("reference/manifolds/swiss_roll.npy");
    let here = json(&["id-profile", path(&file)]);
    let output = command(&["id-profile", "-"])
        .stdin(fs::File::open(&file).unwrap())
        .output()
        .unwrap();
    let there: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        here["layers"][0]["estimates"],
        there["layers"][0]["estimates"]
    );
}

#[test]
fn a_profile_flows_through_a_pipe_into_its_events() {
    let profile = stdout(&["id-profile", "--quiet", &minilm()]);
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("profile.json");
    fs::write(&file, &profile).unwrap();
    let mut child = command(&["events", "-", "--format", "csv"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(profile.as_bytes())
        .unwrap();
    let piped = child.wait_with_output().unwrap();
    assert_eq!(
        text(&piped.stdout),
        stdout(&["events", path(&file), "--format", "csv"])
    );
}

#[test]
fn broken_files_are_refused_in_one_line_that_names_the_file() {
    let mut seen = 0;
    for entry in fs::read_dir(fixture("broken")).unwrap() {
        let file = entry.unwrap().path();
        let name = file.file_name().unwrap().to_str().unwrap().to_owned();
        if name == "index.json" || name == "labels_wrong_n" || name == "README.md" {
            continue;
        }
        for subcommand in ["inspect", "id-profile"] {
            // Bytes behind the array and unequal layers are no fault of a header.
            if name == "trailing_garbage.npy"
                || (subcommand == "inspect" && name == "wrong_n_across_layers")
            {
                continue;
            }
            let message = refusal(&[subcommand, path(&file)], 1);
            let stem = name.split('.').next().unwrap();
            assert!(
                message.contains(stem) || message.contains("layer_02"),
                "{message}"
            );
            seen += 1;
        }
    }
    assert!(seen > 30, "{seen}");
    let labels = fixture("broken/labels_wrong_n/labels.npy");
    let dump = fixture("broken/labels_wrong_n/layer_00.npy");
    let message = refusal(
        &[
            "id-profile",
            path(&dump),
            "--per-class",
            "2",
            "--labels",
            path(&labels),
        ],
        1,
    );
    assert!(
        message.contains("39") && message.contains("40"),
        "{message}"
    );
}

#[test]
fn what_the_user_must_decide_is_asked_for_by_flag() {
    let threed = fixture("formats/threed.npy");
    assert!(refusal(&["id-profile", path(&threed)], 1).contains("--pool"));
    let nan = fixture("formats/nan_one.npy");
    let message = refusal(&["id-profile", path(&nan)], 1);
    assert!(message.contains("row 3, column 2") && message.contains("--drop-nonfinite"));
    let equal = fixture("reference/manifolds/duplicates.npy");
    let message = refusal(&["id-profile", path(&equal), "--duplicates", "refuse"], 1);
    assert!(message.contains("--duplicates drop or keep"), "{message}");
    let kept = json(&["id-profile", path(&nan), "--drop-nonfinite"]);
    assert_eq!(kept["layers"][0]["n_rows"], 39);
    assert_eq!(
        kept["layers"][0]["warnings"][0]["code"],
        "nonfinite_dropped"
    );
}

#[test]
fn usage_errors_exit_with_2() {
    for args in [
        &["id-profile", "acts", "--fit", "mle", "--fraction", "0.5"][..],
        &["id-profile", "acts", "--fraction", "1.5"],
        &[
            "id-profile",
            "acts",
            "--estimator",
            "two-nn",
            "--order",
            "3",
        ],
        &["id-profile", "acts", "-o", "profile.docx"],
    ] {
        refusal(args, 2);
    }
    for args in [
        &["id-profil", "acts"][..],
        &["id-profile"],
        &["id-profile", "acts", "--range-max", "1"],
        &["id-profile", "acts", "--partitions", "0"],
        &["id-profile", "acts", "--neighbours", "tables"],
    ] {
        assert_eq!(repgeo(args).status.code(), Some(2), "{args:?}");
    }
    assert_eq!(
        repgeo(&["id-profile", "no/such/dump"]).status.code(),
        Some(1)
    );
    assert_eq!(repgeo(&["--help"]).status.code(), Some(0));
}

#[test]
fn a_report_file_is_whole_or_absent_and_stdout_stays_empty() {
    let folder = TempDir::new().unwrap();
    for name in ["profile.json", "profile.csv", "profile.txt"] {
        let file = folder.path().join(name);
        let output = repgeo(&["id-profile", &minilm(), "-o", path(&file)]);
        assert!(output.status.success() && output.stdout.is_empty());
        assert!(text(&output.stderr).starts_with("repgeo: "));
        assert!(fs::read_to_string(&file).unwrap().ends_with('\n'));
    }
    let broken = fixture("formats/nan_one.npy");
    let file = folder.path().join("never.json");
    refusal(&["id-profile", path(&broken), "-o", path(&file)], 1);
    assert!(!file.exists());
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        3,
        "a temporary file was left"
    );
    let missing = folder.path().join("no/such/folder.json");
    assert!(refusal(&["id-profile", &minilm(), "-o", path(&missing)], 1).contains("directory"));
}

#[test]
fn quiet_is_quiet_and_ascii_is_ascii() {
    let output = repgeo(&["id-profile", &minilm(), "--quiet"]);
    assert!(output.stderr.is_empty());
    let table = stdout(&[
        "id-profile",
        &minilm(),
        "--format",
        "table",
        "--ascii",
        "--id-scaling",
    ]);
    assert!(table.is_ascii() && !table.contains('\u{1b}'));
}

#[cfg(unix)]
#[test]
fn a_closed_pipe_is_no_failure() {
    use std::io::Read;
    let mut child = command(&["id-profile", &minilm()])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut pipe = child.stdout.take().unwrap();
    let mut start = [0u8; 1];
    pipe.read_exact(&mut start).unwrap();
    drop(pipe);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn explain_needs_no_input_and_reads_none() {
    let text = stdout(&["id-profile", "--explain"]);
    assert!(
        text.contains("two_nn_base") && text.contains("jackknife"),
        "{text}"
    );
    assert_eq!(text, stdout(&["id-profile", "no/such/file", "--explain"]));
}

#[test]
fn one_computation_is_written_in_several_formats() {
    let folder = TempDir::new().unwrap();
    let (report, table) = (folder.path().join("p.json"), folder.path().join("p.csv"));
    let both = [
        "id-profile",
        &minilm(),
        "-o",
        path(&report),
        "-o",
        path(&table),
    ];
    let output = repgeo(&[&both[..], &["-o", "-", "--format", "json"]].concat());
    assert_eq!(output.status.code(), Some(2), "csv contradicts json");
    let output = repgeo(&[&both[..], &["-o", "-"]].concat());
    assert_eq!(output.status.code(), Some(0));
    let json = stdout(&["id-profile", &minilm(), "--format", "json"]);
    assert_eq!(String::from_utf8(output.stdout).unwrap(), json);
    assert_eq!(fs::read_to_string(&report).unwrap(), json);
    let csv = stdout(&["id-profile", &minilm(), "--format", "csv"]);
    assert_eq!(fs::read_to_string(&table).unwrap(), csv);

    let twice = refusal(
        &[
            "id-profile",
            &minilm(),
            "-o",
            path(&report),
            "-o",
            path(&report),
        ],
        2,
    );
    assert!(twice.contains("given twice"), "{twice}");
    assert!(!folder.path().join("-").exists());
}
