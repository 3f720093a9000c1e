//! bf16 products on AMX, the matrix unit of Sapphire Rapids and later: 32 768 operations in one
//! instruction, sixteen times what AVX512_BF16 does in the same cycles.
//!
//! A tile is 16 rows of 64 bytes. `tdpbf16ps` multiplies a tile of 16 rows of 32 bf16 values with
//! one of 32 values of 16 columns, pairs of values side by side, and adds the sums of 32 products
//! to a tile of 16 × 16 f32. So the rows of a layer are packed twice, once for either side.
//!
//! # Roundings
//!
//! A product of two bf16 values is exact in f32. The 32 of one instruction are added to each
//! other, by 32 roundings a product at most in whatever order, and then to the tile of sums: each
//! later instruction rounds that once more. With T instructions a product passes through 32 + T
//! roundings, much less than D. Subnormal values are taken for 0 and returned as 0; the packed
//! rows hold none, and what a sum loses to underflow the bound pays for.
//!
//! # The split product
//!
//! One product of rows rounded to bf16 moves row i by ρ_i ≈ 0.0015·‖w_i‖. Split into
//! w = high + low + rest, both parts in bf16, it takes three products instead of one
//!
//! ```text
//! G = high_i·high_j + high_i·low_j + low_i·high_j         u_i = high_i + low_i
//! ```
//!
//! and moves a row by the rest only, ρ_i ≈ 4e-6·‖w_i‖. The product that is missing from u_i·u_j,
//! low_i·low_j, is at most λ_i·λ_j with λ_i = ‖low_i‖, which is measured: the bound of [`super`]
//! knows what to do with it. The roundings of three products err relative to
//! (‖high_i‖ + λ_i)·(‖high_j‖ + λ_j) instead of n_i·n_j. A low value is at most 2^−8 of its high
//! one, so λ_i ≤ 2^−8·‖high_i‖ and n_i ≥ (1 − 2^−8)·‖high_i‖, and the square of
//! (1 + 2^−8)/(1 − 2^−8) is below 1 + 2^−5: a thirty-second more steps cover it.

use std::ops::Range;

use rayon::prelude::*;

mod machine;
mod product;

use self::machine::Amx;
use self::machine::is_available;
use self::product::{SIDE, Sums, Tile, W, ZERO, multiply};
use super::frame::Frame;
use super::packed::{Maker, Packed, Rounded};
use super::{Area, Block, bf16, panels};
use crate::neighbours::points::Points;

/// Rows and columns that are multiplied with each other before the next ones.
const SPAN: usize = 512;

/// Tiles of a row that are multiplied before the next row's turn. A span of rows takes 512 KiB
/// and its sums 1 MiB of the 2 MiB of second-level cache, two panels of columns 32 KiB of the
/// 48 KiB of first-level cache.
const PASS: usize = 16;

/// All rows of a layer, with `P` parts each.
struct Panels<const P: usize> {
    amx: Amx,
    /// Tiles of a part of a panel.
    steps: usize,
    /// For every 16 rows: the tiles for the left side, all parts of a step next to each other, and
    /// then those for the right side. One panel of zeros follows the last.
    tiles: Vec<Tile>,
}

/// One product.
pub(super) const MAKER: Maker = Maker { is_available, pack };

/// The split product.
pub(super) const SPLIT_MAKER: Maker = Maker {
    is_available,
    pack: pack_split,
};

/// Packs rows in bf16; `None` if the machine cannot multiply them.
fn pack(points: &Points<'_>, order: &[u32], frame: &Frame) -> Option<Rounded> {
    let (panels, measured) = Panels::<1>::pack(points, order, frame, bf16::round)?;
    let steps = W + W + panels.steps;
    Some(Rounded {
        packed: Box::new(panels),
        measured,
        steps,
    })
}

/// Packs rows in two parts of bf16; `None` if the machine cannot multiply them.
fn pack_split(points: &Points<'_>, order: &[u32], frame: &Frame) -> Option<Rounded> {
    #[inline(always)]
    fn halves(row: &mut [f64], words: &mut [u32]) -> [f64; 3] {
        let (high, low) = words.split_at_mut(words.len() / 2);
        bf16::split(row, high, low)
    }
    let (panels, measured) = Panels::<2>::pack(points, order, frame, halves)?;
    let steps = W + W + 3 * panels.steps;
    Some(Rounded {
        packed: Box::new(panels),
        measured,
        // The spare steps of the bound grow by a thirty-second too.
        steps: steps + steps.div_ceil(32) + 1,
    })
}

