//! Matrix products of row-major slices.

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};

use super::real::Real;

/// `rows` rows of `columns` values, `stride` apart, from the start of `values`.
pub(crate) fn view<T>(
    values: &[T],
    rows: usize,
    columns: usize,
    stride: usize,
) -> MatRef<'_, T, usize, usize> {
    MatRef::from_row_major_slice_with_stride(values, rows, columns, stride)
}

/// Like [`view`], to be written.
///
/// Made as the transpose of a column-major view: faer 0.24.4 swaps the strides in its row-major
/// constructor for mutable slices and would write past their end.
pub(crate) fn view_mut<T>(
    values: &mut [T],
    rows: usize,
    columns: usize,
    stride: usize,
) -> MatMut<'_, T, usize, usize> {
    MatMut::from_column_major_slice_with_stride_mut(values, columns, rows, stride).transpose_mut()
}

/// `out = alpha · a b`, or `out += alpha · a b`; on this thread alone.
pub(crate) fn multiply<T: Real>(
    out: MatMut<'_, T, usize, usize>,
    accumulate: Accum,
    a: MatRef<'_, T, usize, usize>,
    b: MatRef<'_, T, usize, usize>,
    alpha: T,
) {
    matmul(out, accumulate, a, b, alpha, Par::Seq);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_into_a_wider_matrix_leaves_the_rest_alone() {
        let (a, b) = (
            [1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
            [1.0, -1.0, 0.5, 2.0, 0.0, 1.0],
        );
        let mut out = [9.0; 5];
        let written = view_mut(&mut out, 2, 2, 3);
        multiply(
            written,
            Accum::Replace,
            view(&a, 2, 3, 3),
            view(&b, 3, 2, 2),
            1.0,
        );
        assert_eq!(out, [2.0, 6.0, 9.0, 6.5, 12.0]);
    }
}
