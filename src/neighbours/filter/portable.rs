//! The kernel that runs everywhere: f32 products by a matrix-multiply library that picks SSE,
//! AVX2, AVX-512 or NEON at run time.

use std::ops::Range;

use super::Kernel;

/// f32 products through the `gemm` crate.
pub(in crate::neighbours) struct Portable;

impl Kernel for Portable {
    fn products(
        &self,
        operand: &[f32],
        width: usize,
        rows: Range<usize>,
        columns: Range<usize>,
        out: &mut [f32],
    ) {
        let (m, n) = (rows.len(), columns.len());
        let left = &operand[rows.start * width..rows.end * width];
        let right = &operand[columns.start * width..columns.end * width];
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
