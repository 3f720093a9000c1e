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
