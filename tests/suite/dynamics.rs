//! `repgeo dynamics` says of every run what the command for a single dump says of it.

use std::fs;

use serde_json::Value;
use tempfile::TempDir;

use super::common::{fixture, json, path, refusal, stdout};

const RUNS: [&str; 2] = ["reference/vae_d08", "reference/vae_d16_ep0300"];

/// The report over both runs.
fn over_runs(extra: &[&str]) -> Value {
    let runs = RUNS.map(fixture);
    let mut args = vec!["dynamics", path(&runs[0]), path(&runs[1])];
    args.extend(extra);
    json(&args)
}

fn values<'a>(report: &'a Value, run: &str, variant: &str) -> Vec<&'a Value> {
    let all = report["values"].as_array().unwrap().iter();
    all.filter(|value| value["run"] == run && value["variant"] == variant)
        .collect()
}

fn name(run: &str) -> &str {
    run.rsplit('/').next().unwrap()
}

/// That the numbers of each run are those of `rows`, the cells of the single report, in order:
/// layer, partner, value, error.
fn same_numbers(report: &Value, run: &str, variant: &str, rows: &[[&Value; 4]]) {
    let of_run = values(report, name(run), variant);
    let there: Vec<&Value> = of_run
        .iter()
        .copied()
        .filter(|value| value["reason"] != "missing_layer")
        .collect();
    assert_eq!(there.len(), rows.len(), "{run} {variant}");
    assert!(!rows.is_empty());
    for (value, [layer, other, number, error]) in there.iter().zip(rows) {
        assert!(number.is_f64(), "{run} {layer}");
        assert_eq!(value["layer"], **layer);
        assert_eq!(value["other"], **other);
        assert_eq!(value["value"], **number, "{run} {layer}");
        assert_eq!(value["std_error"], **error, "{run} {layer}");
    }
}

#[test]
fn dimensions_are_those_of_id_profile() {
    for (extra, estimator) in [
        (&["--estimator", "two-nn"][..], "two_nn"),
        (&["--estimator", "gride", "--order", "4"], "gride"),
        (&["--estimator", "mle", "-k", "7"], "mle"),
    ] {
        let report = over_runs(extra);
        for run in RUNS {
            let single = json(&[&["id-profile", path(&fixture(run))], extra].concat());
            let none = Value::Null;
            let layers = single["layers"].as_array().unwrap();
            let rows: Vec<[&Value; 4]> = layers
                .iter()
                .map(|layer| {
                    let estimate = &layer["estimates"][0];
                    assert_eq!(estimate["estimator"], estimator);
                    [
                        &layer["layer"],
                        &none,
                        &estimate["id"],
                        &estimate["std_error"],
                    ]
                })
                .collect();
            let variant = report["values"][0]["variant"].as_str().unwrap();
            same_numbers(&report, run, variant, &rows);
        }
    }
}

#[test]
fn pairs_are_those_of_imbalance_and_overlap() {
    for to in ["first", "last", "next", "layer_07_dec_1"] {
        for (quantity, variant, value, error) in [
            ("imbalance", "forward", "forward", "std_error_forward"),
            ("imbalance", "backward", "backward", "std_error_backward"),
            ("overlap", "", "value", "std_error"),
        ] {
            let report = over_runs(&["--quantity", quantity, "--to", to, "-k", "5"]);
            for run in RUNS {
                let single = json(&[quantity, path(&fixture(run)), "--to", to, "-k", "5"]);
                let pairs = single["pairs"].as_array().unwrap();
                let rows: Vec<[&Value; 4]> = pairs
                    .iter()
                    .map(|pair| {
                        let [a, b] = ["a", "b"].map(|end| &pair[end]["layer"]);
                        [a, b, &pair[value], &pair[error]]
                    })
                    .collect();
                same_numbers(&report, run, variant, &rows);
            }
        }
    }
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
fn runs_stand_in_natural_order_or_in_that_of_their_table() {
    let folder = checkpoints();
    let at = |name: &str| path(&folder.path().join(name)).to_owned();
    let report = json(&["dynamics", &at("ep10"), &at("ep2"), "--layers", "0"]);
    assert_eq!(names(&report), ["ep2", "ep10"]);
    let table = folder.path().join("runs.csv");
    fs::write(&table, "path,x,seed\nep10,10,a\nep2,2,b\n").unwrap();
    let report = json(&["dynamics", "--runs", path(&table), "--layers", "0"]);
    assert_eq!(names(&report), ["ep10", "ep2"]);
    assert_eq!(report["runs"][0]["x"], 10.0);
    assert_eq!(report["runs"][1]["columns"][0]["column"], "seed");
    assert_eq!(report["runs"][1]["columns"][0]["words"], "b");
}

#[test]
fn the_csv_has_the_run_beside_the_layer() {
    let folder = checkpoints();
    let at = |name: &str| path(&folder.path().join(name)).to_owned();
    let text = stdout(&["dynamics", &at("ep2"), &at("ep10"), "--format", "csv"]);
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(lines.len(), 1 + 2 * 4);
    for (at, line) in lines[1..].iter().enumerate() {
        assert_eq!(line[3], if at < 4 { "ep2" } else { "ep10" });
        assert_eq!(line[4..6], ["id", "two_nn_base"]);
        assert_eq!(line[7], lines[1 + at % 4][7]);
    }
    let file = folder.path().join("all.csv");
    fs::write(&file, &text).unwrap();
    let events = json(&["events", path(&file), "--other", "ep10"]);
    assert_eq!(events["input"].as_array().unwrap().len(), 1);
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
        (
            &["dynamics", run, "--quantity", "overlap", "--to", "nowhere"],
            "vae_d08",
        ),
    ] {
        let message = refusal(args, 2);
        assert!(message.contains(word), "{message}");
    }
}
