//! One bf16 product on AVX-512: two multiply-adds where f32 does one.
//!
//! Rows are rounded to bf16, û_i, and the distance that this moves each of them, ‖w_i − û_i‖, is
//! measured. `vdpbf16ps` adds two products a lane to an f32: a product of two bf16 values has 16
//! significant bits and is exact, so each product costs one rounding at most, as the bound of
//! [`super`] supposes. The instruction takes subnormal values for 0 and returns 0 for them; the
//! packed rows hold none, and what a sum loses to underflow the bound pays for.

use std::arch::x86_64::{
    __m512, __m512bh, _mm512_dpbf16_ps, _mm512_loadu_si512, _mm512_set1_epi32, _mm512_setzero_ps,
    _mm512_storeu_ps,
};
use std::ops::Range;

use rayon::prelude::*;

use super::frame::{Frame, square};
use super::{Packed, Rounded};
use crate::neighbours::points::Points;

/// Rows of a panel: one to each 32-bit lane of a vector.
const LANES: usize = 16;

/// Rows that are multiplied at once, half a panel: with three panels of columns 24 sums, 3
/// columns and the row fill 28 of the 32 registers.
const ROWS: usize = 8;

/// Panels of columns that are multiplied at once.
const PANELS: usize = 3;

/// Pairs of values that are multiplied before the next tile: three panels of them take 384 KiB
/// and stay in the second-level cache while all rows pass by.
const DEPTH: usize = 2048;

/// Two neighbouring values of each row of a panel, the first in the lower half of its word.
type Pairs = [u32; LANES];

/// Sums of a block of rows and columns.
type Block<const P: usize> = [[[f32; LANES]; P]; ROWS];

/// Rows in bf16, in panels: all first pairs of values, then all second ones.
struct Panels {
    /// Pairs of each row; an odd last value stands beside a 0.
    depth: usize,
    /// panels × depth.
    pairs: Vec<Pairs>,
}

/// Whether this machine can.
pub(super) fn is_available() -> bool {
    std::is_x86_feature_detected!("avx512f") && std::is_x86_feature_detected!("avx512bf16")
}

/// Rounds the rows to bf16 and measures what that costs; `None` if the machine cannot multiply them.
pub(super) fn pack(points: &Points<'_>, order: &[u32], frame: &Frame) -> Option<Rounded> {
    if !is_available() {
        return None;
    }
    let width = points.n_columns();
    let depth = width.div_ceil(2);
    let arch = pulp::Arch::new();
    let mut pairs: Vec<Pairs> = vec![[0; LANES]; order.len().div_ceil(LANES) * depth];
    let measured: Vec<[f64; 2]> = pairs
        .par_chunks_mut(depth.max(1))
        .zip(order.par_chunks(LANES))
        .map_init(
            || (vec![0.0; width], vec![0u16; 2 * depth]),
            |(wide, halves), (panel, rows)| {
                let mut measured = Vec::with_capacity(rows.len());
                for (lane, &row) in rows.iter().enumerate() {
                    points.row(row as usize, wide);
                    measured.push(arch.dispatch(|| {
                        frame.place(wide);
                        round(wide, halves)
                    }));
                    for (pairs, pair) in panel.iter_mut().zip(halves.as_chunks::<2>().0) {
                        pairs[lane] = u32::from(pair[0]) | u32::from(pair[1]) << 16;
                    }
                }
                measured
            },
        )
        .flatten_iter()
        .collect();
    let (squares, residues) = measured.into_iter().map(|[n, r]| (n, r)).unzip();
    Some(Rounded {
        packed: Box::new(Panels { depth, pairs }),
        squares,
        residues,
    })
}

/// Rounds w to û; returns ‖û‖² and what ‖w − û‖² certainly does not exceed.
#[inline(always)]
fn round(row: &mut [f64], halves: &mut [u16]) -> [f64; 2] {
    for (half, &w) in halves.iter_mut().zip(&*row) {
        *half = bf16(w);
    }
    let halves = &halves[..row.len()];
    let norm = square(halves, widen);
    for (w, &half) in row.iter_mut().zip(halves) {
        *w -= widen(half);
    }
    let residue = square(row, |x| x);
    // w itself was rounded, and so was the sum.
    let exact = residue.sqrt() * (1.0 + 1e-6) + norm.sqrt() * 2f64.powi(-51);
    [norm, exact * exact]
}

