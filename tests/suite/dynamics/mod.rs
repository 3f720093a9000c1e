//! `repgeo dynamics`: runs in their order, what is over them, and what is refused.

mod register;
mod single;

use std::fs;

use repgeo::storage::npy;
use serde_json::Value;
use tempfile::TempDir;

use super::common::{fixture, json, normals, path, refusal, stdout};

pub(super) const RUNS: [&str; 2] = ["reference/vae_d08", "reference/vae_d16_ep0300"];

/// The report over both runs.
pub(super) fn over_runs(extra: &[&str]) -> Value {
    let runs = RUNS.map(fixture);
    let mut args = vec!["dynamics", path(&runs[0]), path(&runs[1])];
    args.extend(extra);
    json(&args)
}

pub(super) fn values<'a>(report: &'a Value, run: &str, variant: &str) -> Vec<&'a Value> {
    let all = report["values"].as_array().unwrap().iter();
    all.filter(|value| value["run"] == run && value["variant"] == variant)
        .collect()
}

pub(super) fn name(run: &str) -> &str {
    run.rsplit('/').next().unwrap()
}

#[test]
fn a_layer_that_a_run_lacks_is_a_gap_in_the_order_of_depth() {
    let report = over_runs(&[]);
    let layers = report["layers"].as_array().unwrap();
    let names: Vec<&str> = layers
        .iter()
        .map(|layer| layer["layer"].as_str().unwrap())
        .collect();
    assert_eq!(names.len(), 11);
    assert!(names.is_sorted(), "{names:?}");
    let gaps = values(&report, "vae_d08", "two_nn_base");
    assert_eq!(gaps.len(), 11);
    let gaps = gaps.iter().filter(|value| value["value"].is_null());
    let gaps: Vec<&&Value> = gaps.collect();
    assert_eq!(gaps.len(), 7);
    assert!(gaps.iter().all(|gap| gap["reason"] == "missing_layer"));
    let first = &report["ranges"][0];
    assert_eq!(first["layer"], names[0]);
    assert_eq!(first["n_runs"], 1);
    assert_eq!(first["argmin"]["run"], "vae_d16_ep0300");
}

#[test]
fn extremes_name_the_run_and_its_value() {
    let report = over_runs(&[]);
    let ranges = report["ranges"].as_array().unwrap();
    let both: Vec<&Value> = ranges.iter().filter(|one| one["n_runs"] == 2).collect();
    assert_eq!(both.len(), 4);
    for range in both {
        let of = |run| {
            let found = values(&report, run, "two_nn_base");
            let mut found = found.into_iter();
            let found = found.find(|value| value["layer"] == range["layer"]);
            found.unwrap()["value"].as_f64().unwrap()
        };
        let [a, b] = ["vae_d08", "vae_d16_ep0300"].map(of);
        let (least, most) = if a <= b {
            ("vae_d08", "vae_d16_ep0300")
        } else {
            ("vae_d16_ep0300", "vae_d08")
        };
        assert_eq!(range["argmin"]["run"], least);
        assert_eq!(range["argmin"]["value"].as_f64().unwrap(), a.min(b));
        assert_eq!(range["argmax"]["run"], most);
        assert_eq!(range["argmax"]["value"].as_f64().unwrap(), a.max(b));
    }
}

