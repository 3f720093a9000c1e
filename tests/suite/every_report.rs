//! Every report of every command: it fits the schema, and threads change no byte of it.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use super::cli::minilm;
use super::common::schema::faults;
use super::common::{fixture, json, path, refusal, repgeo, stdout};

const EVERY_REPORT: &[&[&str]] = &[
    &["id-profile"],
    &["id-profile", "--estimator", "gride"],
    &["id-profile", "--estimator", "two-nn", "--fit", "mle"],
    &["id-profile", "--fit", "bayes", "--order", "4"],
    &[
        "id-profile",
        "--fit",
        "mle-censored",
        "--fraction",
        "0.7",
        "--order",
        "match-density",
    ],
    &[
        "id-profile",
        "--order",
        "plateau",
        "--partitions",
        "4",
        "--id-scaling",
    ],
    &[
        "id-profile",
        "--decimate",
        "0.5",
        "--repeats",
        "3",
        "--id-scaling=decimation",
    ],
    &[
        "id-profile",
        "--blocks",
        "20",
        "--metric",
        "cosine",
        "--rows",
        "0..300",
    ],
    &[
        "id-profile",
        "--subsample",
        "200",
        "--seed",
        "7",
        "--layers",
        "0,-1",
        "--range-max",
        "500",
    ],
    &["id-profile", "--estimator", "all", "--layers", "0,-1"],
    &["id-profile", "--control", "null", "--layers", "0,-1"],
    &[
        "id-profile",
        "--control",
        "gaussian",
        "--estimator",
        "gride,mada",
        "--rows",
        "0..200",
        "--smooth",
        "3",
        "--skip-first",
        "--bottleneck",
        "3",
    ],
    &[
        "id-profile",
        "--estimator",
        "mle,tle,ess,abide,lpca",
        "-k",
        "12",
    ],
    &[
        "id-profile",
        "--estimator",
        "lpca,mind-ml,corr-int,binomial",
        "--metric",
        "cosine",
        "--rows",
        "0..300",
    ],
    &["density-peaks"],
    &["density-peaks", "--preset", "llm"],
    &["density-peaks", "--preset", "nucleation", "--smooth", "3"],
    &[
        "density-peaks",
        "--density",
        "kstar",
        "--alpha",
        "1e-3",
        "--id",
        "two-nn",
        "-k",
        "40",
    ],
    &[
        "density-peaks",
        "--density",
        "knn",
        "--id",
        "7.5",
        "--z",
        "0",
        "--duplicates",
        "keep",
    ],
    &["landscape", "--layers", "3"],
    &[
        "landscape",
        "--layers",
        "-1",
        "--z",
        "0.5",
        "--linkage",
        "average",
        "--absent",
        "floor",
    ],
    &[
        "landscape",
        "--layers",
        "1",
        "--cuts=-20,3",
        "--metric",
        "cosine",
    ],
    &[
        "similarity",
        "--measure",
        "cka,procrustes,rsa",
        "--rows",
        "0..200",
    ],
    &["clones", "--layers", "3", "--sizes", "8,64", "--draws", "3"],
    &["inspect"],
    &["inspect", "--scan", "--layers", "*5"],
];

#[test]
fn every_report_of_every_command_fits_the_schema() {
    let manifolds = fixture("reference/manifolds");
    let mut checked = 0;
    for args in EVERY_REPORT {
        let mut inputs = vec![minilm()];
        if !args.contains(&"--layers") && !args.contains(&"--rows") && !args.contains(&"cosine") {
            for name in [
                "all_rows_equal",
                "duplicates",
                "lattice_ties",
                "tiny_n1",
                "tiny_n3",
            ] {
                inputs.push(path(&manifolds.join(format!("{name}.npy"))).to_owned());
            }
        }
        for input in inputs {
            let report = json(&[args, &[input.as_str()][..]].concat());
            let faults = faults(&report);
            assert!(faults.is_empty(), "{args:?} {input}: {faults:#?}");
            checked += 1;
        }
    }
    assert!(checked > 40);
}

#[test]
fn every_report_of_events_fits_the_schema() {
    let folder = TempDir::new().unwrap();
    let (profile, table) = (folder.path().join("p.json"), folder.path().join("p.csv"));
    for file in [&profile, &table] {
        repgeo(&["id-profile", &minilm(), "-o", path(file)]);
    }
    let resnet = fixture("events/resnet152.csv");
    let of = |file: &Path, args: &[&str]| {
        let report = json(&[&["events", path(file)], args].concat());
        let faults = faults(&report);
        assert!(faults.is_empty(), "{args:?}: {faults:#?}");
        report["events"].clone()
    };
    // Whichever file they come from, events are those of the profile itself.
    let own: Value = serde_json::from_str(&fs::read_to_string(&profile).unwrap()).unwrap();
    assert_eq!(of(&profile, &[]), own["events"]);
    assert_eq!(of(&table, &[]), own["events"]);
    assert_eq!(own["events"]["peak"]["found"]["layer"], "hidden_states.0");
    let gride = of(
        &profile,
        &["--variant", "gride", "--scale", "4", "--threshold", "20"],
    );
    assert!(gride["threshold"]["found"]["value"].as_f64().unwrap() > 20.0);
    let header = fs::read_to_string(&resnet).unwrap();
    let column = header
        .lines()
        .next()
        .unwrap()
        .split(',')
        .next_back()
        .unwrap();
    of(&resnet, &["--column", column, "--smooth", "3"]);
    for (args, code) in [
        (&["--bottleneck", "nowhere"][..], 2),
        (&["--smooth", "2"], 2),
        (&["--variant", "nothing"], 1),
    ] {
        refusal(&[&["events", path(&profile)], args].concat(), code);
    }
}

#[test]
fn threads_change_no_byte_of_any_report() {
    for args in EVERY_REPORT {
        for format in ["json", "csv", "table"] {
            let input = minilm();
            let of = |threads| {
                let common = ["--format", format, "--threads", threads, input.as_str()];
                stdout(&[args, &common[..]].concat())
            };
            assert_eq!(of("1"), of("2"), "{args:?} {format}");
        }
    }
}
