//! Reflections that turn vectors onto axes, one at a time and in blocks.

use ndarray::{Array2, ArrayViewMut2, s};
use pulp::Arch;

use super::product::{Accumulate, multiply, product};
use crate::vectors::vectorised;

/// Reflections that are applied together.
pub(super) const BLOCK: usize = 32;

/// Sums that a dot product keeps apart.
const LANES: usize = 32;

/// Σ x_i y_i in 32 sums, of the i that leave the same rest, added in order at the end.
#[inline(always)]
pub(super) fn dot(x: &[f64], y: &[f64]) -> f64 {
    let (whole_x, rest_x) = x.as_chunks::<LANES>();
    let (whole_y, rest_y) = y.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for (x, y) in whole_x.iter().zip(whole_y) {
        for lane in 0..LANES {
            sums[lane] += x[lane] * y[lane];
        }
    }
    for (sum, (x, y)) in sums.iter_mut().zip(rest_x.iter().zip(rest_y)) {
        *sum += x * y;
    }
    let mut half = LANES / 2;
    while half > 0 {
        for lane in 0..half {
            sums[lane] += sums[lane + half];
        }
        half /= 2;
    }
    sums[0]
}

/// x += factor·y.
#[inline(always)]
pub(super) fn add_multiple(x: &mut [f64], factor: f64, y: &[f64]) {
    x.iter_mut().zip(y).for_each(|(x, y)| *x += factor * y);
}

/// The reflection H = 1 − τ v vᵀ, v_0 = 1, that turns x onto the first axis: returns (β, τ) with
/// Hx = β e_0, and leaves v in place of x.
///
/// τ = 0 where x lies on the axis already.
pub(super) fn reflection(x: &mut [f64]) -> (f64, f64) {
    let Some((&mut first, rest)) = x.split_first_mut() else {
        return (0.0, 0.0);
    };
    let largest = rest.iter().fold(0.0f64, |most, x| most.max(x.abs()));
    if largest <= 0.0 {
        x[0] = 1.0;
        return (first, 0.0);
    }
    // Squares of what is scaled by the largest stay in range.
    let scale = largest.max(first.abs());
    let mut squares = (first / scale) * (first / scale);
    for x in &*rest {
        squares += (x / scale) * (x / scale);
    }
    let norm = scale * squares.sqrt();
    let beta = if first > 0.0 { -norm } else { norm };
    let tau = (beta - first) / beta;
    let head = first - beta;
    rest.iter_mut().for_each(|x| *x /= head);
    x[0] = 1.0;
    (beta, tau)
}

/// H_0 H_1 … of up to 32 reflections, 1 − Vᵀ T V, of vectors whose first entries are 0.
#[derive(Debug, Clone)]
pub(super) struct Reflections {
    /// Entries before this one are 0 in all of them.
    pub first: usize,
    /// Row r is v_r from entry `first` on.
    vectors: Array2<f64>,
    /// Upper triangular.
    factor: Array2<f64>,
}

impl Reflections {
    /// The product of the reflections 1 − τ_r v_r v_rᵀ, v_r the rows of `vectors`.
    pub fn new(first: usize, vectors: Array2<f64>, taus: &[f64]) -> Self {
        let size = taus.len();
        let dots = product(vectors.view(), vectors.t());
        let mut factor = Array2::zeros((size, size));
        for (j, &tau) in taus.iter().enumerate() {
            for i in 0..j {
                let sum: f64 = (i..j).map(|k| factor[(i, k)] * dots[(k, j)]).sum();
                factor[(i, j)] = -tau * sum;
            }
            factor[(j, j)] = tau;
        }
        Self {
            first,
            vectors,
            factor,
        }
    }

    /// H_0 H_1 … times `matrix`, or their transpose times `matrix`.
    pub fn apply(&self, mut matrix: ArrayViewMut2<'_, f64>, transposed: bool) {
        let mut rows = matrix.slice_mut(s![self.first.., ..]);
        let factor = match transposed {
            true => self.factor.t(),
            false => self.factor.view(),
        };
        let shares = product(self.vectors.view(), rows.view());
        let shares = product(factor, shares.view());
        let add = Accumulate::Add;
        multiply(
            rows.view_mut(),
            add,
            self.vectors.t(),
            shares.view(),
            Some(-1.0),
        );
    }
}

/// Reflections in blocks: vector r begins at entry `offset` + r and is as long as what is left.
pub(super) fn in_blocks(
    offset: usize,
    size: usize,
    reflections: &[(Vec<f64>, f64)],
) -> Vec<Reflections> {
    let blocks = reflections.chunks(BLOCK).enumerate();
    blocks
        .map(|(at, block)| {
            let first = offset + at * BLOCK;
            let mut vectors = Array2::zeros((block.len(), size - first));
            for (r, (vector, _)) in block.iter().enumerate() {
                let mut row = vectors.slice_mut(s![r, r..]);
                row.assign(&ndarray::ArrayView1::from(&vector[..]));
            }
            let taus: Vec<f64> = block.iter().map(|(_, tau)| *tau).collect();
            Reflections::new(first, vectors, &taus)
        })
        .collect()
}

/// Factors the rows of `panel`, vectors that share their first entry, one after the other: each is
/// reflected onto its own axis, and those after it are reflected with it.
///
/// Returns β and τ of each; row r then holds what is above its axis, and its vector from there on.
pub(super) fn factor_rows(panel: &mut Array2<f64>) -> Vec<(f64, f64)> {
    let (count, length) = panel.dim();
    let mut found = Vec::with_capacity(count);
    let Some(values) = panel.as_slice_mut() else {
        return found;
    };
    let arch = Arch::new();
    for r in 0..count {
        let (head, others) = values.split_at_mut((r + 1) * length);
        let own = &mut head[r * length + r..];
        let (beta, tau) = reflection(own);
        found.push((beta, tau));
        vectorised(
            arch,
            #[inline(always)]
            || {
                for other in others.chunks_exact_mut(length) {
                    let share = tau * dot(own, &other[r..]);
                    add_multiple(&mut other[r..], -share, own);
                }
            },
        );
    }
    found
}
