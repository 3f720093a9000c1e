//! The kernel that runs everywhere: f32 products by a matrix-multiply library that picks SSE,
//! AVX2, AVX-512 or NEON at run time.

use std::ops::Range;

use rayon::prelude::*;

use super::frame::Frame;
use super::packed::{Maker, Packed, Rounded};
use super::{Area, Block, single};
use crate::neighbours::points::Points;
use crate::vectors::vectorised;

/// Rows in f32, one after the other; products through the `gemm-f32` crate.
struct Portable {
    width: usize,
    values: Vec<f32>,
}

/// Its row's part: it runs everywhere.
pub(super) const MAKER: Maker = Maker {
    is_available: || true,
    pack: |points, order, frame| Some(pack(points, order, frame)),
};

/// Packs rows in f32.
pub(super) fn pack(points: &Points<'_>, order: &[u32], frame: &Frame) -> Rounded {
    let width = points.n_columns();
    let arch = pulp::Arch::new();
    let mut values = vec![0.0f32; order.len() * width];
    let measured: Vec<[f64; 3]> = values
        .par_chunks_mut(width)
        .zip(order)
        .map_init(
            || vec![0.0; width],
            |wide, (packed, &row)| {
                points.row(row as usize, wide);
                vectorised(
                    arch,
                    #[inline(always)]
                    || {
                        frame.place(wide);
                        single::round(wide, bytemuck::cast_slice_mut(packed))
                    },
                )
            },
        )
        .collect();
    Rounded {
        packed: Box::new(Portable { width, values }),
        measured,
        steps: width,
    }
}

/// Columns that are multiplied at once with all rows: what comes out stays in the second-level
/// cache, and the library's own packing is a small part of the work.
const COLUMNS: usize = 128;

impl Packed for Portable {
    fn multiply(&self, area: &Area, room: &mut Vec<f32>, visit: &mut dyn FnMut(&Block<'_>)) {
        for start in area.columns.clone().step_by(COLUMNS) {
            let columns = start..(start + COLUMNS).min(area.columns.end);
            let rows = area.rows.clone();
            room.resize(rows.len() * columns.len(), 0.0);
            self.products(&rows, &columns, room);
            visit(&Block {
                stride: columns.len(),
                rows,
                columns,
                products: room,
            });
        }
    }
}

impl Portable {
    /// `out[r, c] = u_{rows[r]} · u_{columns[c]}`, row after row without padding.
    fn products(&self, rows: &Range<usize>, columns: &Range<usize>, out: &mut [f32]) {
        let (m, n, width) = (rows.len(), columns.len(), self.width);
        let left = &self.values[rows.start * width..rows.end * width];
        let right = &self.values[columns.start * width..columns.end * width];
        let out = &mut out[..m * n];
        let [one_row, one_column, out_row] = [width, 1, n]
            .map(|stride| isize::try_from(stride).expect("a stride inside a slice fits in isize"));
        // The library multiplies into columns, so it is given the transpose: out' = right · left'.
        // SAFETY: `left` holds m rows of `width` values, `right` n rows of `width` values and
        // `out` m rows of n values, all exclusive or read-only for the whole call; the strides
        // name exactly those layouts. `out` is not read because `read_dst` is false.
        #[allow(unsafe_code)]
        unsafe {
            gemm_f32::gemm::f32::get_gemm_fn()(
                n,
                m,
                width,
                out.as_mut_ptr(),
                out_row,
                one_column,
                false,
                right.as_ptr(),
                one_column,
                one_row,
                left.as_ptr(),
                one_row,
                one_column,
                0.0f32,
                1.0f32,
                false,
                false,
                false,
                gemm_common::Parallelism::None,
            );
        }
    }
}
