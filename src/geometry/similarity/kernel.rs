//! N × N kernels, a tile at a time: their sums, and the bandwidth of the Gaussian one.

use std::ops::Range;

use faer::{Accum, MatMut, MatRef, Par};
use rayon::prelude::*;

use super::cka::KernelTerms;
use crate::geometry::centred::{Centred, cut};
use crate::progress::Progress;
use crate::random::SplitMix64;

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
    fn measure(&mut self) {
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

/// `cross` and `row_sums` of [`KernelTerms`] for the kernels that `kernel` makes of inner products.
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
    let vectors = MatRef::from_row_major_slice(tiles, count, area);
    let products = MatMut::from_row_major_slice_mut(&mut out, count, count);
    let transposed = vectors.transpose();
    faer::linalg::matmul::matmul(products, Accum::Replace, vectors, transposed, 1.0, Par::Seq);
    out
}

/// Side of a tile: one tile of every layer is alive in every thread.
fn tile_side(n_layers: usize) -> usize {
    if n_layers <= 8 { 512 } else { 256 }
}

/// Calls `take` with one tile of every layer at a time, the layers one after the other in a
/// buffer, for tiles on and below the diagonal; then `fold` with the results, in order.
fn visit<T: Send>(
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
    let left = MatRef::from_row_major_slice(left, rows.len(), d);
    let right = MatRef::from_row_major_slice(right, columns.len(), d);
    let out = MatMut::from_row_major_slice_mut(out, rows.len(), columns.len());
    faer::linalg::matmul::matmul(out, Accum::Replace, left, right.transpose(), 1.0, Par::Seq);
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
    let left = MatRef::from_row_major_slice(&sides.single_left, rows.len(), d);
    let right = MatRef::from_row_major_slice(right, columns.len(), d);
    let products =
        MatMut::from_row_major_slice_mut(&mut sides.single_out, rows.len(), columns.len());
    faer::linalg::matmul::matmul(
        products,
        Accum::Replace,
        left,
        right.transpose(),
        1.0,
        Par::Seq,
    );
    let widened = out.iter_mut().zip(&sides.single_out);
    widened.for_each(|(wide, &x)| *wide = f64::from(x));
}

/// The terms of the Gaussian kernels exp(−d_ij²/(2σ²)), one σ a layer.
///
/// # Panics
/// If there are fewer bandwidths than layers.
pub fn rbf_terms(
    layers: &[Centred<'_>],
    bandwidths: &[f64],
    progress: &dyn Progress,
) -> KernelTerms {
    let n = layers.first().map_or(0, Centred::n_rows);
    let kernel = |tile: &mut Tile<'_>| {
        tile.measure();
        let scale = -0.5 / bandwidths[tile.layer].powi(2);
        tile.values.iter_mut().for_each(|x| *x = (*x * scale).exp());
    };
    // Distances of near rows are small differences: they need every digit.
    let sums = tile_terms(layers, Precision::Double, &kernel, progress);
    KernelTerms {
        n,
        cross: sums.cross,
        row_sums: sums.row_sums,
        diagonals: vec![vec![1.0; n]; layers.len()],
    }
}

/// Pairs drawn to find out where the median must lie.
const DRAWN: usize = 1 << 18;

/// Half the share of all pairs among which the median is sought first: six standard errors of a
/// median of [`DRAWN`] pairs.
const SHARE: f64 = 6.0 * 0.5 / 512.0;

/// So many distances of all layers together are simply kept.
const KEPT: usize = 1 << 24;

