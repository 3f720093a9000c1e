//! Tells distances that differ from distances that only rounding has told apart.

use super::rounding::Rounding;
use crate::input::Matrix;

/// Rows looked at, spread evenly over a layer.
const SAMPLE: usize = 512;

/// Rows that are compared with all others before a layer counts as equidistant.
const ORIGINS: usize = 8;

/// A difference counts beyond this many standard deviations of what rounding makes.
const STANDS_OUT: f64 = 4.0;

/// Values were computed before they were stored: last digits of f64 that this may have cost.
const COMPUTED: f64 = 8.0;

/// Share of rows whose two distances must be equal within rounding before their ratio is no ratio:
/// ends of a line and corners of a grid may have others.
const TIED: f64 = 0.95;

/// What rounding to the stored type does to distances from rows of a layer.
///
/// A stored value errs by at most e(x), so by e(x)/√3 in the mean square. To first order a distance
/// r = ‖Δ‖ then moves by √(Σ_c Δ_c² (e(x_c)² + e(y_c)²)/3)/r, and to second by Σ_c (e(x_c)² +
/// e(y_c)²)/6r; where the other row is not known, Δ_c² is taken for the share of column c in the
/// variance. Our own sums add (D + 16)·2⁻⁵³·r.
#[derive(Debug, Clone)]
pub struct Resolution {
    rows: Vec<usize>,
    /// Standard deviation, to first order, of a distance from each of the rows.
    first: Vec<f64>,
    /// The same to second order, times the distance.
    second: Vec<f64>,
    /// What arithmetic in f64 before the values were stored may have moved.
    computed: Vec<f64>,
    arithmetic: f64,
}

impl Resolution {
    /// That of the rows of `data`; of rows of unit length where `unit_rows` is set.
    pub fn of(data: &Matrix, unit_rows: bool) -> Self {
        let (n, d) = (data.n_rows(), data.n_columns());
        let rows: Vec<usize> = (0..n).step_by(n.div_ceil(SAMPLE).max(1)).collect();
        let mut reader = Reader::new(data, unit_rows);
        let count = rows.len().max(1) as f64;
        let (mut means, mut variances) = (vec![0.0; d], vec![0.0; d]);
        for &row in &rows {
            reader.read(row);
            let sums = means.iter_mut().zip(&reader.values);
            sums.for_each(|(mean, x)| *mean += x / count);
        }
        for &row in &rows {
            reader.read(row);
            for ((sum, x), mean) in variances.iter_mut().zip(&reader.values).zip(&means) {
                *sum += (x - mean) * (x - mean);
            }
        }
        let total: f64 = variances.iter().sum();
        let (mut first, mut second, mut computed) = (Vec::new(), Vec::new(), Vec::new());
        for &row in &rows {
            reader.read(row);
            let varying = reader
                .squares
                .iter()
                .zip(&variances)
                .filter(|(_, variance)| **variance > 0.0);
            let [weighed, sum] = varying.fold([0.0, 0.0], |[weighed, sum], (e, variance)| {
                [weighed + e * variance, sum + e]
            });
            // Two rows err alike.
            first.push((2.0 * weighed / total.max(f64::MIN_POSITIVE)).sqrt());
            second.push(sum);
            let norm: f64 = reader.values.iter().map(|x| x * x).sum::<f64>().sqrt();
            computed.push(COMPUTED * f64::EPSILON * norm);
        }
        Self {
            rows,
            first,
            second,
            computed,
            arithmetic: arithmetic(d),
        }
    }

    /// Whether the distances `far` are the distances `near` within rounding, in 19 of 20 rows where
    /// they differ at all. Distances that are equal to the last bit were told apart by nothing: the
    /// corners of a lattice of whole numbers are no rounding.
    ///
    /// Both hold one distance a row of the layer.
    pub fn ties(&self, near: &[f64], far: &[f64]) -> bool {
        let (mut tied, mut seen) = (0usize, 0usize);
        for (at, &row) in self.rows.iter().enumerate() {
            let (Some(&r), Some(&s)) = (near.get(row), far.get(row)) else {
                return false;
            };
            if r > 0.0 && s > r && s.is_finite() {
                let moved = STANDS_OUT * std::f64::consts::SQRT_2 * self.first[at];
                let moved = moved + self.second[at] / r + self.computed[at];
                let moved = moved + 2.0 * self.arithmetic * s;
                seen += 1;
                tied += usize::from(s - r <= moved);
            }
        }
        seen >= 3 && tied as f64 >= TIED * seen as f64
    }
}

