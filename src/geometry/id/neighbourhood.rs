//! The coordinates of one row's neighbours, widened to f64.

use ndarray::ArrayView1;

use crate::input::Matrix;
use crate::neighbours::{squared_distance, squared_distances};
use crate::vectors::vectorised;

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

    /// Squared distances of all pairs i < j, ascending in j and then in i.
    pub(super) fn squared_distances(&self) -> Vec<f64> {
        let k = self.values.len() / self.columns;
        let mut found = Vec::with_capacity(k * k.saturating_sub(1) / 2);
        vectorised(
            pulp::Arch::new(),
            #[inline(always)]
            || {
                for j in 0..k {
                    let whole = j / 4 * 4;
                    for i in (0..whole).step_by(4) {
                        let four = [i, i + 1, i + 2, i + 3].map(|i| self.row(i));
                        found.extend(squared_distances(self.row(j), four));
                    }
                    found.extend((whole..j).map(|i| squared_distance(self.row(i), self.row(j))));
                }
            },
        );
        found
    }

    /// The number of neighbours and columns, and all coordinates.
    pub(super) fn into_values(self) -> (usize, usize, Vec<f64>) {
        (self.values.len() / self.columns, self.columns, self.values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_come_column_by_column() {
        let places = [0.0f32, 1.0, 5.0, 7.0, 8.0, 10.0];
        let data = Matrix::from_f32(6, 1, places.to_vec());
        let near = Neighbourhood::gather(&data, ndarray::array![0, 1, 2, 3, 4, 5].view());
        let naive: Vec<f64> = (0..6)
            .flat_map(|j| (0..j).map(move |i| f64::from(places[j] - places[i]).powi(2)))
            .collect();
        assert_eq!(near.squared_distances(), naive);
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
