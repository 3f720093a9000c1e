//! Sums over linear kernels: ‖XᵀY‖² by columns or by rows, whichever costs less.

use rayon::prelude::*;

use super::alignment::alignments;
use super::cka::KernelTerms;
use super::measure::{Computation, Measure, Subject, Values};
use super::tiles::{Precision, Tile, tile_bytes, tile_terms};
use crate::geometry::centred::{Centred, panel_bytes, panels};
use crate::progress::{Phase, Progress};

/// Two ways to the same sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// ‖XᵀY‖²: N·D_x·D_y multiplications a pair, no N × N matrix.
    Features,
    /// Σ_ij (XXᵀ)_ij (YYᵀ)_ij in tiles: N²·D/2 multiplications a layer, shared by all its pairs.
    Samples,
}

/// The number of rows from which rounding errors of single precision average out.
const MANY_ROWS: usize = 4096;

/// The precision of the products by [`Route::Samples`]: f32 where all `layers` are stored in 32 bits
/// or fewer and have at least 4096 rows, else f64.
///
/// Sums are f64 either way, and so are diagonals. The errors of f32 products are independent
/// between entries and at most a few 1e-7 of ‖x_i‖‖x_j‖ each, so that the error of a sum over N²
/// entries stays below 1e-8 of it.
pub fn tile_precision(layers: &[Centred<'_>]) -> Precision {
    let long = layers
        .first()
        .is_some_and(|layer| layer.n_rows() >= MANY_ROWS);
    match long && layers.iter().all(Centred::is_stored_single) {
        true => Precision::Single,
        false => Precision::Double,
    }
}

/// The route with fewer multiplications for the given pairs of `layers`.
pub fn cheaper_route(layers: &[Centred<'_>], pairs: &[(usize, usize)]) -> Route {
    let n = layers.first().map_or(0, Centred::n_rows) as f64;
    let width = |layer: usize| layers[layer].n_columns() as f64;
    let by_features: f64 = with_selves(layers.len(), pairs)
        .iter()
        .map(|&(x, y)| n * width(x) * width(y) * if x == y { 0.5 } else { 1.0 })
        .sum();
    let widths: f64 = (0..layers.len()).map(width).sum();
    let widths = match tile_precision(layers) {
        Precision::Single => widths / 2.0,
        Precision::Double => widths,
    };
    let by_samples = n * n / 2.0 * (widths + layers.len().pow(2) as f64);
    if by_samples < by_features {
        Route::Samples
    } else {
        Route::Features
    }
}

/// The terms of the centred linear kernels XXᵀ of `layers`.
///
/// `cross` is filled for the given pairs and for every layer with itself; other entries are 0 by
/// [`Route::Features`]. Sums run over fixed blocks, so no result depends on threads.
pub fn linear_terms(
    layers: &[Centred<'_>],
    pairs: &[(usize, usize)],
    route: Route,
    progress: &dyn Progress,
) -> KernelTerms {
    let diagonals: Vec<Vec<f64>> = layers.iter().map(Centred::squared_norms).collect();
    // Centred rows sum to zero, so what lies beside the diagonal sums to minus the diagonal.
    let row_sums: Vec<Vec<f64>> = diagonals
        .iter()
        .map(|norms| norms.iter().map(|p| -p).collect())
        .collect();
    let cross = match route {
        Route::Samples => {
            let precision = tile_precision(layers);
            tile_terms(layers, precision, &|_: &mut Tile<'_>| (), progress).cross
        }
        Route::Features => feature_cross(layers, pairs, &diagonals, progress),
    };
    KernelTerms {
        n: layers.first().map_or(0, Centred::n_rows),
        cross,
        rounding: rounding(layers, route, &diagonals),
        row_sums,
        diagonals,
    }
}

/// Σ_ij of the squared errors of the inner products of every layer.
///
/// Errors of stored values are independent between columns, so those of Σ_c x_ic x_jc add up in
/// squares: twice Σ_c e_c²‖x^c‖² at most; 8 of it leaves room for errors that are not. Products in
/// single precision add errors of their own.
fn rounding(layers: &[Centred<'_>], route: Route, diagonals: &[Vec<f64>]) -> Vec<f64> {
    let single = route == Route::Samples && tile_precision(layers) == Precision::Single;
    let unit = if single {
        f64::from(f32::EPSILON) / 2.0
    } else {
        0.0
    };
    let layers = layers.iter().zip(diagonals);
    layers
        .map(|(layer, norms)| {
            let product = unit * norms.iter().sum::<f64>();
            8.0 * layer.noise().in_products + product * product
        })
        .collect()
}

/// ‖XᵀY‖² − Σ_i p_i q_i of the wanted pairs.
fn feature_cross(
    layers: &[Centred<'_>],
    pairs: &[(usize, usize)],
    diagonals: &[Vec<f64>],
    progress: &dyn Progress,
) -> Vec<f64> {
    let pairs = with_selves(layers.len(), pairs);
    let tasks: Vec<_> = pairs
        .iter()
        .flat_map(|&(x, y)| {
            let panels = panels(layers[y].n_columns());
            panels.into_iter().map(move |columns| (x, y, columns))
        })
        .collect();
    progress.begin("products", tasks.len() as u64);
    let parts: Vec<f64> = tasks
        .par_iter()
        .map(|(x, y, columns)| {
            let squares = if x == y {
                layers[*x].gram_panel_squares(columns.clone())
            } else {
                let panel = layers[*x].product_panel(&layers[*y], columns.clone());
                panel
                    .rows()
                    .into_iter()
                    .map(|row| row.iter().map(|x| x * x).sum::<f64>())
                    .sum()
            };
            progress.advance(1);
            squares
        })
        .collect();
    progress.end();
    let mut cross = vec![0.0; layers.len().pow(2)];
    for ((x, y, _), part) in tasks.iter().zip(parts) {
        cross[x * layers.len() + y] += part;
    }
    for (x, y) in pairs {
        let (p, q) = (&diagonals[x], &diagonals[y]);
        let own: f64 = p.iter().zip(q).map(|(p, q)| p * q).sum();
        cross[x * layers.len() + y] -= own;
        cross[y * layers.len() + x] = cross[x * layers.len() + y];
    }
    cross
}

/// Every wanted pair once, lower index first, and every layer with itself.
fn with_selves(n_layers: usize, pairs: &[(usize, usize)]) -> Vec<(usize, usize)> {
    let selves = (0..n_layers).map(|layer| (layer, layer));
    let pairs = pairs.iter().map(|&(x, y)| (x.min(y), x.max(y)));
    let mut all: Vec<(usize, usize)> = selves.chain(pairs).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// Linear centred kernel alignment.
pub static CKA: Measure = Measure::similarity(
    ["cka", "cka"],
    "Linear centred kernel alignment",
    Values::Layers(&LINEAR),
);

/// The same from unbiased terms.
pub static CKA_DEBIASED: Measure = Measure::similarity(
    ["cka_debiased", "cka-debiased"],
    "The same from unbiased terms",
    Values::Layers(&LINEAR),
);

/// For each thread a block of two layers and a panel of their product, or tiles. Which of both it
/// is depends on what is stored, so room for either is asked for.
fn least(subject: &Subject<'_>, threads: usize) -> u64 {
    let n = subject.n_rows();
    let panels = subject
        .matrices
        .iter()
        .map(|m| panel_bytes(n, m.n_columns()));
    let by_features = threads as u64 * panels.max().unwrap_or(0);
    by_features.max(tile_bytes(subject, threads))
}

static LINEAR: Computation = Computation {
    least,
    values: |subject, wanted, progress| {
        let layers: Vec<Centred<'_>> = subject.matrices.iter().map(Centred::of_unit_size).collect();
        let phase = Phase::new("terms", 1 + subject.permutations.len());
        progress.plan(&[phase]);
        let terms = |layers: &[Centred<'_>], pairs: &[(usize, usize)]| {
            progress.step(phase.name, "");
            let route = cheaper_route(layers, pairs);
            linear_terms(layers, pairs, route, progress)
        };
        alignments(subject, &layers, wanted, &CKA, &terms)
    },
};
