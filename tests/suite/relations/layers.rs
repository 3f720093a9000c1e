//! Layers made for a test, and the two numbers about them.

use std::fs;
use std::path::Path;

use ndarray::{Array2, s};
use repgeo::geometry::Reason;
use repgeo::geometry::relation::{Counted, Imbalance, information_imbalance};
use repgeo::input::Matrix;
use repgeo::neighbours::{Metric, Points, SearchOptions, Targets, count_ranks, neighbour_table};
use repgeo::progress::Silent;

pub use crate::common::{fixture, normals as normal};

/// Rows of an `.npy` file of f64 or f32.
pub fn rows_of(name: &str) -> Array2<f64> {
    let file = repgeo::input::Tensors::open(&fixture(name)).unwrap();
    let array = file.only().unwrap();
    let shape = array.shape();
    Array2::from_shape_vec((shape[0], shape[1]), array.to_f64().unwrap()).unwrap()
}

pub fn columns(rows: &Array2<f64>, which: &[usize]) -> Array2<f64> {
    rows.select(ndarray::Axis(1), which)
}

pub fn neighbours(rows: &Array2<f64>, k: usize) -> Array2<u32> {
    let matrix = Matrix::from(rows.clone());
    let points = Points::new(&matrix, Metric::Euclidean, "x").unwrap();
    neighbour_table(&points, k, &SearchOptions::default(), &Silent)
        .unwrap()
        .indices
}

pub fn imbalance(a: &Array2<f64>, b: &Array2<f64>, k: usize) -> Result<Imbalance, Reason> {
    let nearest = neighbours(a, k + 1);
    let matrix = Matrix::from(b.clone());
    let points = Points::new(&matrix, Metric::Euclidean, "x").unwrap();
    let group = 0..k;
    let targets = Targets {
        rows: nearest.view(),
        groups: std::slice::from_ref(&group),
    };
    let counts = count_ranks(&points, &targets, &SearchOptions::default(), &Silent).unwrap();
    information_imbalance(
        &Counted {
            neighbours: nearest.view(),
            ranks: counts.ranks.view(),
            nearer: counts.nearer.column(0),
        },
        k,
    )
}

/// Writes a layer as f64 `.npy`.
pub fn write(path: &Path, rows: &Array2<f64>) {
    let (n, d) = rows.dim();
    let values: Vec<f64> = rows.slice(s![.., ..]).iter().copied().collect();
    fs::write(path, repgeo::storage::npy(&[n, d], &values)).unwrap();
}
