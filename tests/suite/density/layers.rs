//! A table of neighbours, and the densities that are read from it.

use ndarray::Array2;
use repgeo::geometry::density::peaks::{Peaks, density_peaks};
use repgeo::geometry::density::{Correction, Densities, KSTAR_ALPHA, knn, kstar, kstar_nn, pak};
use repgeo::geometry::id::{Fit, Orders, Ratios, gride, two_nn};
use repgeo::input::Matrix;
use repgeo::neighbours::{Metric, NeighbourTable, Points, SearchOptions, neighbour_table};
use repgeo::progress::Silent;

/// How densities are made.
#[derive(Clone, Copy)]
pub enum Rule {
    Knn(usize),
    Kstar,
    Pak,
}

pub struct Layer {
    pub table: NeighbourTable,
}

impl Layer {
    pub fn new(data: &Array2<f64>, k: usize) -> Self {
        let matrix = Matrix::from(data.clone());
        let points = Points::new(&matrix, Metric::Euclidean, "test").unwrap();
        let table = neighbour_table(&points, k, &SearchOptions::default(), &Silent).unwrap();
        Self { table }
    }

    fn ratios(&self, n1: usize, n2: usize) -> Ratios {
        let order = |n| self.table.distances_of_order(n).to_vec();
        Ratios::new(&order(n1), &order(n2))
    }

    pub fn two_nn(&self) -> f64 {
        two_nn(&self.ratios(1, 2), Fit::default()).unwrap().id
    }

    pub fn gride(&self, order: usize) -> f64 {
        let orders = Orders::doubled(order).unwrap();
        gride(&self.ratios(order, 2 * order), orders).unwrap().id
    }

    pub fn kstar(&self, id: f64, alpha: f64, correction: Correction) -> Vec<Option<usize>> {
        let (distances, indices) = (self.table.distances.view(), self.table.indices.view());
        kstar(distances, indices, id, alpha, correction).unwrap()
    }

    pub fn densities(&self, id: f64, rule: Rule) -> Densities {
        let distances = self.table.distances.view();
        let sizes = || self.kstar(id, KSTAR_ALPHA, Correction::None);
        match rule {
            Rule::Knn(k) => knn(distances, k, id).unwrap(),
            Rule::Kstar => kstar_nn(distances, &sizes(), id).unwrap(),
            Rule::Pak => pak(distances, &sizes(), id).unwrap(),
        }
    }

    pub fn peaks(&self, densities: &Densities, z: f64) -> Peaks {
        density_peaks(densities, self.table.indices.view(), z).unwrap()
    }
}

/// The log-densities of all rows.
pub fn logs(densities: &Densities) -> Vec<f64> {
    densities
        .rows
        .iter()
        .map(|row| row.unwrap().log_density)
        .collect()
}
