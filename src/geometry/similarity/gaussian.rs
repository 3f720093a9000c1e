//! Gaussian kernels, and the bandwidth that data suggest.

use std::ops::Range;

use rayon::prelude::*;

use super::alignment::alignments;
use super::cka::KernelTerms;
use super::measure::{Computation, Measure, PairValue, Setting, Subject, Values};
use super::tiles::{Precision, Tile, tile_bytes, tile_terms, visit};
use crate::geometry::Reason;
use crate::geometry::centred::Centred;
use crate::progress::{Phase, Progress};
use crate::random::SplitMix64;

/// The terms of the Gaussian kernels exp(−d_ij²/(2σ²)), one σ a layer, less 1.
///
/// Alignment does not see a number that is added to a whole kernel; without the 1 a kernel much
/// wider than the data keeps its digits.
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
        tile.values
            .iter_mut()
            .for_each(|x| *x = libm::expm1(*x * scale));
    };
    // Distances of near rows are small differences: they need every digit.
    let sums = tile_terms(layers, Precision::Double, &kernel, progress);
    KernelTerms {
        n,
        cross: sums.cross,
        row_sums: sums.row_sums,
        diagonals: vec![vec![0.0; n]; layers.len()],
        rounding: layers
            .iter()
            .zip(bandwidths)
            .map(|(layer, &width)| rounding(layer, width))
            .collect(),
    }
}

/// Σ_ij of the squared errors of a kernel: |dK/dd| = K d/σ² < 1/σ, and errors of stored values
/// move a distance by those of its two rows.
fn rounding(layer: &Centred<'_>, bandwidth: f64) -> f64 {
    let moved = 2.0 * layer.noise().norm / bandwidth;
    layer.n_rows() as f64 * moved * moved
}

/// Pairs drawn to find out where the median must lie.
const DRAWN: usize = 1 << 18;

/// Half the share of all pairs among which the median is sought first: six standard errors of a
/// median of [`DRAWN`] pairs.
const SHARE: f64 = 6.0 * 0.5 / 512.0;

/// Distances of all layers together up to which all are kept.
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

/// Kernel alignment of Gaussian kernels.
pub static CKA_RBF: Measure = Measure {
    uses: &[Setting::Bandwidth],
    ..Measure::similarity(
        ["cka_rbf", "cka-rbf"],
        "Kernel alignment of Gaussian kernels",
        Values::Layers(&GAUSSIAN),
    )
};

/// The same from unbiased terms.
pub static CKA_RBF_DEBIASED: Measure = Measure {
    uses: &[Setting::Bandwidth],
    ..Measure::similarity(
        ["cka_rbf_debiased", "cka-rbf-debiased"],
        "The same from unbiased terms",
        Values::Layers(&GAUSSIAN),
    )
};

/// Tiles, and the distances among which the medians are found.
fn least(subject: &Subject<'_>, threads: usize) -> u64 {
    let (n, layers) = (subject.n_rows() as u64, subject.matrices.len() as u64);
    let all = n * n / 2 * layers;
    // A list that grows may have twice the room it needs, and a copy while it does.
    let listed = 3 * all;
    let (listed, drawn) = match all <= KEPT as u64 {
        true => (listed, 0),
        // The bracket holds twice SHARE of all pairs, or a little more.
        false => (listed / 50, DRAWN as u64 * layers),
    };
    tile_bytes(subject, threads) + 8 * (listed + drawn)
}

static GAUSSIAN: Computation = Computation {
    least,
    values: |subject, wanted, progress| {
        let layers: Vec<Centred<'_>> = subject.matrices.iter().map(Centred::of_unit_size).collect();
        let phases = ["medians", "kernels"];
        let kernels = Phase {
            // Permuted layers stand beside the layers themselves.
            cost: 2.0,
            ..Phase::new("permuted", subject.permutations.len())
        };
        progress.plan(&[Phase::new(phases[0], 1), Phase::new(phases[1], 1), kernels]);
        progress.step(phases[0], "");
        let medians = median_distances(&layers, progress);
        // A kernel without a width is that of a layer without distances: constant, as its terms
        // say, whatever stands here.
        let width = |median: &Option<f64>| {
            let width = median.unwrap_or(0.0) * subject.settings.bandwidth;
            if width > 0.0 { width } else { 1.0 }
        };
        let widths: Vec<f64> = medians.iter().map(width).collect();
        // Permuted layers follow the layers themselves.
        let doubled = [widths.clone(), widths].concat();
        let terms = |layers: &[Centred<'_>], _: &[(usize, usize)]| {
            let is_permuted = layers.len() > subject.matrices.len();
            let phase = if is_permuted { kernels.name } else { phases[1] };
            progress.step(phase, "");
            rbf_terms(layers, &doubled, progress)
        };
        let mut found = alignments(subject, &layers, wanted, &CKA_RBF, &terms);
        // Half of all distances zero: repeated rows, for which no fraction of the median is a width.
        // The error of a distance, on the average over rows.
        let n = subject.n_rows() as f64;
        let error = |at: usize| 2.0 * layers[at].noise().norm / n.sqrt();
        let zero = |at: usize| medians[at].is_some_and(|median| median <= error(at));
        for values in &mut found {
            for (value, &(x, y)) in values.iter_mut().zip(subject.pairs) {
                if value.value.is_ok() && (zero(x) || zero(y)) {
                    *value = PairValue::new(Err(Reason::ZeroDistances), value.n, Vec::new());
                }
            }
        }
        found
    },
};