/// The upper half of the f32 nearest to `x`, rounded once more; 0 for what would be subnormal.
#[inline(always)]
fn bf16(x: f64) -> u16 {
    #[allow(clippy::cast_possible_truncation)]
    let bits = (x as f32).to_bits();
    // Halfway cases go to the even neighbour.
    let rounded = bits + 0x7fff + ((bits >> 16) & 1);
    let subnormal = rounded & 0x7f80_0000 == 0;
    #[allow(clippy::cast_possible_truncation)]
    let half = (rounded >> 16) as u16;
    if subnormal { 0 } else { half }
}

#[inline(always)]
fn widen(half: u16) -> f64 {
    f64::from(f32::from_bits(u32::from(half) << 16))
}

impl Packed for Panels {
    #[allow(unsafe_code)]
    fn products(&self, rows: Range<usize>, columns: Range<usize>, out: &mut [f32]) {
        // SAFETY: `pack` made the panels, and found that the machine has these instructions.
        unsafe { self.multiply(&rows, &columns, out) }
    }
}

impl Panels {
    #[target_feature(enable = "avx512f,avx512bf16")]
    fn multiply(&self, rows: &Range<usize>, columns: &Range<usize>, out: &mut [f32]) {
        let last = columns.end.div_ceil(LANES);
        for start in (0..self.depth).step_by(DEPTH) {
            let pairs = start..(start + DEPTH).min(self.depth);
            for panel in (columns.start / LANES..last).step_by(PANELS) {
                match last - panel {
                    1 => self.pass::<1>(&pairs, rows, panel, columns, out),
                    2 => self.pass::<2>(&pairs, rows, panel, columns, out),
                    _ => self.pass::<3>(&pairs, rows, panel, columns, out),
                }
            }
        }
    }

    /// All rows with `P` panels of columns from `first` on.
    #[target_feature(enable = "avx512f,avx512bf16")]
    fn pass<const P: usize>(
        &self,
        pairs: &Range<usize>,
        rows: &Range<usize>,
        first: usize,
        columns: &Range<usize>,
        out: &mut [f32],
    ) {
        let mut right: [&[Pairs]; P] = [&[]; P];
        for (at, right) in right.iter_mut().enumerate() {
            *right = self.panel(first + at, pairs);
        }
        let mut sums: Block<P> = [[[0.0; LANES]; P]; ROWS];
        let mut top = rows.start / ROWS * ROWS;
        while top < rows.end {
            let left = self.panel(top / LANES, pairs);
            if top.is_multiple_of(LANES) {
                block::<P, 0>(left, right, &mut sums);
            } else {
                block::<P, 1>(left, right, &mut sums);
            }
            // The block reaches beyond ranges that begin or end inside a panel.
            let base = first * LANES;
            let inside = columns.start.max(base)..columns.end.min(base + P * LANES);
            for row in top.max(rows.start)..(top + ROWS).min(rows.end) {
                let from = &sums[row - top].as_flattened()[inside.start - base..inside.end - base];
                let line = (row - rows.start) * columns.len();
                let to = &mut out[line..line + columns.len()];
                let to = &mut to[inside.start - columns.start..inside.end - columns.start];
                if pairs.start == 0 {
                    to.copy_from_slice(from);
                } else {
                    to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
                }
            }
            top += ROWS;
        }
    }

    fn panel(&self, at: usize, pairs: &Range<usize>) -> &[Pairs] {
        &self.pairs[at * self.depth + pairs.start..at * self.depth + pairs.end]
    }
}

