//! Inputs that once gave a wrong number in silence: the right number now, or the reason for none.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

/// Runs a command in `fixtures/cases`.
fn run(folder: &str, command: &str) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_repgeo"))
        .args(command.split_whitespace())
        .current_dir(
            Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("fixtures/cases")
                .join(folder),
        )
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let code = output.status.code().unwrap();
    (code, text(output.stdout), text(output.stderr))
}

fn report(folder: &str, command: &str) -> Value {
    let (code, out, error) = run(folder, &format!("{command} --quiet --format json"));
    assert_eq!(code, 0, "{command}: {error}");
    serde_json::from_str(&out).unwrap()
}

fn close(found: &Value, expected: f64, tolerance: f64) {
    let number = found.as_f64().unwrap_or(f64::NAN);
    assert!(
        (number - expected).abs() <= tolerance,
        "{found} is not {expected}"
    );
}

#[test]
fn rows_that_are_multiples_are_one_direction() {
    for (file, two_nn, mle) in [
        ("times_3.npy", 5.033, 5.181),
        ("times_2.npy", 5.033, 5.181),
        ("word_counts.npy", 7.924, 9.236),
    ] {
        let of = |estimator: &str| {
            report(
                "scaled_rows",
                &format!("id-profile {file} --metric cosine --estimator {estimator}"),
            )
        };
        close(
            &of("two-nn")["layers"][0]["estimates"][0]["id"],
            two_nn,
            6e-4,
        );
        let found = of("two-nn --fit mle");
        close(&found["layers"][0]["estimates"][0]["id"], mle, 6e-4);
        let warnings = found["layers"][0]["warnings"].to_string();
        assert!(
            warnings.contains("direction of an earlier row"),
            "{warnings}"
        );
    }
}

#[test]
fn rsa_of_collinear_rows() {
    let rsa = |files: &str, kind: &str| {
        let found = report(
            "collinear_rows",
            &format!("similarity {files} --measure rsa --dissimilarity {kind}"),
        );
        found["pairs"][0].clone()
    };
    close(
        &rsa("logits_a.npy logits_b.npy", "correlation")["value"],
        1.0,
        1e-12,
    );
    close(
        &rsa("groups_a.npy groups_b.npy", "cosine")["value"],
        1.0,
        1e-12,
    );
    let none = rsa("one_line.npy other.npy", "cosine");
    assert!(none["value"].is_null(), "{none}");
    assert_eq!(none["reason"], "constant_layer");
}

#[test]
fn canonical_correlations_in_few_digits() {
    for (files, dimensions) in [
        ("x.npy y.npy", 8),
        ("x_half.npy y_half.npy", 8),
        ("normed.npy normed_turned.npy", 23),
    ] {
        let found = report(
            "single_precision",
            &format!("similarity {files} --measure cca"),
        );
        let pair = &found["pairs"][0];
        close(&pair["value"], 1.0, 1e-5);
        assert_eq!(
            pair["dimensions"],
            serde_json::json!([dimensions, dimensions]),
            "{files}"
        );
    }
}

#[test]
fn a_lens_through_an_rms_norm() {
    for file in ["as_it_is", "folded", "with_zero_bias"] {
        let command = format!("logit-lens acts.safetensors --unembed {file}.safetensors");
        let (code, out, error) = run("rms_norm", &format!("{command} --format json"));
        assert!((out + &error).contains("--norm rms"), "{error}");
        // A β of zeros is read as a LayerNorm, with a warning; without a β nothing is.
        assert_eq!(code, i32::from(file != "with_zero_bias"), "{error}");
        let found = report("rms_norm", &format!("{command} --norm rms"));
        let last = found["rows"].as_array().unwrap().last().unwrap().clone();
        close(&last["delta"]["mean"], 2.9369, 5e-5);
        let layer = report("rms_norm", &format!("{command} --norm layer"));
        let last = layer["rows"].as_array().unwrap().last().unwrap().clone();
        close(&last["delta"]["mean"], 2.2972, 5e-5);
    }
}

#[test]
fn the_square_of_the_procrustes_metric_breaks_the_triangle_its_root_keeps() {
    let squared = |files: &str| {
        let found = report(
            "procrustes",
            &format!("similarity {files} --measure procrustes"),
        );
        found["pairs"][0]["value"].as_f64().unwrap()
    };
    let (ac, ab, bc) = (
        squared("a.npy c.npy"),
        squared("a.npy b.npy"),
        squared("b.npy c.npy"),
    );
    assert!((ac - 2.0).abs() < 1e-3 && (ab - 0.586).abs() < 1e-3 && (bc - 0.586).abs() < 1e-3);
    assert!(ac > ab + bc);
    assert!(ac.sqrt() <= ab.sqrt() + bc.sqrt());
}

#[test]
fn classes_written_as_floats_are_classes() {
    let of = |targets: &str| {
        let found = report(
            "float_targets",
            &format!("clones hidden.npy --readout w.npy b.npy --targets {targets}"),
        );
        found["widths"].clone()
    };
    let (csv, npy) = (of("targets.csv:target"), of("targets.npy"));
    assert_eq!(csv, npy);
    let widest = csv.as_array().unwrap().last().unwrap().clone();
    close(&widest["test"]["accuracy"]["mean"], 1.0, 0.0);
}

#[test]
fn columns_of_one_layer_predict_another() {
    let found = report(
        "column_target",
        "imbalance . --layers input,lat --to input --greedy 1",
    );
    assert_eq!(found["parameters"]["to"], "input");
    let layer = &found["layers"][0];
    assert_eq!(
        (&layer["layer"], &layer["target"]),
        (&"lat".into(), &"input".into())
    );
    let subset = &layer["subsets"][0];
    assert_eq!(subset["columns"], serde_json::json!([1]));
    close(&subset["full_to_subset"], 0.2670, 5e-5);
    close(&subset["subset_to_full"], 0.7233, 5e-5);
    let against = report(
        "column_target",
        "imbalance lat.npy --against input.npy --coordinates 1",
    );
    close(
        &against["layers"][0]["subsets"][0]["subset_to_full"],
        0.7233,
        5e-5,
    );
    let (code, _, error) = run("column_target", "imbalance . --to nonsense --greedy 1");
    assert_eq!(code, 2, "{error}");
}
