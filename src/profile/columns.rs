//! Some columns of a layer as a layer of their own.

use crate::input::{Matrix, Values};

/// Some columns of a matrix, in single precision unless it is stored in double.
#[allow(clippy::cast_possible_truncation)]
pub(super) fn select_columns(matrix: &Matrix, columns: &[usize]) -> Matrix {
    let (n, d) = (matrix.n_rows(), columns.len());
    let mut row = vec![0.0; matrix.n_columns()];
    let mut values = Vec::with_capacity(n * d);
    for at in 0..n {
        matrix.widen_row(at, &mut row);
        values.extend(columns.iter().map(|&column| row[column]));
    }
    match matrix.values() {
        Values::F64(_) => Matrix::from_f64(n, d, values),
        // Half precision widens exactly.
        _ => Matrix::from_f32(
            n,
            d,
            values.into_iter().map(|x| x as f32).collect::<Vec<_>>(),
        ),
    }
}
