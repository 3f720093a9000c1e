//! The coordinates of one row's neighbours, widened to f64.

use ndarray::ArrayView1;

use crate::input::Matrix;

/// Partial sums of a dot product or distance; fixed, so that sums do not depend on the machine.
const LANES: usize = 8;

/// The neighbours `indices` of a row, one after the other.
pub(super) struct Neighbourhood {
    values: Vec<f64>,
    columns: usize,
}

impl Neighbourhood {
    pub(super) fn gather(data: &Matrix, indices: ArrayView1<u32>) -> Self {
        let columns = data.n_columns();
        let mut values = vec![0.0; indices.len() * columns];
        for (row, &index) in values.chunks_exact_mut(columns).zip(indices) {
            data.widen_row(index as usize, row);
        }
        Self { values, columns }
    }

    /// Coordinates of the `i`-th neighbour.
    pub(super) fn row(&self, i: usize) -> &[f64] {
        &self.values[i * self.columns..(i + 1) * self.columns]
    }

    /// The number of neighbours and columns, and all coordinates.
    pub(super) fn into_values(self) -> (usize, usize, Vec<f64>) {
        (self.values.len() / self.columns, self.columns, self.values)
    }
}

/// Squared distance of two rows.
pub(super) fn squared_distance(a: &[f64], b: &[f64]) -> f64 {
    let mut lanes = [0.0; LANES];
    let (a_chunks, b_chunks) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest: f64 = a_chunks
        .remainder()
        .iter()
        .zip(b_chunks.remainder())
        .map(|(x, y)| (x - y) * (x - y))
        .sum();
    for (x, y) in a_chunks.zip(b_chunks) {
        for lane in 0..LANES {
            let difference = x[lane] - y[lane];
            lanes[lane] += difference * difference;
        }
    }
    lanes.iter().sum::<f64>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_cover_whole_lanes_and_the_rest() {
        let a: Vec<f64> = (0..21).map(f64::from).collect();
        let b = vec![1.0; 21];
        let naive: f64 = a.iter().map(|x| (x - 1.0) * (x - 1.0)).sum();
        assert_eq!(squared_distance(&a, &b), naive);
    }

    #[test]
    fn neighbours_are_gathered_in_the_order_of_the_table() {
        let data = Matrix::from_f32(3, 2, vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
        let near = Neighbourhood::gather(&data, ndarray::array![2, 0].view());
        assert_eq!(
            (near.row(0), near.row(1)),
            (&[4.0, 5.0][..], &[0.0, 1.0][..])
        );
    }
}
