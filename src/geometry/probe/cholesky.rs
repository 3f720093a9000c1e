//! The Cholesky factor of a positive definite matrix, and what it solves.

use super::dense::{add_scaled, dot};

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

    #[test]
    fn a_system_is_solved_and_a_singular_one_is_told() {
        let size = 11;
        let x = made_up(20 * size, 4);
        let mut matrix = vec![0.0; size * size];
        for (at, value) in matrix.iter_mut().enumerate() {
            let column = |column: usize| x.iter().skip(column).step_by(size);
            let products = column(at / size).zip(column(at % size));
            *value = products.map(|(a, b)| a * b).sum();
        }
        for at in 0..size {
            matrix[at * size + at] += 0.1;
        }
        let solution = made_up(size, 5);
        let mut b: Vec<f64> = matrix
            .chunks_exact(size)
            .map(|row| dot(row, &solution))
            .collect();
        let factor = Cholesky::new(matrix, size).unwrap();
        factor.solve(&mut b);
        for (found, expected) in b.iter().zip(&solution) {
            assert!((found - expected).abs() < 1e-12, "{found} {expected}");
        }
        assert!(Cholesky::new(vec![1.0, 1.0, 1.0, 1.0], 2).is_none());
        assert!(Cholesky::new(vec![f64::NAN], 1).is_none());
    }
}
