//! Committed arrays and the peers' numbers about them.

use std::path::PathBuf;

use ndarray::{Array2, s};
use repgeo::input::{Dump, ReadOptions};
use serde_json::Value;

fn path(area: &str, name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures")
        .join(area)
        .join(name)
}

/// The rows of `fixtures/AREA/NAME.npy` (f4 or f8), widened.
pub fn array(area: &str, name: &str) -> Array2<f64> {
    let dump = Dump::open(&path(area, &format!("{name}.npy"))).unwrap();
    let layer = dump
        .read(&dump.layers()[0], &ReadOptions::default())
        .unwrap();
    let mut values = Array2::zeros((layer.matrix.n_rows(), layer.matrix.n_columns()));
    for (i, mut row) in values.rows_mut().into_iter().enumerate() {
        layer.matrix.widen_row(i, row.as_slice_mut().unwrap());
    }
    values
}

/// A set of the golden values: `2gauss_first25` is the head of `2gauss`.
pub fn golden_set(name: &str) -> Array2<f64> {
    match name {
        "2gauss_first25" => array("golden", "2gauss").slice(s![..25, ..]).to_owned(),
        _ => array("golden", name),
    }
}

/// `fixtures/AREA/NAME.json`.
pub fn json(area: &str, name: &str) -> Value {
    let text = std::fs::read_to_string(path(area, &format!("{name}.json"))).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// The numbers of a JSON array.
pub fn numbers(value: &Value) -> Vec<f64> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|x| x.as_f64().unwrap())
        .collect()
}

/// Fails unless `found` equals `expected` to within `tolerance`, relative.
#[track_caller]
pub fn assert_close(found: f64, expected: f64, tolerance: f64, what: &str) {
    let error = (found - expected).abs() / expected.abs();
    assert!(
        error <= tolerance,
        "{what}: {found} is not {expected} (relative {error:e})"
    );
}
