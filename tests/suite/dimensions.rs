//! Dimensions that `id-profile` gives: of manifolds and controls, row by row, from tables, in other precisions.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use super::cli::{noise, write_npy};
use super::common::{fixture, json, path, refusal, stdout, text};

/// A standard normal number, as the sum of twelve uniform ones.
fn normal(row: usize, column: usize) -> f32 {
    let draws = (0..12).map(|draw| noise(row, 12 * column + draw));
    draws.sum::<f32>() - 6.0
}

#[test]
fn a_control_agrees_with_a_gaussian_and_differs_from_a_manifold() {
    let folder = TempDir::new().unwrap();
    let gaussian = folder.path().join("gaussian.npy");
    write_npy(&gaussian, 1_500, 8, |row, column| {
        normal(row, column) * if column < 4 { 1.0 } else { 0.5 }
    });
    // How many standard errors a layer lies from its controls.
    let distances = |file: &Path, estimator: &str| -> Vec<f64> {
        let args = [
            "id-profile",
            path(file),
            "--control",
            "null",
            "--estimator",
            estimator,
        ];
        let report = json(&args);
        let layer = &report["layers"][0];
        let read = |estimate: &Value| {
            let read = |field: &str| estimate[field].as_f64().unwrap();
            (read("id"), read("std_error"))
        };
        let (id, error) = read(&layer["estimates"][0]);
        let controls = layer["controls"].as_array().unwrap().iter();
        controls
            .map(|control| {
                let (other, other_error) = read(&control["estimates"][0]);
                (id - other).abs() / error.hypot(other_error)
            })
            .collect()
    };
    let roll = fixture("reference/manifolds/swiss_roll.npy");
    for estimator in ["two-nn", "mle"] {
        let near = distances(&gaussian, estimator);
        assert!(near.len() == 2 && near.iter().all(|&d| d < 4.0), "{near:?}");
        let far = distances(&roll, estimator);
        assert!(far.len() == 2 && far.iter().all(|&d| d > 8.0), "{far:?}");
    }
    let refused = refusal(
        &[
            "id-profile",
            "--neighbours",
            path(&roll),
            "--control",
            "null",
        ],
        2,
    );
    assert!(refused.contains("--control"), "{refused}");
}

#[test]
fn local_dimensions_stand_at_their_input_rows() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("local.npy");
    let input = fixture("reference/manifolds/duplicates.npy");
    let base = ["id-profile", path(&input), "--local", path(&file)];
    let report = json(&[&base[..], &["--estimator", "mom", "-k", "10"]].concat());
    let layer = &report["layers"][0];
    let bytes = fs::read(&file).unwrap();
    let n = usize::try_from(layer["diagnostics"]["n_rows"].as_u64().unwrap()).unwrap();
    let values: Vec<f64> = bytes[bytes.len() - 8 * n..]
        .chunks_exact(8)
        .map(|value| f64::from_le_bytes(value.try_into().unwrap()))
        .collect();
    let header = text(&bytes[10..bytes.len() - 8 * n]);
    assert!(header.contains(&format!("'shape': ({n},)")), "{header}");
    let present: Vec<f64> = values.iter().copied().filter(|x| !x.is_nan()).collect();
    let dropped = layer["diagnostics"]["n_duplicates"].as_u64().unwrap();
    assert!(dropped > 0 && n as u64 - dropped == present.len() as u64);
    let mean = present.iter().sum::<f64>() / present.len() as f64;
    let id = layer["estimates"][0]["id"].as_f64().unwrap();
    assert!((mean / id - 1.0).abs() < 1e-12, "{mean} {id}");
    for args in [
        &["--estimator", "two-nn"][..],
        &["--estimator", "mle,mom"],
        &[],
    ] {
        assert!(refusal(&[&base[..], args].concat(), 2).contains("--local"));
    }
}

#[test]
fn tables_give_every_estimator_but_those_that_need_coordinates() {
    let folder = TempDir::new().unwrap();
    let (n, d) = (120, 5);
    let acts = folder.path().join("layer.npy");
    write_npy(&acts, n, d, noise);
    let distance = |i: usize, j: usize| {
        let squares = (0..d).map(|c| (f64::from(noise(i, c)) - f64::from(noise(j, c))).powi(2));
        squares.sum::<f64>().sqrt()
    };
    let square = folder.path().join("square.npy");
    #[allow(clippy::cast_possible_truncation)]
    write_npy(&square, n, n, |i, j| distance(i, j) as f32);
    let estimators = "gride,mle,corr-int,mada,mind-ml,binomial,abide";
    let args = ["--estimator", estimators, "--order", "3"];
    let given = json(&[&["id-profile", "--neighbours", path(&square)], &args[..]].concat());
    let found = json(&[&["id-profile", path(&acts)], &args[..]].concat());
    let ids = |report: &Value| -> Vec<f64> {
        let estimates = report["layers"][0]["estimates"].as_array().unwrap().iter();
        estimates
            .map(|estimate| estimate["id"].as_f64().unwrap())
            .collect()
    };
    assert_eq!(ids(&given).len(), 7);
    for (a, b) in ids(&given).iter().zip(ids(&found)) {
        assert!((a / b - 1.0).abs() < 1e-3, "{a} {b}");
    }
    for name in ["tle", "ess", "lpca", "participation-ratio"] {
        let args = [
            "id-profile",
            "--neighbours",
            path(&square),
            "--estimator",
            name,
        ];
        assert!(refusal(&args, 2).contains(&format!("--estimator {name}")));
    }
}

