//! Ways of dumping that are normal in the field, each with the right value or refusal.

mod answers;
mod axes;
mod contradictions;
mod kinds;
mod layers;
mod masks;
mod neighbour_tables;
mod order;
mod places;
mod rows;
mod runs;
mod text;
mod tokens;

use std::fs;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;
use zip::write::SimpleFileOptions;

use super::common::{command, fixture_arg};
pub(super) use super::common::{json, refusal_line as refusal, repgeo as run};

/// A file or folder of `fixtures/dumps` as an argument.
fn dumped(name: &str) -> String {
    fixture_arg(&format!("dumps/{name}"))
}

/// Names of the layers, in order.
pub(super) fn names(args: &[&str]) -> Vec<String> {
    let report = json(&[&["inspect"], args].concat());
    let layers = report["layers"].as_array().unwrap();
    let name = |layer: &Value| layer["layer"].as_str().unwrap().to_owned();
    layers.iter().map(name).collect()
}

pub(super) fn near(found: f64, wanted: f64, by: f64) {
    assert!((found - wanted).abs() <= by, "{found} is not {wanted}");
}

/// TwoNN of every layer.
pub(super) fn dimensions(args: &[&str]) -> Vec<f64> {
    let report = json(&[&["id-profile", "--estimator", "two-nn"], args].concat());
    let layers = report["layers"].as_array().unwrap();
    let id = |layer: &Value| layer["estimates"][0]["id"].as_f64().unwrap();
    layers.iter().map(id).collect()
}

/// An npy file of f32.
pub(super) fn npy(shape: &[usize], value: impl Fn(usize) -> f32) -> Vec<u8> {
    let axes: String = shape.iter().map(|n| format!("{n}, ")).collect();
    let mut header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({axes}), }}");
    header.push_str(&" ".repeat(63 - (10 + header.len()) % 64));
    header.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend(u16::try_from(header.len()).unwrap().to_le_bytes());
    bytes.extend(header.as_bytes());
    for at in 0..shape.iter().product() {
        bytes.extend(value(at).to_le_bytes());
    }
    bytes
}

/// Values that repeat nowhere.
pub(super) fn scattered(at: usize) -> f32 {
    (at as f32 * 0.618_034).fract() + (at as f32 * 0.1).sin()
}

pub(super) fn npz(members: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in members {
        archive
            .start_file(*name, SimpleFileOptions::default())
            .unwrap();
        archive.write_all(content).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

pub(super) struct Folder(TempDir);

impl Folder {
    pub(super) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(super) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.0.path().join(name);
        fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }

    pub(super) fn path(&self) -> &str {
        self.0.path().to_str().unwrap()
    }

    pub(super) fn join(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

pub(super) fn torch(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/formats/torch");
    folder.join(name).to_str().unwrap().to_owned()
}

/// The values of `fixtures/formats/torch/make.py`.
pub(super) fn made(layer: usize) -> Vec<u8> {
    npy(&[60, 5], |at| {
        ((1000 * layer + at) as f64 * 0.618_034).fract() as f32
    })
}

/// The first number called `key`, however deep.
pub(super) fn find(value: &Value, key: &str) -> Option<f64> {
    match value {
        Value::Object(map) => map.iter().find_map(|(name, inner)| match inner.as_f64() {
            Some(number) if name == key => Some(number),
            _ => find(inner, key),
        }),
        Value::Array(all) => all.iter().find_map(|inner| find(inner, key)),
        _ => None,
    }
}
