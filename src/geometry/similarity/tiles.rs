//! N × N kernels, a tile at a time, and their sums.

use std::ops::Range;

use ndarray::{ArrayView2, ArrayViewMut2};
use rayon::prelude::*;

use super::measure::Subject;
use crate::algebra::{self, Accumulate, Number};
use crate::geometry::centred::{Centred, cut};
use crate::input::Matrix;
use crate::progress::Progress;

/// Tiles alive at a time; they are folded in order, so this number changes no result.
const WAVE: usize = 128;

/// The precision of inner products of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    /// f32 products, widened for every sum over them.
    Single,
    /// f64 throughout.
    Double,
}

impl Precision {
    /// The name in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Single => "f32",
            Self::Double => "f64",
        }
    }
}

/// One tile of one layer's kernel.
pub(super) struct Tile<'a> {
    /// Which layer.
    pub layer: usize,
    /// Inner products on the way in, kernel values on the way out; row after row.
    pub values: &'a mut [f64],
    /// Squared norms of the rows of the tile.
    pub row_norms: &'a [f64],
    /// Squared norms of its columns.
    pub column_norms: &'a [f64],
}

impl Tile<'_> {
    /// Turns inner products into squared distances p_i + p_j − 2 x_i·x_j, none below 0.
    pub(super) fn measure(&mut self) {
        let rows = self.values.chunks_exact_mut(self.column_norms.len());
        for (p, row) in self.row_norms.iter().zip(rows) {
            for (value, q) in row.iter_mut().zip(self.column_norms) {
                *value = (p + q - 2.0 * *value).max(0.0);
            }
        }
    }
}

/// Sums over the kernels of some layers.
pub(super) struct TileSums {
    pub cross: Vec<f64>,
    pub row_sums: Vec<Vec<f64>>,
}