/// A folder with the smaller run as ep2 and ep10.
fn checkpoints() -> TempDir {
    let folder = TempDir::new().unwrap();
    for run in ["ep2", "ep10"] {
        let to = folder.path().join(run);
        fs::create_dir(&to).unwrap();
        for entry in fs::read_dir(fixture(RUNS[0])).unwrap() {
            let entry = entry.unwrap();
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
    folder
}

fn names(report: &Value) -> Vec<&str> {
    let runs = report["runs"].as_array().unwrap().iter();
    runs.map(|run| run["run"].as_str().unwrap()).collect()
}

#[test]
fn runs_stand_in_natural_order_or_along_x_or_as_their_table_has_them() {
    let folder = checkpoints();
    let at = |name: &str| path(&folder.path().join(name)).to_owned();
    let report = json(&["dynamics", &at("ep10"), &at("ep2"), "--layers", "0"]);
    assert_eq!(names(&report), ["ep2", "ep10"]);
    let table = folder.path().join("runs.csv");
    fs::write(&table, "path,x,seed\nep10,10,a\nep2,2,b\n").unwrap();
    let report = json(&["dynamics", "--runs", path(&table), "--layers", "0"]);
    assert_eq!(names(&report), ["ep2", "ep10"]);
    assert_eq!(report["runs"][1]["x"], 10.0);
    assert_eq!(report["runs"][0]["columns"][0]["column"], "seed");
    assert_eq!(report["runs"][0]["columns"][0]["words"], "b");
    fs::write(&table, "path,seed\nep10,a\nep2,b\n").unwrap();
    let report = json(&["dynamics", "--runs", path(&table), "--layers", "0"]);
    assert_eq!(names(&report), ["ep10", "ep2"]);
}

#[test]
fn the_csv_has_the_run_beside_the_layer() {
    let folder = checkpoints();
    let at = |name: &str| path(&folder.path().join(name)).to_owned();
    let text = stdout(&["dynamics", &at("ep2"), &at("ep10"), "--format", "csv"]);
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').collect()).collect();
    for (at, line) in lines[1..].iter().enumerate().take(8) {
        assert_eq!(line[0], if at < 4 { "ep2" } else { "ep10" });
        assert_eq!(line[5..7], ["id", "two_nn_base"]);
        assert_eq!(line[8], lines[1 + at % 4][8]);
    }
    let file = folder.path().join("all.csv");
    fs::write(&file, &text).unwrap();
    let events = json(&["events", path(&file), "--run", "ep10"]);
    assert_eq!(events["layers"].as_array().unwrap().len(), 4);
    let along = json(&["events", path(&file), "--layer", "layer_11_output"]);
    assert_eq!(along["layers"][0]["layer"], "ep2");
    assert_eq!(along["layers"][1]["layer"], "ep10");
    let table = folder.path().join("runs.csv");
    fs::write(&table, "path,x,seed,n\nep2,2,a,5\nep10,10,b,6\n").unwrap();
    let text = stdout(&["dynamics", "--runs", path(&table), "--format", "csv"]);
    let lines: Vec<&str> = text.lines().collect();
    assert!(
        lines[0].starts_with("run,x,seed,run_n,layer,index"),
        "{}",
        lines[0]
    );
    assert!(lines[1].starts_with("ep2,2,a,5,"), "{}", lines[1]);
}

#[test]
fn a_damaged_run_is_an_error_that_names_it() {
    let folder = checkpoints();
    let at = |name: &str| path(&folder.path().join(name)).to_owned();
    let file = folder.path().join("ep10/layer_07_dec_1.npy");
    let whole = fs::read(&file).unwrap();
    fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    let message = refusal(&["dynamics", &at("ep2"), &at("ep10")], 1);
    assert!(message.contains("ep10/layer_07_dec_1.npy"), "{message}");
    let mut nan = whole.clone();
    let end = nan.len();
    nan[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
    fs::write(&file, nan).unwrap();
    let message = refusal(&["dynamics", &at("ep2"), &at("ep10")], 1);
    assert!(
        message.contains("ep10") && message.contains("layer_07_dec_1"),
        "{message}"
    );
    let message = refusal(&["dynamics", &at("ep2"), &at("ep3")], 1);
    assert!(message.contains("ep3"), "{message}");
    let report = json(&[
        "dynamics",
        &at("ep2"),
        &at("ep10"),
        &at("ep3"),
        "--keep-going",
    ]);
    assert_eq!(names(&report), ["ep2", "ep3", "ep10"]);
    for (run, word) in [(1, "ep3"), (2, "layer_07_dec_1")] {
        let one = &report["runs"][run];
        assert!(one["error"].as_str().unwrap().contains(word), "{one}");
        assert!(one["n_rows"].is_null());
    }
    let gaps = values(&report, "ep10", "two_nn_base");
    assert_eq!(gaps.len(), 4);
    assert!(
        gaps.iter()
            .all(|gap| gap["reason"] == "missing_run" && gap["value"].is_null())
    );
    assert_eq!(report["ranges"][0]["n_runs"], 1);
    let message = refusal(&["dynamics", &at("ep3"), &at("ep10"), "--keep-going"], 1);
    assert!(message.contains("ep3"), "{message}");
}

#[test]
fn what_gives_a_layer_no_single_value_is_refused() {
    let run = fixture(RUNS[0]);
    let run = path(&run);
    for (args, word) in [
        (&["dynamics", run, run][..], "twice"),
        (
            &["dynamics", run, "--quantity", "overlap", "--to", "all"],
            "--to all",
        ),
        (&["dynamics", run, "--to", "last"], "--to"),
        (&["dynamics", run, "--order", "4"], "--order"),
        (&["dynamics", run, "--quantity", "labels"], "--labels"),
        (&["dynamics", run, "--only", "ari"], "--only ari"),
        (
            &["dynamics", run, "--quantity", "peaks", "--only", "ari"],
            "add --labels or --to-run",
        ),
        (
            &["dynamics", run, "--quantity", "similarity", "--only", "rsa"],
            "--measure",
        ),
        (
            &[
                "dynamics",
                run,
                "--quantity",
                "clones",
                "--only",
                "chunk_id",
            ],
            "--chunk-id",
        ),
        (&["dynamics", run, "--to-run", "first"], "--to-run"),
        (
            &["dynamics", run, "--quantity", "overlap", "--to-run", "ep9"],
            "ep9",
        ),
        (
            &["dynamics", run, "--bottleneck", "nowhere"],
            "--bottleneck",
        ),
        (
            &["dynamics", run, "--quantity", "clones", "--smooth", "3"],
            "--smooth",
        ),
        (
            &["dynamics", run, "--quantity", "overlap", "--to", "nowhere"],
            "vae_d08",
        ),
    ] {
        let message = refusal(args, 2);
        assert!(message.contains(word), "{message}");
    }
}

#[test]
fn layers_that_are_compared_with_different_layers_are_named() {
    let partners = |to: &str, layers: &str| {
        let args = ["--quantity", "overlap", "--to", to, "--layers", layers];
        let report = over_runs(&[&args[..], &["--rows", "0..60", "-k", "5"]].concat());
        report["warnings"].as_array().unwrap().clone()
    };
    // The smaller run lacks layer_08, so that layer_11 is next to its layer_07.
    let [warning] = &partners("next", ":")[..] else {
        panic!("one warning");
    };
    assert_eq!(warning["code"], "partners_differ");
    assert_eq!(warning["count"], 1);
    let message = warning["message"].as_str().unwrap();
    for word in ["layer_07_dec_1", "layer_08_dec_2", "layer_11_output"] {
        assert!(message.contains(word), "{message}");
    }
    assert!(partners("last", ":").is_empty());
    let both = "layer_05_bottleneck_mean,layer_07_dec_1,layer_11_output";
    assert!(partners("next", both).is_empty());
}

#[test]
fn a_rule_for_the_order_leaves_one_number_a_layer() {
    for (order, variant, scale) in [
        ("plateau", "gride_plateau", None),
        ("match-density", "gride_match_density", Some(16)),
        ("8", "gride", Some(8)),
    ] {
        let report = over_runs(&["--estimator", "gride", "--order", order, "--layers", "-1"]);
        let values = report["values"].as_array().unwrap();
        assert_eq!(values.len(), 2, "{order}");
        for value in values {
            assert_eq!(value["variant"], variant);
            if let Some(scale) = scale {
                assert_eq!(value["scale"], scale);
            }
        }
    }
}

#[test]
fn a_chunk_size_that_a_layer_lacks_is_no_missing_layer() {
    let folder = TempDir::new().unwrap();
    let at = |width: usize| {
        let data = normals(60, width, 3);
        let run = folder.path().join(format!("w{width}"));
        fs::create_dir(&run).unwrap();
        let array = npy(&[60, width], data.as_slice().unwrap());
        fs::write(run.join("hidden.npy"), array).unwrap();
        path(&run).to_owned()
    };
    let (narrow, wide) = (at(4), at(8));
    let args = ["dynamics", &narrow, &wide, "--quantity", "clones"];
    let report = json(&[&args[..], &["--draws", "2", "--only", "chunk_r2"]].concat());
    let reason = |run: &str, variant: &str, width: u64| {
        let found = values(&report, run, variant);
        let mut found = found.into_iter().filter(|one| one["scale"] == width);
        found.next().unwrap()["reason"].clone()
    };
    assert_eq!(reason("w4", "paper", 8), "missing_width");
    assert_eq!(reason("w4", "complement", 4), "whole_layer");
    assert_eq!(reason("w8", "complement", 8), "whole_layer");
    assert!(reason("w8", "paper", 8).is_null());
}

#[test]
fn smoothing_prints_the_mean_over_neighbouring_layers_that_are_there() {
    let plain = over_runs(&[]);
    let smooth = over_runs(&["--smooth", "3"]);
    let of = |report: &Value, field: &str| -> Vec<Option<f64>> {
        let found = values(report, "vae_d08", "two_nn_base");
        let known = found.iter().filter(|one| one["value"].is_f64());
        known.map(|one| one[field].as_f64()).collect()
    };
    let raw: Vec<f64> = of(&plain, "value").into_iter().flatten().collect();
    assert_eq!(
        of(&smooth, "value")
            .into_iter()
            .flatten()
            .collect::<Vec<_>>(),
        raw
    );
    let found = of(&smooth, "smoothed");
    assert_eq!(found.len(), 4);
    for (at, value) in found.iter().enumerate() {
        let window = &raw[at.saturating_sub(1)..raw.len().min(at + 2)];
        let mean = window.iter().sum::<f64>() / window.len() as f64;
        assert!((value.unwrap() - mean).abs() < 1e-12);
    }
    assert!(of(&plain, "smoothed").iter().all(Option::is_none));
}

#[test]
fn events_over_layers_are_those_of_the_single_profile() {
    let report = over_runs(&["--prominence", "0.1"]);
    let run = fixture(RUNS[1]);
    let single = json(&[
        "id-profile",
        path(&run),
        "--estimator",
        "two-nn",
        "--prominence",
        "0.1",
    ]);
    let events = &single["events"];
    assert!(events.is_object(), "{single}");
    let mut found = report["events"].as_array().unwrap().iter();
    let found = found.find(|one| one["run"] == name(RUNS[1])).unwrap();
    let peak = found["events"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["event"] == "peak");
    let peak = peak.unwrap();
    assert_eq!(peak["layer"], events["peak"]["found"]["layer"]);
    assert_eq!(peak["value"], events["peak"]["found"]["value"]);
    assert_eq!(
        found["hunchback"]["present"],
        events["hunchback"]["found"]["present"]
    );
}