/// Product sums of one half of the rows of `left` with all rows of `right`.
#[target_feature(enable = "avx512f,avx512bf16")]
#[allow(clippy::needless_range_loop)]
fn block<const P: usize, const HALF: usize>(
    left: &[Pairs],
    right: [&[Pairs]; P],
    out: &mut Block<P>,
) {
    let mut sums = [[_mm512_setzero_ps(); P]; ROWS];
    let mut columns = [broadcast(0); P];
    let right = right.map(|panel| &panel[..left.len()]);
    for (at, row) in left.iter().enumerate() {
        for p in 0..P {
            columns[p] = load(&right[p][at]);
        }
        for r in 0..ROWS {
            let pair = broadcast(row[HALF * ROWS + r]);
            for p in 0..P {
                sums[r][p] = _mm512_dpbf16_ps(sums[r][p], pair, columns[p]);
            }
        }
    }
    for r in 0..ROWS {
        for p in 0..P {
            store(sums[r][p], &mut out[r][p]);
        }
    }
}

#[target_feature(enable = "avx512f")]
#[allow(unsafe_code)]
fn load(pairs: &Pairs) -> __m512bh {
    // SAFETY: 16 words are the 64 bytes that are read, at any alignment; both vector types are
    // 64 bytes without invalid values.
    unsafe { std::mem::transmute(_mm512_loadu_si512(pairs.as_ptr().cast())) }
}

#[target_feature(enable = "avx512f")]
#[allow(unsafe_code)]
fn broadcast(pair: u32) -> __m512bh {
    // SAFETY: both vector types are 64 bytes without invalid values.
    unsafe { std::mem::transmute(_mm512_set1_epi32(pair.cast_signed())) }
}

#[target_feature(enable = "avx512f")]
#[allow(unsafe_code)]
fn store(sums: __m512, out: &mut [f32; LANES]) {
    // SAFETY: 16 values are the 64 bytes that are written, at any alignment.
    unsafe { _mm512_storeu_ps(out.as_mut_ptr(), sums) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::neighbours::points::Metric;
    use crate::neighbours::tests::gaussian;

    #[test]
    fn rounding_is_to_the_nearest_and_to_even() {
        for x in [
            0.0,
            1.0,
            -1.0,
            0.3,
            1.0 + 1.0 / 256.0,
            1.0 + 3.0 / 256.0,
            1e-30,
            -0.999,
        ] {
            let expected = half::bf16::from_f32(x as f32);
            assert_eq!(bf16(x), expected.to_bits(), "{x}");
        }
        assert_eq!(bf16(1e-39), 0);
        assert_eq!(bf16(-1e-39), 0);
    }

    #[test]
    fn any_two_ranges_give_the_products_of_the_rounded_rows() {
        // Several depths, the last beyond one pass; none a multiple of anything.
        for (n, d) in [(67, 1), (67, 37), (21, 2 * DEPTH + 3)] {
            let matrix = gaussian(n, d, 5);
            let points = Points::new(&matrix, Metric::Euclidean, "x").unwrap();
            let frame = Frame::of(&points);
            let order: Vec<u32> = (0..n as u32).rev().collect();
            let Some(rounded) = pack(&points, &order, &frame) else {
                eprintln!("skipped: this machine has no avx512-bf16 kernel");
                return;
            };
            let rows: Vec<Vec<f64>> = order
                .iter()
                .map(|&row| {
                    let mut wide = vec![0.0; d];
                    points.row(row as usize, &mut wide);
                    frame.place(&mut wide);
                    wide.iter().map(|&w| widen(bf16(w))).collect()
                })
                .collect();
            for (rows_of, columns_of) in
                [(0..n, 0..n), (3..18, 9..n), (16..17, 0..16), (5..5, 2..9)]
            {
                let mut out = vec![f32::NAN; rows_of.len() * columns_of.len()];
                rounded
                    .packed
                    .products(rows_of.clone(), columns_of.clone(), &mut out);
                for (at, &product) in out.iter().enumerate() {
                    let p = rows_of.start + at / columns_of.len();
                    let q = columns_of.start + at % columns_of.len();
                    let exact: f64 = rows[p].iter().zip(&rows[q]).map(|(a, b)| a * b).sum();
                    let scale = (rounded.squares[p] * rounded.squares[q]).sqrt();
                    let error = (f64::from(product) - exact).abs();
                    assert!(
                        error <= 1e-6 * scale * (d as f64).sqrt(),
                        "{p} {q}: {error}"
                    );
                }
            }
        }
    }
}
