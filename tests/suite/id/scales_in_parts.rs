//! Gride's scaling in parts is that of a dump of each part, at every order.

use serde_json::Value;

use crate::common::{assert_close, fixture, json, path};

const DUMP: &str = "reference/vae_d16_ep0300";

/// The dimension of layer 0 at `order`, among the estimates or in the scaling.
fn at(report: &Value, order: u64) -> f64 {
    let layer = &report["layers"][0];
    let points = layer["scaling"].as_array().unwrap().iter();
    let of = |one: &&Value| one["order"] == order && one["estimator"] != "two_nn";
    let mut found = points.chain(layer["estimates"].as_array().unwrap());
    found.find(of).unwrap()["id"].as_f64().unwrap()
}

#[test]
fn every_order_in_every_part_is_that_of_the_part_alone() {
    let dump = fixture(DUMP);
    let run = |more: &[&str]| {
        let base = ["id-profile", path(&dump), "--layers", "0"];
        json(&[&base[..], more].concat())
    };
    let parted = run(&[
        "--order",
        "3,5,40",
        "--range-max",
        "16",
        "--id-scaling",
        "--partitions",
        "3",
        "--partition-order",
        "given",
        "--format",
        "json",
    ]);
    let layer = &parted["layers"][0];
    let headline = layer["estimates"][1].clone();
    assert_eq!(
        (&headline["order"], &headline["estimator"]),
        (&3.into(), &"gride".into())
    );
    let n = layer["n_rows"].as_u64().unwrap();
    let alone: Vec<Value> = (0..3)
        .map(|part| {
            let rows = format!("{}..{}", part * n / 3, (part + 1) * n / 3);
            run(&["--rows", &rows, "--order", "3,5,40", "--range-max", "16"])
        })
        .collect();
    let points = layer["scaling"].as_array().unwrap();
    let orders: Vec<u64> = points
        .iter()
        .map(|point| point["order"].as_u64().unwrap())
        .collect();
    assert_eq!(orders, [1, 2, 4, 5, 8, 40]);
    for point in points.iter().chain([&headline]) {
        let order = point["order"].as_u64().unwrap();
        let sample = &point["resampled"];
        let values: Vec<f64> = sample["values"]
            .as_array()
            .unwrap()
            .iter()
            .map(|value| value.as_f64().unwrap())
            .collect();
        assert_eq!(values.len(), 3);
        for (value, report) in values.iter().zip(&alone) {
            assert_eq!(*value, at(report, order), "order {order}");
        }
        let mean = values.iter().sum::<f64>() / 3.0;
        assert_close(sample["mean"].as_f64().unwrap(), mean, 1e-12, "mean");
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let error = (squares / 2.0).sqrt() / 3f64.sqrt();
        assert_close(sample["std_error"].as_f64().unwrap(), error, 1e-12, "error");
    }
}

#[test]
fn parts_repeat_only_the_orders_that_were_asked_for() {
    let dump = fixture(DUMP);
    let base = [
        "id-profile",
        path(&dump),
        "--layers",
        "0",
        "--partitions",
        "2",
    ];
    let has_parts = |more: &[&str]| -> Vec<u64> {
        let report = json(&[&base[..], more].concat());
        let points = report["layers"][0]["scaling"].as_array().unwrap().clone();
        let repeated = points
            .iter()
            .filter(|point| point.get("resampled").is_some());
        repeated
            .map(|point| point["order"].as_u64().unwrap())
            .collect()
    };
    assert_eq!(has_parts(&[]), [0u64; 0]);
    assert_eq!(has_parts(&["--order", "plateau,8,12"]), [8, 12]);
    assert_eq!(
        has_parts(&["--id-scaling", "--range-max", "8", "--format", "json"]),
        [1, 2, 4]
    );
}

#[test]
fn more_orders_leave_the_headline_and_the_plateau_alone() {
    let dump = fixture(DUMP);
    let base = ["id-profile", path(&dump), "--estimator", "gride"];
    let (plain, more) = (
        json(&base),
        json(&[&base[..], &["--order", "plateau,3,11"]].concat()),
    );
    for (a, b) in plain["layers"]
        .as_array()
        .unwrap()
        .iter()
        .zip(more["layers"].as_array().unwrap())
    {
        assert_eq!(a["plateau"], b["plateau"]);
        assert_eq!(a["estimates"], b["estimates"]);
        assert!(
            a["scaling"].as_array().unwrap().len() + 2 == b["scaling"].as_array().unwrap().len()
        );
    }
}

#[test]
fn eigenvalues_and_the_share_of_variance_are_options() {
    let dump = fixture(DUMP);
    let run = |more: &[&str]| {
        let base = [
            "id-profile",
            path(&dump),
            "--layers",
            "2",
            "--estimator",
            "lpca",
        ];
        json(&[&base[..], more].concat())["layers"][0].clone()
    };
    let whole = run(&["--variance", "0.99", "--eigenvalues", "100000"]);
    let spectrum = &whole["spectrum"];
    let values = spectrum["eigenvalues"].as_array().unwrap();
    assert_eq!(values.len() as u64, spectrum["n"].as_u64().unwrap());
    let total = spectrum["total"].as_f64().unwrap();
    let values: Vec<f64> = values.iter().map(|value| value.as_f64().unwrap()).collect();
    let ratio = |layer: &Value| {
        let estimates = layer["estimates"].as_array().unwrap().clone();
        let found = estimates.iter().find(|one| one["fit"] == "ratio").unwrap();
        found["id"].as_f64().unwrap()
    };
    // The definition: the least number of eigenvalues whose share is 99 %.
    let count_to = |share: f64| (1..).find(|&n| values[..n].iter().sum::<f64>() >= share * total);
    assert_eq!(Some(ratio(&whole) as usize), count_to(0.99));
    assert_eq!(Some(ratio(&run(&[])) as usize), count_to(0.95));
    let short = run(&["--eigenvalues", "3"]);
    assert_eq!(short["spectrum"]["cumulative"].as_array().unwrap().len(), 3);
    assert_eq!(short["spectrum"]["n"], spectrum["n"]);
}