#[test]
fn a_dump_and_its_copy_in_another_precision_give_the_same_numbers() {
    let folder = TempDir::new().unwrap();
    let halves = fixture("formats/c_f16.npy");
    let single = fixture("formats/c_f32.npy");
    let double = fixture("formats/c_f64.npy");
    let numbers = |file: &Path| {
        let copy = folder.path().join("layer.npy");
        fs::copy(file, &copy).unwrap();
        stdout(&["id-profile", "--format", "csv", path(&copy)])
    };
    assert_eq!(numbers(&halves), numbers(&single));
    assert_eq!(numbers(&single), numbers(&double));
}

#[test]
fn nothing_to_measure_is_null_with_a_reason() {
    let equal = fixture("reference/manifolds/all_rows_equal.npy");
    let report = json(&["id-profile", path(&equal)]);
    let estimate = &report["layers"][0]["estimates"][0];
    assert_eq!(estimate["id"], Value::Null);
    assert_eq!(estimate["reason"], "all_rows_identical");
    let report = json(&["id-profile", "--duplicates", "keep", path(&equal)]);
    assert_eq!(
        report["layers"][0]["estimates"][0]["reason"],
        "all_rows_identical"
    );
    for (name, reason) in [("tiny_n1", "too_few_rows"), ("tiny_n2", "too_few_rows")] {
        let file = fixture(&format!("reference/manifolds/{name}.npy"));
        let report = json(&["id-profile", path(&file)]);
        assert_eq!(
            report["layers"][0]["estimates"][0]["reason"], reason,
            "{name}"
        );
    }
}

#[test]
fn scaling_moving_and_reordering_rows_leave_the_dimension_alone() {
    let folder = TempDir::new().unwrap();
    let (n, d) = (300, 12);
    let value = |f: &dyn Fn(usize, usize) -> f32, name: &str| {
        let file = folder.path().join(name).join("layer.npy");
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        write_npy(&file, n, d, f);
        let report = json(&["id-profile", path(&file), "--fit", "mle"]);
        let layer = &report["layers"][0];
        (
            layer["estimates"][0]["id"].clone(),
            layer["scaling"][3]["id"].clone(),
        )
    };
    let base = value(&noise, "base");
    assert!(base.0.as_f64().unwrap() > 3.0);
    // A power of two, and a shift that f32 holds exactly beside these 16-bit values.
    assert_eq!(base, value(&|i, j| noise(i, j) * 1024.0, "scaled"));
    assert_eq!(base, value(&|i, j| noise(i, j) + 8.0, "moved"));
    // Sums over rows are folded in sorted order, so even their last bits stay.
    assert_eq!(base, value(&|i, j| noise((i * 7) % 300, j), "reordered"));
}

#[test]
fn precomputed_tables_give_the_numbers_of_their_activations() {
    let folder = TempDir::new().unwrap();
    let (n, d) = (120, 5);
    let acts = folder.path().join("layer.npy");
    write_npy(&acts, n, d, noise);
    let distance = |i: usize, j: usize| {
        let squares = (0..d).map(|c| (f64::from(noise(i, c)) - f64::from(noise(j, c))).powi(2));
        squares.sum::<f64>().sqrt()
    };
    let square = folder.path().join("square.npy");
    #[allow(clippy::cast_possible_truncation)]
    write_npy(&square, n, n, |i, j| distance(i, j) as f32);
    let given = json(&["id-profile", "--neighbours", path(&square)]);
    let found = json(&["id-profile", path(&acts)]);
    let id = |report: &Value| report["layers"][0]["estimates"][0]["id"].as_f64().unwrap();
    // The matrix was rounded to f32.
    assert!(
        (id(&given) / id(&found) - 1.0).abs() < 1e-4,
        "{} {}",
        id(&given),
        id(&found)
    );
    assert_eq!(given["layers"][0]["n_columns"], Value::Null);
    let message = refusal(
        &[
            "id-profile",
            "--neighbours",
            path(&square),
            "--partitions",
            "2",
        ],
        2,
    );
    assert!(message.contains("--neighbours"), "{message}");
}
