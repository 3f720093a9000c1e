//! Row-major slices as matrices.

use ndarray::{ArrayView2, ArrayViewMut2, ShapeBuilder};

/// `rows` rows of `columns` values, `stride` apart, from the start of `values`.
///
/// # Panics
/// If there are fewer values.
pub(crate) fn view<T>(
    values: &[T],
    rows: usize,
    columns: usize,
    stride: usize,
) -> ArrayView2<'_, T> {
    ArrayView2::from_shape((rows, columns).strides((stride, 1)), values)
        .expect("a slice holds its rows")
}

/// Like [`view`], to be written.
pub(crate) fn view_mut<T>(
    values: &mut [T],
    rows: usize,
    columns: usize,
    stride: usize,
) -> ArrayViewMut2<'_, T> {
    ArrayViewMut2::from_shape((rows, columns).strides((stride, 1)), values)
        .expect("a slice holds its rows")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::algebra::{Accumulate, multiply};

    #[test]
    fn a_product_into_a_wider_matrix_leaves_the_rest_alone() {
        let (a, b) = (
            [1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
            [1.0, -1.0, 0.5, 2.0, 0.0, 1.0],
        );
        let mut out = [9.0; 5];
        let written = view_mut(&mut out, 2, 2, 3);
        let (a, b) = (view(&a, 2, 3, 3), view(&b, 3, 2, 2));
        multiply(written, Accumulate::Replace, a, b, None);
        assert_eq!(out, [2.0, 6.0, 9.0, 6.5, 12.0]);
    }
}