/// Whether every two rows of `data` are equally far apart within the rounding of the stored type,
/// so that no row is nearer than another; as the cosine sees them where `unit_rows` is set.
///
/// A few rows spread over the layer are compared with all others, each pair within its own error;
/// three rows at least are needed to tell.
pub fn equidistant(data: &Matrix, unit_rows: bool) -> bool {
    let (n, d) = (data.n_rows(), data.n_columns());
    if n < 3 || d == 0 {
        return false;
    }
    let (mut own, mut other) = (Reader::new(data, unit_rows), Reader::new(data, unit_rows));
    // The first distance and its error.
    let mut reference: Option<[f64; 2]> = None;
    for origin in (0..n).step_by(n.div_ceil(ORIGINS)) {
        own.read(origin);
        for row in (0..n).filter(|&row| row != origin) {
            other.read(row);
            let [distance, error] = own.distance(&other, arithmetic(d));
            if distance <= 0.0 {
                return false;
            }
            let [expected, leeway] = *reference.get_or_insert([distance, error]);
            // A NaN is no tie.
            let tied = (distance - expected).abs() <= error + leeway;
            if !tied {
                return false;
            }
        }
    }
    true
}

/// How far our own sums may move a distance, over the distance.
fn arithmetic(d: usize) -> f64 {
    (d as f64 + 16.0) * f64::EPSILON / 2.0
}

/// One row at a time, with the mean squares of its errors.
struct Reader<'a> {
    data: &'a Matrix,
    rounding: Rounding,
    unit_rows: bool,
    values: Vec<f64>,
    squares: Vec<f64>,
}

impl<'a> Reader<'a> {
    fn new(data: &'a Matrix, unit_rows: bool) -> Self {
        Self {
            data,
            rounding: Rounding::of(data),
            unit_rows,
            values: vec![0.0; data.n_columns()],
            squares: vec![0.0; data.n_columns()],
        }
    }

    fn read(&mut self, row: usize) {
        self.data.widen_row(row, &mut self.values);
        let scale = match self.unit_rows {
            true => {
                let largest = self.values.iter().fold(0.0f64, |most, x| most.max(x.abs()));
                let squares = self.values.iter().map(|x| (x / largest) * (x / largest));
                largest * squares.sum::<f64>().sqrt()
            }
            false => 1.0,
        };
        for (x, square) in self.values.iter_mut().zip(&mut self.squares) {
            let error = self.rounding.of_norm(x.abs(), 1) / scale;
            *square = error * error / 3.0;
            *x /= scale;
        }
    }

    /// The distance to another row, and how far rounding may have moved it.
    fn distance(&self, other: &Self, arithmetic: f64) -> [f64; 2] {
        let (mut square, mut first, mut second) = (0.0, 0.0, 0.0);
        let mine = self.values.iter().zip(&self.squares);
        for ((x, e), (y, f)) in mine.zip(other.values.iter().zip(&other.squares)) {
            let apart = (x - y) * (x - y);
            square += apart;
            if apart > 0.0 {
                first += apart * (e + f);
                second += e + f;
            }
        }
        let distance = square.sqrt();
        let moved = STANDS_OUT * first.sqrt() / distance + second / distance;
        [distance, moved + arithmetic * distance]
    }
}

#[cfg(test)]
mod tests {
    use half::{bf16, f16};

    use super::*;
    use crate::random::SplitMix64;

    /// The rows in every stored type.
    fn stored(n: usize, d: usize, values: &[f64]) -> [Matrix; 4] {
        let single: Vec<f32> = values.iter().map(|&x| x as f32).collect();
        let half: Vec<f16> = values.iter().map(|&x| f16::from_f64(x)).collect();
        let brain: Vec<bf16> = values.iter().map(|&x| bf16::from_f64(x)).collect();
        [
            Matrix::from_f64(n, d, values.to_vec()),
            Matrix::from_f32(n, d, single),
            Matrix::from_f16(n, d, half),
            Matrix::from_bf16(n, d, brain),
        ]
    }

