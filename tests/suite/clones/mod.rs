//! Chunks of neurons against direct regression, and what must hold for any layer.

mod command;
mod dimensions;
mod golden;
mod identities;

use ndarray::Array2;
use repgeo::geometry::centred::Centred;
use repgeo::geometry::clones::{ChunkFit, Elimination, Readout, Remainder, Targets};
use repgeo::input::{Dump, Labels, Matrix, ReadOptions};
use repgeo::profile::clones::{
    CloneData, CloneLayer, ClonesOptions, ClonesProfile, clones, targets,
};
use repgeo::profile::{Bench, ReadParameters};

use super::common::{assert_close, fixture, normals};

/// The one layer of a file.
fn layer(path: &str) -> Matrix {
    let dump = Dump::open(&fixture(path)).unwrap();
    let info = &dump.layers()[0];
    dump.read(info, &ReadOptions::default()).unwrap().matrix
}

/// The values of a matrix.
fn values(matrix: &Matrix) -> Array2<f64> {
    let mut values = Array2::zeros((matrix.n_rows(), matrix.n_columns()));
    for (i, mut row) in values.rows_mut().into_iter().enumerate() {
        matrix.widen_row(i, row.as_slice_mut().unwrap());
    }
    values
}

fn all_targets(path: &str, outputs: usize) -> Targets {
    let labels = Labels::open(&fixture(path)).unwrap();
    let rows: Vec<u32> = (0..).take(labels.codes.len()).collect();
    targets(&labels, &rows, outputs).unwrap()
}

/// The fits of the first neurons of `order`, so many as each of `sizes` says.
fn fits(features: &Matrix, order: &[usize], sizes: &[usize]) -> Vec<ChunkFit> {
    let gram = Centred::new(features).gram();
    let floors = vec![0.0; order.len()];
    let mut elimination = Elimination::new(gram.view(), order, &floors);
    let variances: Vec<f64> = (0..gram.ncols()).map(|i| gram[(i, i)]).collect();
    sizes
        .iter()
        .map(|&w| {
            elimination.advance(w);
            ChunkFit::new(&variances, &floors, order, &elimination, features.n_rows()).unwrap()
        })
        .collect()
}

fn profile(features: &Matrix, data: &CloneData, options: &ClonesOptions) -> ClonesProfile {
    let layer = CloneLayer {
        layer: "layer".into(),
        dtype: "f64".into(),
        n_rows: features.n_rows(),
        width: features.n_columns(),
        n_constant: 0,
    };
    clones(
        features,
        layer,
        data,
        options,
        ReadParameters::default(),
        Vec::new(),
        &Bench::default(),
    )
    .unwrap()
}

/// The digits network of the fixture, with its training rows.
fn digits() -> (Matrix, CloneData) {
    let mut bias = vec![0.0; 10];
    let stored = layer("clones/readout_b.npy");
    for (at, bias) in bias.iter_mut().enumerate() {
        stored.widen_row(at, std::slice::from_mut(bias));
    }
    let readout = Readout::new(&layer("clones/readout_w.npy"), bias);
    let data = CloneData {
        readout: Some((readout, all_targets("clones/test_labels.npy", 10))),
        train: Some((
            layer("clones/train_hidden.npy"),
            all_targets("clones/train_labels.npy", 10),
        )),
        networks: Vec::new(),
    };
    (layer("clones/test_hidden.npy"), data)
}
