//! All neighbour distances of a small set, by the definition.

use ndarray::{Array2, ArrayView1};

/// The neighbours of every row, nearest first, ties to the lower index, self left out.
pub struct Neighbours {
    /// N × k row numbers.
    pub indices: Array2<u32>,
    /// N × k distances.
    pub distances: Array2<f64>,
}

impl Neighbours {
    /// The `k` nearest rows of every row of `data`.
    pub fn nearest(data: &Array2<f64>, k: usize) -> Self {
        let n = data.nrows();
        let mut indices = Array2::zeros((n, k));
        let mut distances = Array2::zeros((n, k));
        for i in 0..n {
            let mut others: Vec<(f64, u32)> = (0..n)
                .filter(|&j| j != i)
                .map(|j| (squared(data.row(i), data.row(j)), j as u32))
                .collect();
            others.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            for (rank, &(square, j)) in others[..k].iter().enumerate() {
                indices[(i, rank)] = j;
                distances[(i, rank)] = square.sqrt();
            }
        }
        Self { indices, distances }
    }

    /// Distances to the `order`-th neighbour, order 1 the nearest.
    pub fn at(&self, order: usize) -> Vec<f64> {
        self.distances.column(order - 1).to_vec()
    }
}

fn squared(a: ArrayView1<f64>, b: ArrayView1<f64>) -> f64 {
    a.iter().zip(b).map(|(x, y)| (x - y) * (x - y)).sum()
}

/// The rows of `data` without those that repeat an earlier one.
pub fn distinct(data: &Array2<f64>) -> Array2<f64> {
    let rows: Vec<usize> = (0..data.nrows())
        .filter(|&i| (0..i).all(|j| data.row(i) != data.row(j)))
        .collect();
    data.select(ndarray::Axis(0), &rows)
}

#[test]
fn three_points_on_a_line_have_the_neighbours_one_expects() {
    let line = ndarray::array![[0.0], [0.5], [0.9]];
    let found = Neighbours::nearest(&line, 2);
    assert_eq!(found.indices, ndarray::array![[1, 2], [2, 0], [1, 0]]);
    assert_eq!(
        found.distances,
        ndarray::array![[0.5, 0.9], [0.4, 0.5], [0.4, 0.9]]
    );
}
