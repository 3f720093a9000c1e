//! The inverse of a positive definite matrix, by products of its quarters.

use ndarray::{Array2, ArrayViewMut2, Axis, s};

use super::dense::add_gram;
use crate::algebra::{Accumulate, Part, multiply, multiply_part, product};

/// Rows up to which a matrix is taken element by element.
const SMALL: usize = 32;

/// A⁻¹ = L⁻ᵀ L⁻¹ of a symmetric `matrix` of which the lower half is read; `None` where it is not positive
/// definite.
pub(super) fn inverse(mut matrix: Vec<f64>, size: usize) -> Option<Vec<f64>> {
    let mut lower = vec![0.0; size * size];
    let square = |values| ArrayViewMut2::from_shape((size, size), values).expect("a square");
    invert_factor(square(&mut matrix), square(&mut lower))?;
    matrix.fill(0.0);
    add_gram(&lower, size, &mut matrix);
    for row in 0..size {
        for column in 0..row {
            matrix[column * size + row] = matrix[row * size + column];
        }
    }
    Some(matrix)
}

/// Writes the inverse of the Cholesky factor L of `matrix`, whose lower half is lost, into the lower half
/// of `out`; `None` where there is none.
///
/// ```text
/// A = ⎡A₁₁    ⎤    L₂₁ = A₂₁ L₁₁⁻ᵀ,   L₂₂ L₂₂ᵀ = A₂₂ − L₂₁ L₂₁ᵀ,   (L⁻¹)₂₁ = −L₂₂⁻¹ L₂₁ L₁₁⁻¹
///     ⎣A₂₁ A₂₂⎦
/// ```
fn invert_factor(matrix: ArrayViewMut2<'_, f64>, out: ArrayViewMut2<'_, f64>) -> Option<()> {
    let size = matrix.nrows();
    if size <= SMALL {
        return invert_small(matrix, out);
    }
    let half = size / 2;
    let (mut top, bottom) = matrix.split_at(Axis(0), half);
    let (below, mut last) = bottom.split_at(Axis(1), half);
    let (mut out_top, out_bottom) = out.split_at(Axis(0), half);
    let (out_below, mut out_last) = out_bottom.split_at(Axis(1), half);
    let mut first = out_top.slice_mut(s![.., ..half]);
    invert_factor(top.slice_mut(s![.., ..half]), first.view_mut())?;
    let below: Array2<f64> = product(below.view(), first.t());
    multiply_part(
        last.view_mut(),
        Accumulate::Add,
        below.view(),
        below.t(),
        Some(-1.0),
        Part::Lower,
    );
    invert_factor(last, out_last.view_mut())?;
    let through = product(below.view(), first.view());
    multiply(
        out_below,
        Accumulate::Add,
        out_last.view(),
        through.view(),
        Some(-1.0),
    );
    Some(())
}

/// The same, row by row.
fn invert_small(mut matrix: ArrayViewMut2<'_, f64>, mut out: ArrayViewMut2<'_, f64>) -> Option<()> {
    for row in 0..matrix.nrows() {
        for column in 0..=row {
            let known = (0..column).map(|k| matrix[(row, k)] * matrix[(column, k)]);
            let rest = matrix[(row, column)] - known.sum::<f64>();
            matrix[(row, column)] = match row == column {
                false => rest / matrix[(column, column)],
                true if rest > 0.0 => rest.sqrt(),
                // Not above zero, or NaN.
                true => return None,
            };
        }
        let diagonal = matrix[(row, row)];
        for column in 0..row {
            let known = (column..row).map(|k| matrix[(row, k)] * out[(k, column)]);
            out[(row, column)] = -known.sum::<f64>() / diagonal;
        }
        out[(row, row)] = 1.0 / diagonal;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SplitMix64;

    #[test]
    fn a_matrix_times_its_inverse_is_the_identity_and_a_singular_one_has_none() {
        // One block, a split into two, and uneven splits below splits.
        for size in [1, 5, 32, 33, 141] {
            let mut random = SplitMix64::new(4);
            let x: Vec<f64> = (0..2 * size * size)
                .map(|_| random.uniform() - 0.5)
                .collect();
            let mut matrix = vec![0.0; size * size];
            add_gram(&x, size, &mut matrix);
            for at in 0..size {
                matrix[at * size + at] += 0.1;
            }
            let found = inverse(matrix.clone(), size).unwrap();
            let whole =
                |row: usize, column: usize| matrix[row.max(column) * size + row.min(column)];
            for row in 0..size {
                for column in 0..size {
                    let terms = (0..size).map(|k| whole(row, k) * found[k * size + column]);
                    let expected = f64::from(u8::from(row == column));
                    assert!((terms.sum::<f64>() - expected).abs() < 1e-12, "{size}");
                }
            }
            matrix[size * size - 1] = -1.0;
            assert!(inverse(matrix, size).is_none(), "{size}");
        }
        assert!(inverse(vec![1.0, 0.0, 1.0, 1.0], 2).is_none());
        assert!(inverse(vec![f64::NAN], 1).is_none());
    }
}
