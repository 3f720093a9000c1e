//! Small products of row-major matrices, added in a fixed order, and a Cholesky factor.

use pulp::Arch;

use crate::vectors::vectorised;

/// Lanes of a sum; fixed, so that the order of additions is a function of the lengths alone.
const LANES: usize = 8;

#[inline(always)]
fn lanes(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; LANES];
    let (blocks, others) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest: f64 = blocks
        .remainder()
        .iter()
        .zip(others.remainder())
        .fold(0.0, |sum, (a, b)| sum + a * b);
    for (a, b) in blocks.zip(others) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let halves = [
        sums[0] + sums[4],
        sums[1] + sums[5],
        sums[2] + sums[6],
        sums[3] + sums[7],
    ];
    (halves[0] + halves[2]) + (halves[1] + halves[3]) + rest
}

/// a·b.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    vectorised(
        Arch::new(),
        #[inline(always)]
        || lanes(a, b),
    )
}

/// y += factor · x.
pub(super) fn add_scaled(y: &mut [f64], factor: f64, x: &[f64]) {
    vectorised(
        Arch::new(),
        #[inline(always)]
        || y.iter_mut().zip(x).for_each(|(y, x)| *y += factor * x),
    );
}

/// Every row of `rows` times every row of `weights`, both of `width` columns, into `out`, a row a row.
pub(super) fn times(rows: &[f64], weights: &[f64], width: usize, out: &mut [f64]) {
    let outputs = weights.len() / width.max(1);
    vectorised(
        Arch::new(),
        #[inline(always)]
        || {
            for (row, out) in rows.chunks_exact(width).zip(out.chunks_exact_mut(outputs)) {
                for (weights, out) in weights.chunks_exact(width).zip(out) {
                    *out = lanes(row, weights);
                }
            }
        },
    );
}

/// Rows taken together, so that a sum is loaded once for all of them.
const TOGETHER: usize = 4;

/// `out[k] += Σ_r factors[r, k] · rows[r]`: `out` and `rows` have `width` columns.
pub(super) fn gather(factors: &[f64], rows: &[f64], width: usize, out: &mut [f64]) {
    let outputs = out.len() / width.max(1);
    vectorised(
        Arch::new(),
        #[inline(always)]
        || {
            let blocks = rows.chunks_exact(TOGETHER * width);
            let scales = factors.chunks_exact(TOGETHER * outputs);
            let (last, last_scales) = (blocks.remainder(), scales.remainder());
            for (rows, scales) in blocks.zip(scales) {
                let (a, rest) = rows.split_at(width);
                let (b, rest) = rest.split_at(width);
                let (c, d) = rest.split_at(width);
                for (k, out) in out.chunks_exact_mut(width).enumerate() {
                    let scale = |row: usize| scales[row * outputs + k];
                    let [p, q, r, s] = [scale(0), scale(1), scale(2), scale(3)];
                    for ((((out, a), b), c), d) in out.iter_mut().zip(a).zip(b).zip(c).zip(d) {
                        *out += (p * a + q * b) + (r * c + s * d);
                    }
                }
            }
            let scales = last_scales.chunks_exact(outputs.max(1));
            for (row, scales) in last.chunks_exact(width).zip(scales) {
                for (out, scale) in out.chunks_exact_mut(width).zip(scales) {
                    out.iter_mut()
                        .zip(row)
                        .for_each(|(out, x)| *out += scale * x);
                }
            }
        },
    );
}

/// XᵀX of rows of `width` columns.
pub(super) fn gram(rows: &[f64], width: usize) -> Vec<f64> {
    let mut out = vec![0.0; width * width];
    gather(rows, rows, width, &mut out);
    out
}

/// The lower factor L of a symmetric positive definite matrix, A = L Lᵀ.
pub(super) struct Cholesky {
    size: usize,
    lower: Vec<f64>,
}

impl Cholesky {
    /// The factor of `matrix`, of which the lower half is read; `None` where it is not positive
    /// definite.
    pub(super) fn new(mut matrix: Vec<f64>, size: usize) -> Option<Self> {
        for row in 0..size {
            let (done, rest) = matrix.split_at_mut(row * size);
            for column in 0..row {
                let known = &done[column * size..][..column];
                let sum = dot(&rest[..column], known);
                rest[column] = (rest[column] - sum) / done[column * size + column];
            }
            let square = rest[row] - dot(&rest[..row], &rest[..row]);
            // Not below zero, and no NaN.
            if square.is_nan() || square <= 0.0 {
                return None;
            }
            rest[row] = square.sqrt();
        }
        Some(Self {
            size,
            lower: matrix,
        })
    }

    /// Solves A x = b in place.
    pub(super) fn solve(&self, b: &mut [f64]) {
        for row in 0..self.size {
            let lower = &self.lower[row * self.size..][..=row];
            let sum = dot(&lower[..row], &b[..row]);
            b[row] = (b[row] - sum) / lower[row];
        }
        for row in (0..self.size).rev() {
            let lower = &self.lower[row * self.size..][..=row];
            let x = b[row] / lower[row];
            b[row] = x;
            add_scaled(&mut b[..row], -x, &lower[..row]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SplitMix64;

    fn made_up(n: usize, seed: u64) -> Vec<f64> {
        let mut random = SplitMix64::new(seed);
        (0..n).map(|_| random.uniform() - 0.5).collect()
    }

    fn close(a: &[f64], b: &[f64]) {
        assert_eq!(a.len(), b.len());
        for (a, b) in a.iter().zip(b) {
            assert!((a - b).abs() < 1e-12, "{a} {b}");
        }
    }

    #[test]
    fn products_are_those_of_plain_loops() {
        for (rows, width, outputs) in [(1, 1, 1), (7, 5, 3), (13, 19, 2), (8, 16, 4)] {
            let x = made_up(rows * width, 1);
            let w = made_up(outputs * width, 2);
            let mut found = vec![0.0; rows * outputs];
            times(&x, &w, width, &mut found);
            let plain = |r: usize, k: usize| -> f64 {
                (0..width)
                    .map(|c| x[r * width + c] * w[k * width + c])
                    .sum()
            };
            let expected: Vec<f64> = (0..rows * outputs)
                .map(|at| plain(at / outputs, at % outputs))
                .collect();
            close(&found, &expected);

            let factors = made_up(rows * outputs, 3);
            let mut found = w.clone();
            gather(&factors, &x, width, &mut found);
            let plain = |k: usize, c: usize| -> f64 {
                (0..rows)
                    .map(|r| factors[r * outputs + k] * x[r * width + c])
                    .sum()
            };
            let expected: Vec<f64> = (0..outputs * width)
                .map(|at| w[at] + plain(at / width, at % width))
                .collect();
            close(&found, &expected);
        }
    }

    #[test]
    fn a_system_is_solved_and_a_singular_one_is_told() {
        let size = 11;
        let x = made_up(20 * size, 4);
        let mut matrix = gram(&x, size);
        for at in 0..size {
            matrix[at * size + at] += 0.1;
        }
        let solution = made_up(size, 5);
        let mut b: Vec<f64> = matrix
            .chunks_exact(size)
            .map(|row| dot(row, &solution))
            .collect();
        Cholesky::new(matrix, size).unwrap().solve(&mut b);
        close(&b, &solution);
        assert!(Cholesky::new(vec![1.0, 1.0, 1.0, 1.0], 2).is_none());
        assert!(Cholesky::new(vec![f64::NAN], 1).is_none());
    }
}
