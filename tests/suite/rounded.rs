//! Commands that read neighbours, on layers where only rounding tells distances apart.

use std::fs;
use std::path::Path;

use half::{bf16, f16};
use ndarray::Array2;
use repgeo::random::SplitMix64;
use serde_json::Value;
use tempfile::TempDir;

use super::common::{json, normals};

const TYPES: [&str; 4] = ["f16", "bf16", "f32", "f64"];

/// Layers as raw numbers of every type.
struct Stored {
    folder: TempDir,
}

impl Stored {
    fn new() -> Self {
        Self {
            folder: TempDir::new().unwrap(),
        }
    }

    /// Writes a layer and says how it is named on the command line.
    fn write(&self, name: &str, kind: &str, values: &Array2<f64>) -> String {
        let bytes: Vec<u8> = match kind {
            "f16" => values
                .iter()
                .flat_map(|&x| f16::from_f64(x).to_le_bytes())
                .collect(),
            "bf16" => values
                .iter()
                .flat_map(|&x| bf16::from_f64(x).to_le_bytes())
                .collect(),
            "f32" => values
                .iter()
                .flat_map(|&x| (x as f32).to_le_bytes())
                .collect(),
            _ => values.iter().flat_map(|x| x.to_le_bytes()).collect(),
        };
        let path = self.folder.path().join(format!("{name}_{kind}.bin"));
        fs::write(&path, bytes).unwrap();
        let (n, d) = values.dim();
        format!("{}:{kind}:{n}x{d}", path.display())
    }

    /// What the layer holds once it is stored, in f64.
    fn copy(&self, name: &str, kind: &str, values: &Array2<f64>) -> String {
        let stored = values.mapv(|x| match kind {
            "f16" => f16::from_f64(x).to_f64(),
            "bf16" => bf16::from_f64(x).to_f64(),
            "f32" => f64::from(x as f32),
            _ => x,
        });
        self.write(&format!("{name}_{kind}"), "f64", &stored)
    }

    fn labels(&self, n: usize) -> String {
        let path = self.folder.path().join("labels.csv");
        let lines: String = (0..n).map(|i| format!("{}\n", i % 3)).collect();
        fs::write(&path, format!("label\n{lines}")).unwrap();
        Path::new(&path).display().to_string()
    }
}

/// Unit vectors, turned.
fn simplex(n: usize, seed: u64) -> Array2<f64> {
    let mut q = normals(n, n, seed);
    for i in 0..n {
        for j in 0..i {
            let dot = q.row(i).dot(&q.row(j));
            let other = q.row(j).to_owned();
            q.row_mut(i).scaled_add(-dot, &other);
        }
        let norm = q.row(i).dot(&q.row(i)).sqrt();
        q.row_mut(i).mapv_inplace(|x| x / norm);
    }
    q
}

fn warns(report: &Value, code: &str) -> bool {
    report.to_string().contains(&format!("\"{code}\""))
}

#[test]
fn rows_equally_far_apart_have_no_neighbours() {
    let stored = Stored::new();
    let n = 120;
    let other = normals(n, 5, 7);
    for (name, rows) in [
        ("turned", 3.0 * simplex(n, 1)),
        ("moved", simplex(n, 2) + 1.5),
        ("one-hot", Array2::eye(n)),
    ] {
        for kind in TYPES {
            let layer = stored.write(name, kind, &rows);
            let found = json(&[
                "id-profile",
                &layer,
                "--estimator",
                "all",
                "--format",
                "json",
            ]);
            for estimate in found["layers"][0]["estimates"].as_array().unwrap() {
                let linear = ["lpca", "participation_ratio"];
                let what = estimate["estimator"].as_str().unwrap();
                if !linear.contains(&what) {
                    assert_eq!(
                        estimate["reason"], "equidistant_rows",
                        "{layer}: {estimate}"
                    );
                }
            }
            let found = json(&["density-peaks", &layer, "--id", "4", "--format", "json"]);
            assert_eq!(found["layers"][0]["reason"], "equidistant_rows", "{layer}");

            let against = stored.write("other", kind, &other);
            let labels = stored.labels(n);
            let pair = [layer.as_str(), "--against", &against, "--format", "json"];
            let found = json(&[&["imbalance", "--k", "1,5"], &pair[..]].concat());
            for pair in found["pairs"].as_array().unwrap() {
                assert_eq!(pair["reason"], "equidistant_rows", "{layer}: {pair}");
                assert!(pair["forward"].is_null() && pair["backward"].is_null());
            }
            let with_labels = ["overlap", "--k", "5", "--labels", &labels];
            let found = json(&[&with_labels, &pair[..]].concat());
            assert_eq!(found["pairs"][0]["reason"], "equidistant_rows", "{layer}");
            assert_eq!(found["labels"][0]["reason"], "equidistant_rows", "{found}");
            let measures = ["similarity", "--measure", "overlap,imbalance"];
            let found = json(&[&measures, &pair[..]].concat());
            for pair in found["pairs"].as_array().unwrap() {
                assert_eq!(pair["reason"], "equidistant_rows", "{layer}: {pair}");
            }
        }
    }
}

