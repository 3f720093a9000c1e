//! `repgeo probe` finds the read-outs of scikit-learn, splits rows fairly, and says what chance gives.

use std::fs;

use repgeo::geometry::probe::{Standardised, logistic, ridge};
use repgeo::input::{Dump, ReadOptions};
use serde_json::Value;
use tempfile::TempDir;

use super::common::{assert_close, fixture, json, path, refusal, stdout};
use super::dumps::{npy, npz, scattered};

/// The values of scikit-learn.
fn reference() -> Value {
    let text = fs::read_to_string(fixture("probe/scikit_learn.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one.as_f64().unwrap())
        .collect()
}

/// A layer of 300 rows in f64, and its columns.
fn layer(name: &str) -> (Vec<f64>, usize) {
    let dump = Dump::open(&fixture("reference/vae_d16_ep0300")).unwrap();
    let info = dump
        .layers()
        .iter()
        .find(|layer| layer.name == name)
        .unwrap();
    let matrix = dump.read(info, &ReadOptions::default()).unwrap().matrix;
    let width = matrix.n_columns();
    let mut values = vec![0.0; matrix.n_rows() * width];
    for (row, out) in values.chunks_exact_mut(width).enumerate() {
        matrix.widen_row(row, out);
    }
    (values, width)
}

#[test]
fn read_outs_are_those_of_scikit_learn() {
    let reference = reference();
    let classes: Vec<usize> = numbers(&reference["classes"])
        .iter()
        .map(|class| *class as usize)
        .collect();
    let targets = numbers(&reference["numbers"]);
    let (train, test): (Vec<usize>, Vec<usize>) = (0..300).partition(|row| row % 2 == 0);
    let pick = |rows: &[usize]| rows.iter().map(|&row| classes[row]).collect::<Vec<usize>>();
    let pick_numbers = |rows: &[usize]| rows.iter().map(|&row| targets[row]).collect::<Vec<f64>>();
    let layers = reference["layers"].as_object().unwrap();
    assert_eq!(layers.len(), 3);
    for (name, expected) in layers {
        let (values, width) = layer(name);
        let standard = Standardised::of(&values, width, &train);
        assert_eq!(
            standard.width() as u64,
            expected["columns"].as_u64().unwrap()
        );
        let (a, b) = (
            standard.rows(&values, width, &train),
            standard.rows(&values, width, &test),
        );
        let n = standard.width();

        let fit = logistic(&a, n, &pick(&train), 4, 0.5).unwrap();
        let objective = fit.objective * train.len() as f64;
        assert_close(
            objective,
            expected["logistic_objective"].as_f64().unwrap(),
            1e-6,
            name,
        );
        for (found, expected) in fit
            .readout
            .weights
            .iter()
            .zip(numbers(&expected["logistic_weights"]))
        {
            assert_close(*found, expected, 1e-5, name);
        }
        let share = |answers: Vec<usize>, rows: &[usize]| {
            let right = answers
                .iter()
                .zip(pick(rows))
                .filter(|(a, b)| **a == *b)
                .count();
            right as f64 / rows.len() as f64
        };
        for (rows, place, key) in [(&b, &test, "test"), (&a, &train, "train")] {
            let expected = expected[format!("logistic_{key}_accuracy")]
                .as_f64()
                .unwrap();
            assert_close(
                share(fit.readout.classes(rows), place),
                expected,
                1e-12,
                name,
            );
        }

        let fit = ridge(&a, n, &pick_numbers(&train), 1, 3.0).unwrap();
        for (found, expected) in fit.weights.iter().zip(numbers(&expected["ridge_weights"])) {
            assert_close(*found, expected, 1e-10, name);
        }
        let asked = pick_numbers(&test);
        let mean = asked.iter().sum::<f64>() / asked.len() as f64;
        let left: f64 = fit
            .read(&b)
            .iter()
            .zip(&asked)
            .map(|(x, y)| (x - y).powi(2))
            .sum();
        let whole: f64 = asked.iter().map(|y| (y - mean).powi(2)).sum();
        assert_close(
            1.0 - left / whole,
            expected["ridge_test_r2"].as_f64().unwrap(),
            1e-10,
            name,
        );
    }
}

/// Files of classes and numbers for the 300 rows.
fn targets() -> TempDir {
    let folder = TempDir::new().unwrap();
    let reference = reference();
    for (name, key) in [("classes.txt", "classes"), ("numbers.txt", "numbers")] {
        let lines: Vec<String> = numbers(&reference[key])
            .iter()
            .map(ToString::to_string)
            .collect();
        fs::write(folder.path().join(name), lines.join("\n") + "\n").unwrap();
    }
    folder
}

#[test]
fn every_layer_has_a_score_a_spread_and_chance_beside_it() {
    let folder = targets();
    let run = fixture("reference/vae_d16_ep0300");
    let classes = folder.path().join("classes.txt");
    let args = ["probe", path(&run), "--labels", path(&classes)];
    let report = json(&args);
    assert_eq!(report["target"]["score"], "accuracy");
    assert_eq!(report["target"]["n_classes"], 4);
    let chance = report["target"]["chance"].as_f64().unwrap();
    assert!((0.2..0.3).contains(&chance), "{chance}");
    let layers = report["layers"].as_array().unwrap();
    assert_eq!(layers.len(), 11);
    for layer in layers {
        let folds = numbers(&layer["folds"]);
        assert_eq!(folds.len(), 5);
        let mean = folds.iter().sum::<f64>() / 5.0;
        assert_close(layer["score"].as_f64().unwrap(), mean, 1e-12, "mean");
        let squares: f64 = folds.iter().map(|score| (score - mean).powi(2)).sum();
        assert_close(
            layer["std_dev"].as_f64().unwrap(),
            (squares / 4.0).sqrt(),
            1e-12,
            "spread",
        );
        assert!(mean > chance, "{layer}");
    }
    let best = layers
        .iter()
        .map(|layer| layer["score"].as_f64().unwrap())
        .fold(0.0, f64::max);
    assert_eq!(report["best"]["score"].as_f64().unwrap(), best);
    // The classes are quartiles of a column of the first layer.
    assert_eq!(report["best"]["layer"], "layer_01_enc_1");
    let proposed = report["proposed"].as_array().unwrap();
    assert_eq!(proposed[1]["rule"], "peak");
    let peak = proposed[1]["layer"].as_str().unwrap();
    assert_eq!(peak, "layer_06_bottleneck_sample");
    let score = layers.iter().find(|layer| layer["layer"] == peak).unwrap()["score"]
        .as_f64()
        .unwrap();
    assert_close(
        proposed[1]["below_best"].as_f64().unwrap(),
        best - score,
        1e-12,
        "below",
    );
    // Threads and repetition change nothing, a seed deals the rows anew.
    let one = json(&[&args[..], &["--threads", "1"]].concat());
    assert_eq!(one, report);
    let other = json(&[&args[..], &["--seed", "1"]].concat());
    assert_ne!(other["layers"], report["layers"]);
    let text = stdout(&[&args[..], &["--format", "table", "--layers", "0..3"]].concat());
    assert!(
        text.contains("best accuracy") && text.contains("chance"),
        "{text}"
    );
}

#[test]
fn numbers_and_classes_are_read_by_ridge_too() {
    let folder = targets();
    let run = fixture("reference/vae_d16_ep0300");
    let (classes, values) = (
        folder.path().join("classes.txt"),
        folder.path().join("numbers.txt"),
    );
    let args = [
        "probe",
        path(&run),
        "--layers",
        "layer_09_dec_3",
        "--penalty",
        "3",
        "--holdout",
        "0.5",
    ];
    let r2 = json(&[&args[..], &["--targets", path(&values)]].concat());
    assert_eq!(
        (
            r2["target"]["score"].as_str(),
            r2["target"]["chance"].as_f64()
        ),
        (Some("r2"), Some(0.0))
    );
    // scikit-learn has 0.74 on another half of the rows.
    let score = r2["layers"][0]["score"].as_f64().unwrap();
    assert!((score - 0.74).abs() < 0.1, "{score}");
    assert!(r2["layers"][0]["std_dev"].is_null());
    let signs = json(
        &[
            &args[..],
            &["--labels", path(&classes), "--readout", "ridge"],
        ]
        .concat(),
    );
    let score = signs["layers"][0]["score"].as_f64().unwrap();
    assert!((score - 0.533).abs() < 0.1, "{score}");
}

#[test]
fn rows_without_a_label_take_no_part_and_one_class_is_told() {
    let folder = TempDir::new().unwrap();
    let run = fixture("reference/vae_d16_ep0300");
    let write = |name: &str, of: &dyn Fn(usize) -> String| {
        let lines: Vec<String> = (0..300).map(of).collect();
        let file = folder.path().join(name);
        fs::write(&file, format!("label\n{}\n", lines.join("\n"))).unwrap();
        format!("{}:label", path(&file))
    };
    let gaps = write("gaps.csv", &|row| match row % 3 {
        0 => String::from("\"\""),
        rest => format!("c{rest}"),
    });
    let args = ["probe", path(&run), "--layers", "0", "--labels"];
    let report = json(&[&args[..], &[gaps.as_str()]].concat());
    assert_eq!(report["target"]["n"], 200);
    assert_eq!(report["target"]["n_missing"], 100);
    let one = write("one.csv", &|_| "same".to_owned());
    let report = json(&[&args[..], &[one.as_str()]].concat());
    assert!(report["layers"][0]["score"].is_null());
    assert_eq!(report["layers"][0]["reason"], "single_class");
    assert!(report["best"].is_null());
}

#[test]
fn what_cannot_be_read_out_is_refused_with_a_way_out() {
    let folder = targets();
    let run = fixture("reference/vae_d16_ep0300");
    let at = |name: &str| path(&folder.path().join(name)).to_owned();
    let (classes, values) = (at("classes.txt"), at("numbers.txt"));
    let words = at("words.txt");
    fs::write(&words, "a\n".repeat(300)).unwrap();
    for (extra, word) in [
        (&[][..], "--labels"),
        (
            &["--labels", &classes, "--labels", &classes],
            "one --labels",
        ),
        (
            &["--targets", &values, "--readout", "logistic"],
            "--readout ridge",
        ),
        (&["--targets", &words], "--labels"),
        (&["--labels", &classes, "--folds", "301"], "--folds 301"),
    ] {
        let message = refusal(&[&["probe", path(&run)], extra].concat(), 2);
        assert!(message.contains(word), "{message}");
    }
}

#[test]
fn the_tokens_of_a_prompt_stand_on_one_side_of_every_split() {
    let folder = TempDir::new().unwrap();
    // Tokens of a prompt are alike and have its class; prompts tell nothing about classes.
    let layer = npy(&[24, 6, 3], |at| {
        let (prompt, column) = (at / 18, at % 3);
        10.0 * scattered(7 * prompt + 1000 * column) + 0.01 * scattered(at)
    });
    let acts = folder.path().join("acts.npz");
    fs::write(&acts, npz(&[("layer_0.npy", layer)])).unwrap();
    let labels = folder.path().join("labels.csv");
    let lines: String = (0..24)
        .map(|prompt| format!("c{}\n", prompt * 7 / 3 % 2))
        .collect();
    fs::write(&labels, format!("class\n{lines}")).unwrap();
    let args = |folds: &'static str| {
        let labels = path(&labels).to_owned();
        [
            "probe".into(),
            path(&acts).to_owned(),
            "--pool".into(),
            "tokens".into(),
            "--mask".into(),
            "none".into(),
            "--labels".into(),
            labels,
            "--folds".into(),
            folds.into(),
        ]
    };
    let report = json(&args("4").each_ref().map(String::as_str));
    assert_eq!(report["parameters"]["dealt"], "prompts");
    let score = report["layers"][0]["score"].as_f64().unwrap();
    // Whoever meets the prompt again gets nearly all.
    assert!(score < 0.85, "{score}");
    let error = refusal(&args("25").each_ref().map(String::as_str), 2);
    assert!(error.contains("prompts") && error.contains("24"), "{error}");
}
