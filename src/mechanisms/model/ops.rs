//! The row-wise pieces of a block: LayerNorm, linear maps, nonlinearities, rotation.

use super::activation::Activation;
use super::config::Rotary;
use super::product::{view, view_mut};
use super::real::Real;
use super::weights::{Linear, Norm};
use crate::algebra::{Accumulate, multiply};

/// Partial sums that run side by side.
const LANES: usize = 8;

/// Mean and variance (divisor d) of a row, summed in f64.
pub(crate) fn moments<T: Real>(row: &[T]) -> (f64, f64) {
    let n = row.len() as f64;
    let mean = lanes(row, |x| x) / n;
    let variance = lanes(row, |x| (x - mean) * (x - mean)) / n;
    (mean, variance)
}

fn lanes<T: Real>(row: &[T], term: impl Fn(f64) -> f64) -> f64 {
    let mut sums = [0.0; LANES];
    let chunks = row.chunks_exact(LANES);
    let rest: f64 = chunks.remainder().iter().map(|x| term(x.wide())).sum();
    for chunk in chunks {
        for (sum, x) in sums.iter_mut().zip(chunk) {
            *sum += term(x.wide());
        }
    }
    sums.iter().sum::<f64>() + rest
}

impl<T: Real> Norm<T> {
    /// (x − mean)/√(variance + eps) · γ + β for every row of `x`.
    pub fn apply(&self, x: &[T], eps: f64) -> Vec<T> {
        let mut out = Vec::with_capacity(x.len());
        for row in x.chunks_exact(self.gain.len()) {
            let (mean, variance) = moments(row);
            let (mean, inverse) = (T::of(mean), T::of(1.0 / (variance + eps).sqrt()));
            let scaled = row.iter().zip(&self.gain).zip(&self.bias);
            out.extend(scaled.map(|((&x, &gain), &bias)| (x - mean) * inverse * gain + bias));
        }
        out
    }
}

impl<T: Real> Linear<T> {
    /// x W + b for every row of `x`.
    pub fn apply(&self, x: &[T]) -> Vec<T> {
        let rows = x.len() / self.inputs;
        let mut out = Vec::with_capacity(rows * self.outputs);
        for _ in 0..rows {
            out.extend_from_slice(&self.bias);
        }
        multiply(
            view_mut(&mut out, rows, self.outputs, self.outputs),
            Accumulate::Add,
            view(x, rows, self.inputs, self.inputs),
            self.matrix(),
            None,
        );
        out
    }
}

impl Activation {
    /// Applies itself to every value.
    pub(crate) fn apply<T: Real>(self, values: &mut [T]) {
        let one = T::of(1.0);
        match self {
            // 0.5 (1 + tanh u) = 1 / (1 + e^(−2u)): one exponential, no cancellation.
            Self::GeluTanh => {
                let slope = T::of(-2.0 * (2.0 / std::f64::consts::PI).sqrt());
                let cubic = T::of(0.044_715);
                let mut powers = [T::of(0.0); 256];
                for part in values.chunks_mut(powers.len()) {
                    let powers = &mut powers[..part.len()];
                    for (power, &x) in powers.iter_mut().zip(part.iter()) {
                        *power = slope * (x + cubic * x * x * x);
                    }
                    T::exp_all(powers);
                    for (x, &power) in part.iter_mut().zip(powers.iter()) {
                        *x /= one + power;
                    }
                }
            }
            Self::GeluErf => {
                let (half, root) = (T::of(0.5), T::of(std::f64::consts::FRAC_1_SQRT_2));
                for x in values {
                    *x = half * *x * (one + (*x * root).erf());
                }
            }
            Self::Relu => {
                for x in values {
                    if *x < T::of(0.0) {
                        *x = T::of(0.0);
                    }
                }
            }
        }
    }
}

/// Cosines and sines of every rotary angle up to a position.
pub(crate) struct Turns<T> {
    half: usize,
    table: Vec<(T, T)>,
}

impl<T: Real> Turns<T> {
    /// The turns of positions 0 .. `n_positions`.
    pub(crate) fn new(rotary: Rotary, n_positions: usize) -> Self {
        let half = rotary.dimensions / 2;
        let angle = |position: usize, i: usize| {
            let frequency = libm::pow(rotary.base, -((2 * i) as f64) / rotary.dimensions as f64);
            position as f64 * frequency
        };
        let table = (0..n_positions)
            .flat_map(|position| (0..half).map(move |i| angle(position, i)))
            .map(|angle| (T::of(libm::cos(angle)), T::of(libm::sin(angle))))
            .collect();
        Self { half, table }
    }

    /// Turns one head's query or key at `position`: dimension i with dimension i + half.
    pub(crate) fn turn(&self, position: usize, head: &mut [T]) {
        let turns = &self.table[position * self.half..(position + 1) * self.half];
        let (first, second) = head.split_at_mut(self.half);
        for ((a, b), &(cos, sin)) in first.iter_mut().zip(second).zip(turns) {
            (*a, *b) = (*a * cos - *b * sin, *b * cos + *a * sin);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_exponential_gives_the_tanh_gelu() {
        for i in -80..=80 {
            let x = f64::from(i) / 8.0;
            let u = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x.powi(3));
            let mut value = [x];
            Activation::GeluTanh.apply(&mut value);
            assert!((value[0] - 0.5 * x * (1.0 + u.tanh())).abs() < 1e-14, "{x}");
        }
    }

    #[test]
    fn turning_keeps_lengths_and_depends_on_the_distance_of_positions_only() {
        let rotary = Rotary {
            dimensions: 4,
            base: 100.0,
        };
        let turns = Turns::<f64>::new(rotary, 12);
        let dot = |p: usize, q: usize| {
            let (mut a, mut b) = ([1.0, -2.0, 0.5, 3.0, 7.0], [0.3, 1.0, -1.0, 2.0, 1.0]);
            turns.turn(p, &mut a);
            turns.turn(q, &mut b);
            assert_eq!((a[4], b[4]), (7.0, 1.0), "the rest of a head stays");
            a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>()
        };
        assert!((dot(5, 2) - dot(11, 8)).abs() < 1e-12);
        assert!((dot(5, 5) - dot(0, 0)).abs() < 1e-12);
        assert!((dot(5, 2) - dot(5, 3)).abs() > 1e-3);
    }

    #[test]
    fn a_norm_has_mean_beta_and_variance_gamma_squared() {
        let norm = Norm {
            gain: vec![2.0; 16],
            bias: vec![1.0; 16],
        };
        let x: Vec<f64> = (0..16).map(|i| f64::from(i * i)).collect();
        let (mean, variance) = moments(&norm.apply(&x, 1e-12));
        assert!((mean - 1.0).abs() < 1e-12 && (variance - 4.0).abs() < 1e-9);
    }
}