    /// Unit vectors turned: reflected by a random plane, and moved.
    fn simplex(n: usize, offset: f64) -> Vec<f64> {
        let mut random = SplitMix64::new(3);
        let u: Vec<f64> = (0..n).map(|_| random.uniform() - 0.5).collect();
        let square: f64 = u.iter().map(|x| x * x).sum();
        let entry =
            |i: usize, j: usize| f64::from(u8::from(i == j)) - 2.0 * u[i] * u[j] / square + offset;
        (0..n * n).map(|at| entry(at / n, at % n)).collect()
    }

    #[test]
    fn a_simplex_is_equidistant_in_every_stored_type() {
        for offset in [0.0, 2.0] {
            for matrix in stored(40, 40, &simplex(40, offset)) {
                assert!(equidistant(&matrix, false), "{matrix:?} {offset}");
            }
        }
        // Orthogonal rows of different lengths are equidistant for the cosine only.
        let mut rows = simplex(40, 0.0);
        for (i, row) in rows.chunks_exact_mut(40).enumerate() {
            row.iter_mut().for_each(|x| *x *= 1.0 + i as f64);
        }
        for matrix in stored(40, 40, &rows) {
            assert!(equidistant(&matrix, true) && !equidistant(&matrix, false));
        }
    }

    #[test]
    fn rows_at_random_are_not_equidistant_even_in_many_dimensions() {
        let mut random = SplitMix64::new(1);
        for d in [2, 30, 2000] {
            let values: Vec<f64> = (0..60 * d).map(|_| random.uniform() + 3.0).collect();
            for matrix in stored(60, d, &values) {
                assert!(!equidistant(&matrix, false) && !equidistant(&matrix, true));
            }
        }
        // A centre and a sphere around it: equally far from one row only.
        let mut sphere = simplex(12, 0.0);
        sphere.splice(0..0, vec![0.0; 12]);
        for matrix in stored(13, 12, &sphere) {
            assert!(!equidistant(&matrix, false));
        }
    }

    #[test]
    fn neighbours_on_a_line_tie_in_every_stored_type() {
        let n = 200;
        let along = [0.3, -1.1, 0.7];
        let line: Vec<f64> = (0..n)
            .flat_map(|i| along.map(|x| 0.25 + x * f64::from(i) / f64::from(n)))
            .collect();
        let steps: Vec<f64> = (0..n).map(|_| 1.359 / f64::from(n)).collect();
        let rounded = |matrix: &Matrix| -> [Vec<f64>; 2] {
            let n = matrix.n_rows();
            let mut reader = [Reader::new(matrix, false), Reader::new(matrix, false)];
            let mut found = [Vec::new(), Vec::new()];
            for i in 0..n {
                reader[0].read(i);
                let mut all: Vec<f64> = (0..n)
                    .filter(|&j| j != i)
                    .map(|j| {
                        let [own, other] = &mut reader;
                        other.read(j);
                        own.distance(other, 0.0)[0]
                    })
                    .collect();
                all.sort_unstable_by(f64::total_cmp);
                found[0].push(all[0]);
                found[1].push(all[1]);
            }
            found
        };
        for matrix in &stored(200, 3, &line)[..3] {
            let [near, far] = rounded(matrix);
            let resolution = Resolution::of(matrix, false);
            assert!(resolution.ties(&near, &far), "{matrix:?}");
            // Equal to the last bit: no rounding told them apart.
            assert!(!resolution.ties(&steps, &steps));
        }
        let mut random = SplitMix64::new(9);
        let values: Vec<f64> = (0..600).map(|_| random.uniform()).collect();
        for matrix in stored(200, 3, &values) {
            let [near, far] = rounded(&matrix);
            assert!(
                !Resolution::of(&matrix, false).ties(&near, &far),
                "{matrix:?}"
            );
        }
    }
}
