//! `repgeo similarity` as a user meets it.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::fixture;
use crate::common::schema::faults;
use crate::common::{command, printed, refused};

/// The program among the layers of reference.
fn there(args: &[&str]) -> Command {
    let mut command = command(args);
    command.current_dir(fixture("reference"));
    command
}

fn stdout(args: &[&str]) -> String {
    printed(&mut there(args))
}

fn report(args: &[&str]) -> Value {
    serde_json::from_str(&stdout(args)).unwrap()
}

const VAE: &str = "vae_d16_ep0300";

#[test]
fn reports_fit_the_schema_and_do_not_depend_on_threads() {
    let few = ["similarity", VAE, "--layers", "0..3", "--rows", "0..90"];
    for args in [
        [
            &few[..],
            &[
                "--measure",
                "all",
                "--partitions",
                "2",
                "--permutations",
                "3",
            ],
        ]
        .concat(),
        vec!["similarity", VAE],
        vec![
            "similarity",
            "relations",
            "--to",
            "first",
            "--measure",
            "rsa,procrustes",
            "--dissimilarity",
            "cosine",
            "--correlation",
            "pearson",
        ],
        vec![
            "similarity",
            VAE,
            "--against",
            VAE,
            "--to",
            "matched",
            "--measure",
            "svcca",
            "--variance",
            "0.5",
        ],
        vec![
            "similarity",
            "manifolds/all_rows_equal.npy",
            "manifolds/all_rows_equal.npy",
            "--measure",
            "all",
            "-k",
            "2",
        ],
        vec![
            "similarity",
            "manifolds/scale_1e25.npy",
            "manifolds/scale_1e25.npy",
            "--rows",
            "0..60",
            "--measure",
            "all",
        ],
        vec![
            "similarity",
            "manifolds/tiny_n3.npy",
            "manifolds/tiny_n3.npy",
            "--measure",
            "all",
        ],
        vec![
            "similarity",
            "relations",
            "--layers",
            "0..3",
            "--rank",
            "relations",
        ],
    ] {
        let outputs =
            ["1", "2"].map(|threads| stdout(&[&args[..], &["--threads", threads]].concat()));
        assert_eq!(outputs[0], outputs[1], "{args:?}");
        let report: Value = serde_json::from_str(&outputs[0]).unwrap();
        let faults = faults(&report);
        assert!(faults.is_empty(), "{args:?}: {faults:#?}");
        for format in ["csv", "table"] {
            assert!(
                stdout(&[&args[..], &["--format", format]].concat())
                    .lines()
                    .count()
                    > 1
            );
        }
    }
}

#[test]
fn the_matrix_of_a_dump_holds_what_numpy_found() {
    let path = fixture("similarity").join(format!("{VAE}.json"));
    let expected: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let report = report(&[
        "similarity",
        VAE,
        "--measure",
        "cka,cka-debiased,procrustes",
        "--measure",
        "cka-rbf",
        "--bandwidth",
        "0.5",
    ]);
    assert_eq!(report["parameters"]["bandwidth"], 0.5);
    let keys = [
        "cka_linear",
        "cka_linear_debiased",
        "procrustes_d2",
        "cka_rbf",
    ];
    for (matrix, key) in report["matrices"].as_array().unwrap().iter().zip(keys) {
        for x in 0..11 {
            for y in 0..11 {
                let found = matrix["values"][x][y].as_f64().unwrap();
                let expected = expected[key][x][y].as_f64().unwrap();
                assert!(
                    (found - expected).abs() < 1e-9,
                    "{key} {x} {y}: {found} {expected}"
                );
            }
        }
    }
}

#[test]
fn relations_are_seen_by_the_measures_that_can_see_them() {
    let report = report(&[
        "similarity",
        "relations",
        "--to",
        "first",
        "--measure",
        "all",
        "--permutations",
        "19",
    ]);
    let value = |measure: &str, layer: &str| -> f64 {
        let pairs = report["pairs"].as_array().unwrap().iter();
        let mut own = pairs.filter(|pair| {
            pair["measure"] == measure && pair["a"]["layer"].as_str().unwrap().contains(layer)
        });
        own.next().unwrap()["value"].as_f64().unwrap()
    };
    let pairs = report["pairs"].as_array().unwrap();
    for measure in ["cka", "cka_rbf", "cca_mean", "svcca", "rsa", "data_overlap"] {
        assert!(value(measure, "rot_scale_shift") > 0.999, "{measure}");
        assert!(value(measure, "independent") < 0.25, "{measure}");
    }
    assert!(value("procrustes", "rot_scale_shift") < 1e-6);
    assert!(value("information_imbalance", "rot_scale_shift") < 0.01);
    assert!(value("information_imbalance", "independent") > 0.9);
    // A linear map of full rank is the same layer to CCA only.
    assert!(value("cca_mean", "aniso_linear") > 0.999 && value("cka", "aniso_linear") < 0.5);
    for pair in pairs {
        let null = |key: &str| pair["null"][key].as_f64();
        let (Some(p), Some(mean), Some(spread)) = (null("p_value"), null("mean"), null("std_dev"))
        else {
            continue;
        };
        let related = !["independent", "permuted"]
            .iter()
            .any(|name| pair["a"]["layer"].as_str().unwrap().contains(name));
        // 19 permutations: 0.05 is the least that can be. Unrelated layers get there by chance too,
        // but do not lie far from their permutations.
        if related {
            assert!(p < 0.051, "{pair}");
        } else {
            let far = (pair["value"].as_f64().unwrap() - mean).abs() / spread;
            assert!(far < 4.0, "{pair}");
        }
    }
}

