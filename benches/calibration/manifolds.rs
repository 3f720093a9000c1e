//! Sets of points whose dimension is known.

use repgeo::input::Matrix;
use repgeo::random::SplitMix64;

/// Columns of every set; the points span at most d + 1 of the directions.
pub const COLUMNS: usize = 64;

/// What the points are drawn from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manifold {
    /// Uniform in the cube of d dimensions: constant density, and a border.
    Cube,
    /// Isotropic normal in d dimensions: a density that falls outwards.
    Gaussian,
    /// Uniform on the d-sphere in d + 1 directions: constant density, no border, curved.
    Sphere,
}

impl Manifold {
    pub const ALL: [Self; 3] = [Self::Cube, Self::Gaussian, Self::Sphere];

    pub fn name(self) -> &'static str {
        match self {
            Self::Cube => "cube",
            Self::Gaussian => "gaussian",
            Self::Sphere => "sphere",
        }
    }

    /// `n` points of dimension `d`, turned at random into `columns` columns; a function of `seed`.
    pub fn sample(self, d: usize, n: usize, columns: usize, seed: u64) -> Matrix {
        let mut random = SplitMix64::new(SplitMix64::new(seed).next_u64());
        let axes = match self {
            Self::Cube | Self::Gaussian => d,
            Self::Sphere => d + 1,
        };
        let basis = orthonormal(axes, columns, &mut random);
        let mut values = vec![0.0; n * columns];
        for row in values.chunks_exact_mut(columns) {
            for (x, axis) in self.point(axes, &mut random).iter().zip(&basis) {
                row.iter_mut().zip(axis).for_each(|(y, a)| *y += x * a);
            }
        }
        Matrix::from_f64(n, columns, values)
    }

    fn point(self, axes: usize, random: &mut SplitMix64) -> Vec<f64> {
        match self {
            Self::Cube => (0..axes).map(|_| random.uniform()).collect(),
            Self::Gaussian => (0..axes).map(|_| normal(random)).collect(),
            Self::Sphere => unit((0..axes).map(|_| normal(random)).collect()),
        }
    }
}

/// `count` orthonormal vectors of length `columns`, uniform over all such frames.
fn orthonormal(count: usize, columns: usize, random: &mut SplitMix64) -> Vec<Vec<f64>> {
    let mut basis: Vec<Vec<f64>> = Vec::with_capacity(count);
    for _ in 0..count {
        let mut vector: Vec<f64> = (0..columns).map(|_| normal(random)).collect();
        // Twice is enough for orthogonality to the last bits.
        for axis in basis.iter().chain(&basis) {
            let along: f64 = vector.iter().zip(axis).map(|(x, a)| x * a).sum();
            vector
                .iter_mut()
                .zip(axis)
                .for_each(|(x, a)| *x -= along * a);
        }
        basis.push(unit(vector));
    }
    basis
}

fn unit(mut vector: Vec<f64>) -> Vec<f64> {
    let norm = vector.iter().map(|x| x * x).sum::<f64>().sqrt();
    vector.iter_mut().for_each(|x| *x /= norm);
    vector
}

/// A standard normal number (Box and Muller), the same on every platform.
fn normal(random: &mut SplitMix64) -> f64 {
    let (u, v) = (1.0 - random.uniform(), random.uniform());
    (-2.0 * libm::log(u)).sqrt() * libm::cos(std::f64::consts::TAU * v)
}