impl<const P: usize> Panels<P> {
    /// `round` turns a row in its frame into its parts, one after the other.
    fn pack(
        points: &Points<'_>,
        order: &[u32],
        frame: &Frame,
        round: impl Fn(&mut [f64], &mut [u32]) -> [f64; 3] + Sync,
    ) -> Option<(Self, Vec<[f64; 3]>)> {
        let amx = Amx::new()?;
        let steps = points.n_columns().div_ceil(2 * W).max(1);
        let (panel, depth) = (2 * P * steps, P * steps * W);
        let mut tiles = vec![ZERO; (order.len().div_ceil(W) + 1) * panel];
        let panels = tiles.par_chunks_mut(panel);
        let measured =
            panels::round_panels(points, order, frame, [W, depth], round, panels, place::<P>);
        Some((Self { amx, steps, tiles }, measured))
    }

    /// Some steps of 16 rows for the left side.
    fn left(&self, panel: usize, steps: &Range<usize>) -> &[Tile] {
        let start = 2 * P * self.steps * panel;
        &self.tiles[start + P * steps.start..start + P * steps.end]
    }

    /// Some steps of 16 columns for the right side.
    fn right(&self, panel: usize, steps: &Range<usize>) -> &[Tile] {
        let start = 2 * P * self.steps * panel + P * self.steps;
        &self.tiles[start + P * steps.start..start + P * steps.end]
    }