#[test]
fn the_source_that_is_the_target_ranks_first_and_never_falls() {
    let folder = tempfile::TempDir::new().unwrap();
    let shuffled = folder.path().join("shuffled");
    fs::create_dir(&shuffled).unwrap();
    let names = [
        "layer_00_base",
        "layer_01_rot_scale_shift",
        "layer_02_first4",
    ];
    let others = [
        "layer_00_base",
        "layer_03_independent",
        "layer_04_permuted_rows",
    ];
    for (name, other) in names.iter().zip(others) {
        let from = fixture("reference/relations").join(format!("{other}.npy"));
        fs::copy(from, shuffled.join(format!("{name}.npy"))).unwrap();
    }
    let table = folder.path().join("accuracy.csv");
    fs::write(
        &table,
        "layer,gain\nlayer_00_base,3.5\nlayer_01_rot_scale_shift,1.5\nlayer_02_first4,0.5\n",
    )
    .unwrap();
    let path = |path: &Path| path.to_str().unwrap().to_owned();
    let args = [
        "similarity",
        "relations",
        "--layers",
        "0..3",
        "--rank",
        &path(&shuffled),
        "relations",
        "--join",
        &path(&table),
        "--join-column",
        "gain",
    ];
    let report = report(&args);
    let ranking = report["ranking"].as_array().unwrap();
    assert_eq!(ranking[0]["source"], "relations");
    assert_eq!(ranking[0]["rank"], 1);
    assert_eq!(ranking[0]["mean"], 1.0);
    assert_eq!(ranking[0]["unchanged_up_to"]["index"], 2);
    assert_eq!(ranking[1]["source"], "shuffled");
    assert_eq!(ranking[1]["unchanged_up_to"]["layer"], "layer_00_base");
    let joined = &report["joined"];
    // Similarities of the source that is the target do not vary.
    assert_eq!(joined[0]["reason"], "constant_layer");
    assert_eq!(joined[1]["n"], 3);
    assert!(joined[1]["spearman"].as_f64().unwrap() > 0.4);
    let table = stdout(&[&args[..], &["--format", "table", "--ascii"]].concat());
    assert!(
        table.contains("relations is most like the target by cka"),
        "{table}"
    );
    assert!(table.is_ascii());
}

#[test]
fn a_cache_and_a_limit_on_memory_change_no_byte() {
    let cache = tempfile::TempDir::new().unwrap();
    let folder = cache.path().to_str().unwrap();
    let args = [
        "similarity",
        "relations",
        "--to",
        "first",
        "--measure",
        "imbalance,overlap",
    ];
    let plain = stdout(&args);
    let cached = [&args[..], &["--cache", folder]].concat();
    assert_eq!(stdout(&cached), plain);
    assert!(fs::read_dir(cache.path()).unwrap().count() > 7);
    assert_eq!(stdout(&cached), plain);
    assert_eq!(
        stdout(&[&args[..], &["--max-memory", "64M"]].concat()),
        plain
    );
    let (code, message) = refused(&mut there(&["similarity", "relations", "--cache", folder]));
    assert_eq!(code, 2, "{message}");
    assert!(
        message.contains("--cache") && message.contains("imbalance"),
        "{message}"
    );
}

#[test]
fn bad_input_is_refused_with_a_way_out() {
    for (args, code, word) in [
        (&["relations", "--against", VAE][..], 1, "--against-rows"),
        (&["relations/layer_00_base.npy"], 2, "--against"),
        (&["relations", "--bandwidth", "0"], 2, "above 0"),
        (&["relations", "--variance", "1.5"], 2, "0.99 for 99 %"),
        (&["relations", "--partitions", "1"], 2, "at least 2"),
        (&["relations", "--partitions", "2000"], 2, "2000"),
        (
            &["relations", "--metric", "cosine"],
            2,
            "--measure imbalance",
        ),
        (&["relations", "--join", "README.md"], 2, "--to matched"),
        (
            &["relations", "--rank", "relations", "--to", "first"],
            2,
            "--to",
        ),
    ] {
        let (found, message) = refused(&mut there(&[&["similarity"], args].concat()));
        assert_eq!(found, code, "{args:?}: {message}");
        assert!(message.contains(word), "{args:?}: {message}");
    }
}