#[test]
fn even_spacing_leaves_no_ratio_of_the_two_nearest() {
    let stored = Stored::new();
    let line = Array2::from_shape_fn((150, 3), |(i, j)| {
        0.25 + [0.3, -1.1, 0.7][j] * i as f64 / 150.0
    });
    let circle = Array2::from_shape_fn((90, 2), |(i, j)| {
        let angle = std::f64::consts::TAU * i as f64 / 90.0;
        3.0 * [angle.cos(), angle.sin()][j]
    });
    let grid = Array2::from_shape_fn((169, 2), |(i, j)| 0.1 * [i % 13, i / 13][j] as f64);
    for (name, rows) in [("line", line), ("circle", circle), ("grid", grid)] {
        for kind in ["f16", "f32", "f64"] {
            let layer = stored.write(name, kind, &rows);
            let found = json(&["id-profile", &layer, "--format", "json"]);
            let two_nn = &found["layers"][0]["estimates"][0];
            assert_eq!(two_nn["reason"], "degenerate_ratios", "{layer}: {two_nn}");
            let found = json(&["density-peaks", &layer, "--format", "json"]);
            assert_eq!(found["layers"][0]["reason"], "degenerate_ratios", "{layer}");
        }
    }
}

#[test]
fn twins_are_named_where_every_row_has_one() {
    let stored = Stored::new();
    let mut rows = normals(200, 6, 3);
    let mut random = SplitMix64::new(1);
    for i in 100..200 {
        let first = rows.row(i - 100).to_owned();
        let moved = first.mapv(|x| x + 1e-8 * random.uniform());
        rows.row_mut(i).assign(&moved);
    }
    let layer = stored.write("twins", "f64", &rows);
    let against = stored.write("other", "f64", &normals(200, 4, 9));
    let pair = [layer.as_str(), "--against", &against, "--format", "json"];
    for command in [
        &["id-profile", &layer, "--format", "json"][..],
        &["density-peaks", &layer, "--format", "json"],
        &[&["imbalance"], &pair[..]].concat(),
        &[&["overlap", "--k", "5"], &pair[..]].concat(),
    ] {
        let found = json(command);
        assert!(warns(&found, "near_duplicates"), "{command:?}: {found}");
    }
}

/// The numbers of a report by their places; reasons and warnings apart.
fn numbers(value: &Value, place: &str, out: &mut Vec<(String, f64)>) {
    match value {
        Value::Number(number) => out.push((place.to_owned(), number.as_f64().unwrap())),
        Value::Array(all) => {
            for (at, one) in all.iter().enumerate() {
                numbers(one, &format!("{place}.{at}"), out);
            }
        }
        // What does not exist has counts of its own.
        Value::Object(all) if all.get("reason").is_some_and(Value::is_string) => {}
        // Two rules count eigenvalues down to the floor of the stored type.
        Value::Object(all)
            if all
                .get("fit")
                .is_some_and(|fit| fit == "max_gap" || fit == "fan") => {}
        Value::Object(all) => {
            for (name, one) in all {
                if !["warnings", "parameters", "diagnostics"].contains(&name.as_str()) {
                    numbers(one, &format!("{place}.{name}"), out);
                }
            }
        }
        _ => {}
    }
}

#[test]
fn a_number_is_that_of_the_f64_copy_or_there_is_none() {
    let stored = Stored::new();
    let (n, d) = (40, 6);
    let mut random = SplitMix64::new(11);
    for seed in 0..3 {
        let plain = normals(n, d, 20 + seed);
        let directions = normals(5, d, 30 + seed);
        let along = normals(1, d, 40 + seed);
        let kinds = [
            ("plain", plain.clone()),
            (
                "rank-deficient",
                normals(n, 2, seed).dot(&normals(2, d, 50 + seed)),
            ),
            (
                "collinear",
                Array2::from_shape_simple_fn((n, 1), || random.uniform()).dot(&along),
            ),
            (
                "proportional",
                Array2::from_shape_fn((n, d), |(i, j)| (1.0 + i as f64) * directions[(i % 5, j)]),
            ),
            (
                "duplicated",
                Array2::from_shape_fn((n, d), |(i, j)| plain[(i % 25, j)]),
            ),
            (
                "one-hot",
                Array2::from_shape_fn((n, d), |(i, j)| f64::from(u8::from(i % d == j))),
            ),
            ("offset", plain.mapv(|x| 100.0 + x)),
        ];
        for (name, rows) in kinds {
            for kind in ["f16", "bf16", "f32"] {
                let layer = stored.write(name, kind, &rows);
                let copy = stored.copy(name, kind, &rows);
                let other = stored.write("other", "f64", &normals(n, 3, 60 + seed));
                let commands: [&[&str]; 4] = [
                    &["id-profile", "--estimator", "all", "-k", "8"],
                    &["density-peaks", "--k", "12", "--id", "2"],
                    &["imbalance", "--k", "1,4", "--against", &other],
                    &["overlap", "--k", "4", "--against", &other],
                ];
                for command in commands {
                    let report = |layer: &str| {
                        let found = json(&[command, &[layer, "--format", "json"]].concat());
                        let mut all = Vec::new();
                        for part in ["layers", "pairs"] {
                            numbers(&found[part], part, &mut all);
                        }
                        all
                    };
                    let exact = report(&copy);
                    for (place, value) in report(&layer) {
                        let wanted = exact.iter().find(|(other, _)| *other == place);
                        let (_, wanted) = wanted.unwrap_or_else(|| panic!("{layer}: {place}"));
                        let close = (value - wanted).abs() <= 1e-12 * wanted.abs();
                        assert!(close, "{layer}: {place} is {value}, not {wanted}");
                    }
                }
            }
        }
    }
}