    /// Shows all pairs of one span of rows and one of columns.
    fn span(
        &self,
        rows: &Range<usize>,
        columns: &Range<usize>,
        room: &mut Vec<f32>,
        visit: &mut dyn FnMut(&Block<'_>),
    ) {
        let configured = self.amx.configure();
        let first = [rows.start / W, columns.start / W];
        let blocks =
            |range: &Range<usize>, first: usize| (range.end.div_ceil(W) - first).div_ceil(2);
        let (down, across) = (blocks(rows, first[0]), blocks(columns, first[1]));
        let depth = PASS / P;
        let passes = self.steps.div_ceil(depth);
        // Rows longer than one pass keep the sums of all blocks until the last.
        let kept = if passes > 1 { down * across } else { 1 };
        let kept = aligned(room, kept * SIDE * SIDE);
        let kept: &mut [Sums] = kept.as_chunks_mut().0;
        for pass in 0..passes {
            let steps = pass * depth..((pass + 1) * depth).min(self.steps);
            for c in 0..across {
                let base = (first[1] + 2 * c) * W;
                let wide = columns.start.max(base)..columns.end.min(base + SIDE);
                let panel = first[1] + 2 * c;
                let right = [panel, panel + 1].map(|panel| self.right(panel, &steps));
                for r in 0..down {
                    let panel = first[0] + 2 * r;
                    let top = panel * W;
                    let left = [panel, panel + 1].map(|panel| self.left(panel, &steps));
                    let sums = &mut kept[if passes > 1 { c * down + r } else { 0 }];
                    multiply::<P>(&configured, left, right, pass > 0, sums);
                    if pass + 1 < passes {
                        continue;
                    }
                    let high = rows.start.max(top)..rows.end.min(top + SIDE);
                    let corner = (high.start - top) * SIDE + wide.start - base;
                    visit(&Block {
                        rows: high,
                        columns: wide.clone(),
                        products: &sums[corner..],
                        stride: SIDE,
                    });
                }
            }
        }
    }
}

/// `P` parts of 16 rows, row by row, become tiles for either side.
#[inline(always)]
fn place<const P: usize>(rounded: &[u32], panel: &mut [Tile]) {
    let (left, right) = panel.split_at_mut(panel.len() / 2);
    let depth = left.len() * W;
    let steps = left.len() / P;
    for (at, (left, right)) in left.iter_mut().zip(right).enumerate() {
        let (step, part) = (at / P, at % P);
        let start = (part * steps + step) * W;
        for r in 0..W {
            let words = &rounded[r * depth + start..][..W];
            left.0[r].copy_from_slice(words);
            for (column, &word) in right.0.iter_mut().zip(words) {
                column[r] = word;
            }
        }
    }
}

/// `length` values of `room` that begin at a multiple of 64 bytes.
fn aligned(room: &mut Vec<f32>, length: usize) -> &mut [f32] {
    if room.len() < length + W {
        room.resize(length + W, 0.0);
    }
    // An offset that nobody can tell costs time, nothing else.
    let skip = room.as_ptr().align_offset(64).min(W);
    &mut room[skip..skip + length]
}

impl<const P: usize> Packed for Panels<P> {
    fn multiply(&self, area: &Area, room: &mut Vec<f32>, visit: &mut dyn FnMut(&Block<'_>)) {
        for columns in spans(&area.columns) {
            for rows in spans(&area.rows) {
                self.span(&rows, &columns, room, visit);
            }
        }
    }
}

/// The parts of a range between multiples of [`SPAN`].
fn spans(range: &Range<usize>) -> impl Iterator<Item = Range<usize>> + use<> {
    let (start, end) = (range.start, range.end);
    let spans = start / SPAN..if start < end { end.div_ceil(SPAN) } else { 0 };
    spans.map(move |at| start.max(at * SPAN)..end.min((at + 1) * SPAN))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::neighbours::points::Metric;
    use crate::neighbours::tests::gaussian;

    #[test]
    fn spans_cover_a_range_in_order() {
        let of = |range: Range<usize>| spans(&range).collect::<Vec<_>>();
        assert_eq!(of(5..1030), [5..512, 512..1024, 1024..1030]);
        assert_eq!(of(512..513), vec![512..513]);
        assert!(of(7..7).is_empty());
        let backwards = Range { start: 600, end: 3 };
        assert!(of(backwards).is_empty());
    }

    #[test]
    fn tiles_hold_rows_on_the_left_and_columns_on_the_right() {
        let (parts, steps) = (2, 3);
        let rounded: Vec<u32> = (0..(W * parts * steps * W) as u32).collect();
        let mut panel = vec![ZERO; 2 * parts * steps];
        place::<2>(&rounded, &mut panel);
        for (step, part) in [(0, 0), (0, 1), (2, 0), (2, 1)] {
            let left = &panel[step * parts + part];
            let right = &panel[parts * steps + step * parts + part];
            for (row, word) in [(0, 0), (3, 15), (15, 7)] {
                let at = row * parts * steps * W + (part * steps + step) * W + word;
                assert_eq!(left.0[row][word], rounded[at]);
                assert_eq!(right.0[word][row], rounded[at]);
            }
        }
    }

    /// Sums of all pairs of an area by one call, each of them shown once.
    fn sums(packed: &Rounded, area: &Area) -> Vec<u32> {
        let missing = f32::NAN.to_bits();
        let mut sums = vec![missing; area.rows.len() * area.columns.len()];
        packed.packed.multiply(area, &mut Vec::new(), &mut |block| {
            for (r, p) in block.rows.clone().enumerate() {
                for (q, x) in block.columns.clone().zip(block.row(r)) {
                    let at = (p - area.rows.start) * area.columns.len() + q - area.columns.start;
                    assert_eq!(std::mem::replace(&mut sums[at], x.to_bits()), missing);
                }
            }
        });
        sums
    }

    fn products(packed: &Rounded, n: usize) -> Vec<u32> {
        sums(packed, &Area::between(0..n, 0..n))
    }

    #[test]
    fn where_an_area_begins_changes_no_sum() {
        if !is_available() {
            eprintln!("skipped: this machine has no amx kernel");
            return;
        }
        // Short rows and rows of several passes, across the end of a span.
        for d in [3, 545] {
            let matrix = gaussian(540, d, 7);
            let points = Points::new(&matrix, Metric::Euclidean, "x").unwrap();
            let order: Vec<u32> = (0..540).collect();
            for pack in [pack, pack_split] {
                let packed = pack(&points, &order, &Frame::of(&points)).unwrap();
                let across = sums(&packed, &Area::between(501..523, 480..540));
                for (rows, columns) in [(501..512, 512..540), (512..523, 480..500)] {
                    let inside = sums(&packed, &Area::between(rows.clone(), columns.clone()));
                    for (at, &sum) in inside.iter().enumerate() {
                        let p = rows.start + at / columns.len();
                        let q = columns.start + at % columns.len();
                        assert_eq!(sum, across[(p - 501) * 60 + q - 480], "{p} {q} of {d}");
                    }
                }
                assert!(across.iter().all(|&sum| sum != f32::NAN.to_bits()));
            }
        }
    }

    #[test]
    fn threads_and_calls_inside_of_calls_leave_each_others_tiles_alone() {
        if !is_available() {
            eprintln!("skipped: this machine has no amx kernel");
            return;
        }
        const N: usize = 90;
        let packed: Vec<Rounded> = (0..4)
            .map(|seed| {
                let matrix = gaussian(N, 700, seed);
                let points = Points::new(&matrix, Metric::Euclidean, "x").unwrap();
                let order: Vec<u32> = (0..N as u32).collect();
                pack_split(&points, &order, &Frame::of(&points)).unwrap()
            })
            .collect();
        let alone: Vec<Vec<u32>> = packed.iter().map(|packed| products(packed, N)).collect();
        assert!(alone.iter().zip(&alone[1..]).all(|(a, b)| a != b));
        std::thread::scope(|scope| {
            for (packed, alone) in packed.iter().zip(&alone) {
                scope.spawn(move || {
                    for _ in 0..20 {
                        assert!(products(packed, N) == *alone);
                    }
                });
            }
        });
        let area = Area::between(0..N, 0..N);
        packed[0]
            .packed
            .multiply(&area, &mut Vec::new(), &mut |block| {
                assert!(products(&packed[1], N) == alone[1]);
                for (r, p) in block.rows.clone().enumerate() {
                    for (q, x) in block.columns.clone().zip(block.row(r)) {
                        assert_eq!(alone[0][p * N + q], x.to_bits());
                    }
                }
            });
    }
}