/// The median of the N(N − 1)/2 distances between the rows of every layer; `None` below two rows.
///
/// Exact: drawn pairs only say between which distances the median lies, and all distances there
/// are then looked at.
pub fn median_distances(layers: &[Centred<'_>], progress: &dyn Progress) -> Vec<Option<f64>> {
    let n = layers.first().map_or(0, Centred::n_rows);
    if n < 2 {
        return vec![None; layers.len()];
    }
    let n_pairs = n * (n - 1) / 2;
    let drawn: Vec<Vec<f64>> = if n_pairs * layers.len() <= KEPT {
        vec![Vec::new(); layers.len()]
    } else {
        layers.par_iter().map(drawn_distances).collect()
    };
    let mut share = SHARE;
    loop {
        let brackets: Vec<[f64; 2]> = drawn.iter().map(|drawn| bracket(drawn, share)).collect();
        let medians = medians_between(layers, n_pairs, &brackets, progress);
        if medians.iter().all(Option::is_some) {
            return medians;
        }
        share *= 4.0;
    }
}

/// Squared distances of [`DRAWN`] seeded pairs, ascending.
fn drawn_distances(layer: &Centred<'_>) -> Vec<f64> {
    let mut random = SplitMix64::new(0);
    let n = layer.n_rows() as u64;
    let mut draw = |range| usize::try_from(random.below(range)).expect("below N, which is a usize");
    let mut squared: Vec<f64> = (0..DRAWN)
        .map(|_| {
            let (i, j) = (draw(n), draw(n - 1));
            let j = j + usize::from(j >= i);
            let (x, y) = (layer.rows(i..i + 1), layer.rows(j..j + 1));
            x.iter().zip(&y).map(|(x, y)| (x - y).powi(2)).sum()
        })
        .collect();
    squared.sort_unstable_by(f64::total_cmp);
    squared
}

/// Squared distances between which the median lies, if the drawn pairs tell.
fn bracket(drawn: &[f64], share: f64) -> [f64; 2] {
    if drawn.is_empty() || share >= 0.5 {
        return [f64::NEG_INFINITY, f64::INFINITY];
    }
    let at = |level| crate::geometry::stats::quantile(drawn, level);
    [at(0.5 - share), at(0.5 + share)]
}

/// The median of each layer, if it lies in its bracket.
fn medians_between(
    layers: &[Centred<'_>],
    n_pairs: usize,
    brackets: &[[f64; 2]],
    progress: &dyn Progress,
) -> Vec<Option<f64>> {
    let mut below = vec![0usize; layers.len()];
    let mut inside: Vec<Vec<f64>> = vec![Vec::new(); layers.len()];
    let take = |rows: &Range<usize>, columns: &Range<usize>, tiles: &mut [f64]| {
        let area = rows.len() * columns.len();
        let sift = |(tile, [low, high]): (&[f64], &[f64; 2])| {
            let (mut below, mut inside) = (0, Vec::new());
            for (at, row) in tile.chunks_exact(columns.len()).enumerate() {
                // On the diagonal each pair of rows stands twice, and each row beside itself.
                let row = if rows == columns { &row[..at] } else { row };
                below += row.iter().filter(|&x| x < low).count();
                inside.extend(row.iter().filter(|&x| x >= low && x <= high));
            }
            (below, inside)
        };
        let tiles = tiles.chunks_exact(area).zip(brackets);
        tiles.map(sift).collect::<Vec<(usize, Vec<f64>)>>()
    };
    let mut fold = |_: &Range<usize>, _: &Range<usize>, parts: Vec<(usize, Vec<f64>)>| {
        for (layer, (count, values)) in parts.into_iter().enumerate() {
            below[layer] += count;
            inside[layer].extend(values);
        }
    };
    let measure = |tile: &mut Tile<'_>| tile.measure();
    visit(
        layers,
        Precision::Double,
        &measure,
        &take,
        &mut fold,
        progress,
    );
    let middle = [(n_pairs - 1) / 2, n_pairs / 2];
    let median = |(below, mut inside): (usize, Vec<f64>)| {
        let mut middle = middle.map(|at| at.checked_sub(below)).into_iter();
        let (first, second) = (middle.next()??, middle.next()??);
        if second >= inside.len() {
            return None;
        }
        let mut at = |position| *inside.select_nth_unstable_by(position, f64::total_cmp).1;
        Some(0.5 * (at(first).sqrt() + at(second).sqrt()))
    };
    below.into_iter().zip(inside).map(median).collect()
}
