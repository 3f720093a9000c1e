//! Similarity measures against plain double precision, and what must hold for any data.

mod command;
mod degenerate;
mod golden;
mod identities;

use ndarray::Array2;
use repgeo::geometry::centred::Centred;
use repgeo::geometry::similarity::{KernelTerms, Route, linear_terms};
use repgeo::input::{Dump, Matrix, ReadOptions};
use repgeo::progress::Silent;

use super::common::{assert_close, fixture, normals};

/// The layers of a dump.
fn layers(path: &str) -> Vec<Matrix> {
    let dump = Dump::open(&fixture(path)).unwrap();
    let read = |layer| dump.read(layer, &ReadOptions::default()).unwrap().matrix;
    dump.layers().iter().map(read).collect()
}

/// The values of a matrix.
fn values(matrix: &Matrix) -> Array2<f64> {
    let mut values = Array2::zeros((matrix.n_rows(), matrix.n_columns()));
    for (i, mut row) in values.rows_mut().into_iter().enumerate() {
        matrix.widen_row(i, row.as_slice_mut().unwrap());
    }
    values
}

/// Terms of all pairs of `layers`.
fn terms(layers: &[&Matrix], route: Route) -> KernelTerms {
    let centred: Vec<Centred<'_>> = layers.iter().map(|layer| Centred::new(layer)).collect();
    let count = layers.len();
    let pairs: Vec<(usize, usize)> = (0..count)
        .flat_map(|x| (0..count).map(move |y| (x, y)))
        .collect();
    linear_terms(&centred, &pairs, route, &Silent)
}
