//! The kernel that runs everywhere: f32 products by a matrix-multiply library that picks SSE,
//! AVX2, AVX-512 or NEON at run time.

use std::ops::Range;

use rayon::prelude::*;

use super::frame::{Frame, square};
use super::{EPSILON, Packed, Rounded};
use crate::neighbours::points::Points;

/// Rows in f32, one after the other; products through the `gemm` crate.
struct Portable {
    width: usize,
    values: Vec<f32>,
}

/// Rounds the rows to f32.
pub(super) fn pack(points: &Points<'_>, order: &[u32], frame: &Frame) -> Rounded {
    let width = points.n_columns();
    let arch = pulp::Arch::new();
    let mut values = vec![0.0f32; order.len() * width];
    let mut squares = values
        .par_chunks_mut(width.max(1))
        .zip(order)
        .map_init(
            || vec![0.0; width],
            |wide, (packed, &row)| {
                points.row(row as usize, wide);
                arch.dispatch(|| {
                    frame.place(wide);
                    for (u, &w) in packed.iter_mut().zip(&*wide) {
                        #[allow(clippy::cast_possible_truncation)]
                        let rounded = w as f32;
                        *u = rounded;
                    }
                    square(packed, f64::from)
                })
            },
        )
        .collect::<Vec<f64>>();
    // Rows without columns are one point.
    squares.resize(order.len(), 0.0);
    // Each value is off by at most ε of itself; what underflows is paid for by the bound.
    let copy = EPSILON * (1.0 + 1e-6);
    let residues = squares.iter().map(|square| copy * copy * square).collect();
    Rounded {
        packed: Box::new(Portable { width, values }),
        squares,
        residues,
    }
}

impl Packed for Portable {
    fn products(&self, rows: Range<usize>, columns: Range<usize>, out: &mut [f32]) {
        let (m, n, width) = (rows.len(), columns.len(), self.width);
        let left = &self.values[rows.start * width..rows.end * width];
        let right = &self.values[columns.start * width..columns.end * width];
        let out = &mut out[..m * n];
        let [one_row, one_column, out_row] = [width, 1, n]
            .map(|stride| isize::try_from(stride).expect("a stride inside a slice fits in isize"));
        // SAFETY: `left` holds m rows of `width` values, `right` n rows of `width` values and
        // `out` m rows of n values, all exclusive or read-only for the whole call; the strides
        // name exactly those layouts. `out` is not read because `read_dst` is false.
        #[allow(unsafe_code)]
        unsafe {
            gemm::gemm(
                m,
                n,
                width,
                out.as_mut_ptr(),
                one_column,
                out_row,
                false,
                left.as_ptr(),
                one_column,
                one_row,
                right.as_ptr(),
                one_row,
                one_column,
                0.0f32,
                1.0f32,
                false,
                false,
                false,
                gemm::Parallelism::None,
            );
        }
    }
}
