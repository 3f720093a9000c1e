//! Holds the result of a neighbour search.

use std::cmp::Ordering;

use ndarray::{Array2, ArrayView1, s};
use rayon::prelude::*;

/// The k nearest neighbours of every row, nearest first; a row is never its own neighbour.
///
/// Equal distances are ordered by row index.
#[derive(Debug, Clone, PartialEq)]
pub struct NeighbourTable {
    /// N × k row indices.
    pub indices: Array2<u32>,
    /// N × k distances r_{i,1} ≤ … ≤ r_{i,k}.
    pub distances: Array2<f64>,
}

impl NeighbourTable {
    /// Number of rows, N.
    pub fn n(&self) -> usize {
        self.distances.nrows()
    }

    /// Number of neighbours per row.
    pub fn k(&self) -> usize {
        self.distances.ncols()
    }

    /// Distances of the `order`-th neighbour (counted from 1) of every row.
    ///
    /// # Panics
    /// If `order` is 0 or larger than k.
    pub fn distances_of_order(&self, order: usize) -> ArrayView1<'_, f64> {
        self.distances.slice(s![.., order - 1])
    }
}

/// r_{i,n} for chosen neighbour orders n: what Gride needs where k is too large for a table.
#[derive(Debug, Clone, PartialEq)]
pub struct OrderDistances {
    /// The orders, ascending, counted from 1.
    pub orders: Vec<usize>,
    /// orders × N distances.
    pub distances: Array2<f64>,
}

impl OrderDistances {
    /// Distances of the `order`-th neighbour of every row; `None` if it was not asked for.
    pub fn get(&self, order: usize) -> Option<&[f64]> {
        let at = self.orders.binary_search(&order).ok()?;
        self.distances.row(at).to_slice()
    }

    /// Distances of every row to the farthest neighbour asked for; none where there is none.
    pub fn farthest(&self) -> &[f64] {
        let last = self.distances.rows().into_iter().next_back();
        last.and_then(|row| row.to_slice()).unwrap_or(&[])
    }

    /// Number of rows, N.
    pub fn n(&self) -> usize {
        self.distances.ncols()
    }

    /// Reads `orders`, in any order, off a table; orders beyond its k are left out.
    pub fn from_table(distances: &Array2<f64>, orders: &[usize]) -> Self {
        let mut orders: Vec<usize> = orders
            .iter()
            .copied()
            .filter(|&order| order <= distances.ncols())
            .collect();
        orders.sort_unstable();
        orders.dedup();
        let picked = Array2::from_shape_fn((orders.len(), distances.nrows()), |(at, row)| {
            distances[[row, orders[at] - 1]]
        });
        Self {
            orders,
            distances: picked,
        }
    }
}

/// One finished row of a table, 12 bytes a neighbour.
pub(super) struct TableRow {
    pub(super) row: u32,
    pub(super) indices: Box<[u32]>,
    pub(super) distances: Box<[f64]>,
}

impl TableRow {
    pub(super) fn new(row: u32, squared: impl Iterator<Item = (f64, u32)>) -> Self {
        let (distances, indices): (Vec<f64>, Vec<u32>) = squared
            .map(|(squared, neighbour)| (squared.sqrt(), neighbour))
            .unzip();
        Self {
            row,
            indices: indices.into(),
            distances: distances.into(),
        }
    }
}

/// A table of n rows and k neighbours from its rows, each once, in any order.
pub(super) fn assemble(n: usize, k: usize, mut rows: Vec<TableRow>) -> NeighbourTable {
    debug_assert!(k == 0 || rows.len() == n);
    rows.par_sort_unstable_by_key(|row| row.row);
    let (mut indices, mut distances) = (vec![0; n * k], vec![0.0; n * k]);
    // Freshly zeroed memory is mapped when it is first written, so that is shared out too.
    let places = indices.par_chunks_mut(k.max(1));
    let places = places.zip(distances.par_chunks_mut(k.max(1)));
    places.zip(rows).for_each(|((indices, distances), row)| {
        indices.copy_from_slice(&row.indices);
        distances.copy_from_slice(&row.distances);
    });
    let shaped = "n rows of k values fill a table";
    NeighbourTable {
        indices: Array2::from_shape_vec((n, k), indices).expect(shaped),
        distances: Array2::from_shape_vec((n, k), distances).expect(shaped),
    }
}

/// The order of neighbours: the nearer first, of equally near ones the lower row.
pub(super) fn by_distance_then_row(a: &(f64, u32), b: &(f64, u32)) -> Ordering {
    a.0.total_cmp(&b.0).then(a.1.cmp(&b.1))
}

/// Row numbers are stored as u32: 2^32 rows would be 137 GB of neighbours at k = 2.
pub(super) fn index(row: usize) -> u32 {
    u32::try_from(row).expect("layers have fewer than 2^32 rows")
}