/// `cross` and `row_sums` of [`KernelTerms`](super::KernelTerms) for the kernels that `kernel` makes of inner products.
pub(super) fn tile_terms(
    layers: &[Centred<'_>],
    precision: Precision,
    kernel: &(dyn Fn(&mut Tile<'_>) + Sync),
    progress: &dyn Progress,
) -> TileSums {
    let n = layers.first().map_or(0, Centred::n_rows);
    let mut cross = vec![0.0; layers.len().pow(2)];
    let mut row_sums = vec![vec![0.0; n]; layers.len()];
    let sum = |rows: &Range<usize>, columns: &Range<usize>, tiles: &mut [f64]| {
        let area = rows.len() * columns.len();
        if rows == columns {
            for tile in tiles.chunks_exact_mut(area) {
                tile.iter_mut()
                    .step_by(rows.len() + 1)
                    .for_each(|x| *x = 0.0);
            }
        }
        let lines = |tile: &[f64]| -> Vec<f64> {
            tile.chunks_exact(columns.len())
                .map(|row| row.iter().sum())
                .collect()
        };
        let downwards = |tile: &[f64]| {
            let mut sums = vec![0.0; columns.len()];
            for row in tile.chunks_exact(columns.len()) {
                sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
            }
            sums
        };
        TilePart {
            cross: inner_products(tiles, area),
            by_row: tiles.chunks_exact(area).map(lines).collect(),
            by_column: tiles.chunks_exact(area).map(downwards).collect(),
        }
    };
    let mut fold = |rows: &Range<usize>, columns: &Range<usize>, part: TilePart| {
        let weight = if rows == columns { 1.0 } else { 2.0 };
        for (total, x) in cross.iter_mut().zip(&part.cross) {
            *total += weight * x;
        }
        let mut add = |range: &Range<usize>, sums: Vec<Vec<f64>>| {
            for (total, sums) in row_sums.iter_mut().zip(sums) {
                for (total, x) in total[range.clone()].iter_mut().zip(sums) {
                    *total += x;
                }
            }
        };
        add(rows, part.by_row);
        if rows != columns {
            add(columns, part.by_column);
        }
    };
    visit(layers, precision, kernel, &sum, &mut fold, progress);
    TileSums { cross, row_sums }
}

/// Bytes that [`visit`] holds: a tile of every layer and the rows of one for each thread, and what
/// a wave of tiles adds to the sums. Permuted layers stand beside the layers.
pub(super) fn tile_bytes(subject: &Subject<'_>, threads: usize) -> u64 {
    let doubled = if subject.permutations.is_empty() {
        1
    } else {
        2
    };
    let layers = doubled * subject.matrices.len();
    let side = tile_side(layers).min(subject.n_rows());
    let widest = subject.matrices.iter().map(Matrix::n_columns).max();
    let thread = layers * side * side + 3 * side * (widest.unwrap_or(0) + side);
    let part = layers * (layers + 2 * side);
    8 * (threads * thread + WAVE * part) as u64
}

/// What one tile of every layer adds to the sums.
struct TilePart {
    cross: Vec<f64>,
    by_row: Vec<Vec<f64>>,
    by_column: Vec<Vec<f64>>,
}

/// The inner products of every two of the vectors of length `area` in `tiles`.
fn inner_products(tiles: &[f64], area: usize) -> Vec<f64> {
    let count = tiles.len() / area;
    let mut out = vec![0.0; count * count];
    products_of_rows(tiles, tiles, area, &mut out);
    out
}

/// Side of a tile: one tile of every layer is alive in every thread.
fn tile_side(n_layers: usize) -> usize {
    if n_layers <= 40 { 512 } else { 256 }
}

/// Calls `take` with one tile of every layer at a time, the layers one after the other in a
/// buffer, for tiles on and below the diagonal; then `fold` with the results, in order.
pub(super) fn visit<T: Send>(
    layers: &[Centred<'_>],
    precision: Precision,
    kernel: &(dyn Fn(&mut Tile<'_>) + Sync),
    take: &(impl Fn(&Range<usize>, &Range<usize>, &mut [f64]) -> T + Sync),
    fold: &mut impl FnMut(&Range<usize>, &Range<usize>, T),
    progress: &dyn Progress,
) {
    let n = layers.first().map_or(0, Centred::n_rows);
    let norms: Vec<Vec<f64>> = layers.iter().map(Centred::squared_norms).collect();
    let side = tile_side(layers.len());
    let blocks = cut(n, side);
    let tiles: Vec<(&Range<usize>, &Range<usize>)> = blocks
        .iter()
        .enumerate()
        .flat_map(|(at, rows)| blocks[..=at].iter().map(move |columns| (rows, columns)))
        .collect();
    progress.begin("tiles", tiles.len() as u64);
    for wave in tiles.chunks(WAVE) {
        let parts: Vec<T> = wave
            .par_iter()
            .map_init(Scratch::default, |scratch, &(rows, columns)| {
                let area = rows.len() * columns.len();
                scratch.tiles.resize(layers.len() * area, 0.0);
                for (layer, values) in scratch.tiles.chunks_exact_mut(area).enumerate() {
                    let sides = &mut scratch.sides;
                    match precision {
                        Precision::Single => {
                            multiply_single(&layers[layer], rows, columns, sides, values);
                        }
                        Precision::Double => {
                            multiply(&layers[layer], rows, columns, sides, values);
                        }
                    }
                    kernel(&mut Tile {
                        layer,
                        values,
                        row_norms: &norms[layer][rows.clone()],
                        column_norms: &norms[layer][columns.clone()],
                    });
                }
                let part = take(rows, columns, &mut scratch.tiles);
                progress.advance(1);
                part
            })
            .collect();
        for (&(rows, columns), part) in wave.iter().zip(parts) {
            fold(rows, columns, part);
        }
    }
    progress.end();
}

/// Memory that a thread uses again for every tile.
#[derive(Default)]
struct Scratch {
    tiles: Vec<f64>,
    sides: Sides,
}

/// Rows on the way into a product.
#[derive(Default)]
struct Sides {
    left: Vec<f64>,
    right: Vec<f64>,
    single_left: Vec<f32>,
    single_right: Vec<f32>,
    single_out: Vec<f32>,
}

/// Inner products of the rows `rows` with the rows `columns`, row after row.
fn multiply(
    layer: &Centred<'_>,
    rows: &Range<usize>,
    columns: &Range<usize>,
    sides: &mut Sides,
    out: &mut [f64],
) {
    let d = layer.n_columns();
    let Sides { left, right, .. } = sides;
    layer.rows_into(rows.clone(), left);
    let right = if rows == columns {
        &*left
    } else {
        layer.rows_into(columns.clone(), right);
        right
    };
    products_of_rows(left, right, d, out);
}

/// The same by f32 products of rows rounded to f32.
fn multiply_single(
    layer: &Centred<'_>,
    rows: &Range<usize>,
    columns: &Range<usize>,
    sides: &mut Sides,
    out: &mut [f64],
) {
    let d = layer.n_columns();
    layer.single_rows_into(rows.clone(), &mut sides.left, &mut sides.single_left);
    let right = if rows == columns {
        &sides.single_left
    } else {
        layer.single_rows_into(columns.clone(), &mut sides.right, &mut sides.single_right);
        &sides.single_right
    };
    sides.single_out.resize(out.len(), 0.0);
    products_of_rows(&sides.single_left, right, d, &mut sides.single_out);
    let widened = out.iter_mut().zip(&sides.single_out);
    widened.for_each(|(wide, &x)| *wide = f64::from(x));
}

/// The inner product of every vector of `left` with every one of `right`, all `length` long.
fn products_of_rows<T: Number>(left: &[T], right: &[T], length: usize, out: &mut [T]) {
    let rows = |values: &[T]| values.len().checked_div(length).unwrap_or(0);
    let [m, n] = [rows(left), rows(right)];
    let shaped = "vectors of one length";
    let left = ArrayView2::from_shape((m, length), left).expect(shaped);
    let right = ArrayView2::from_shape((n, length), right).expect(shaped);
    let out = ArrayViewMut2::from_shape((m, n), out).expect(shaped);
    algebra::multiply(out, Accumulate::Replace, left, right.t(), None);
}
