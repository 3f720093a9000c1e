//! Ridge regression in closed form.

use super::cholesky::Cholesky;
use super::dense::{add_gram, gather, times};
use crate::geometry::{Reason, stats};

/// A linear read-out of numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Ridge {
    /// Columns read.
    width: usize,
    /// Weights, an output after the other.
    pub weights: Vec<f64>,
    /// Intercepts, one an output.
    pub intercepts: Vec<f64>,
}

/// The minimum of
///
/// ```text
/// Σ_r ‖y_r − W x_r − b‖² + penalty ‖W‖²
/// ```
///
/// over standardised rows (mean 0 a column) of `width` columns and `targets` of `outputs` columns. With
/// fewer columns than rows by the normal equations, else by the dual ones; the intercept, which is not
/// penalised, is the mean of the targets. Hoerl & Kennard, Technometrics 12, 55 (1970).
///
/// # Errors
/// [`Reason::TooFewRows`] without rows; [`Reason::ConstantLayer`] without columns;
/// [`Reason::RankDeficient`] where rounding leaves no positive definite system.
pub fn ridge(
    rows: &[f64],
    width: usize,
    targets: &[f64],
    outputs: usize,
    penalty: f64,
) -> Result<Ridge, Reason> {
    if width == 0 {
        return Err(Reason::ConstantLayer);
    }
    let n = rows.len() / width;
    if n == 0 || outputs == 0 {
        return Err(Reason::TooFewRows);
    }
    let column =
        |k: usize| -> Vec<f64> { targets.iter().skip(k).step_by(outputs).copied().collect() };
    let intercepts: Vec<f64> = (0..outputs)
        .map(|k| stats::mean(&column(k)).unwrap_or(0.0))
        .collect();
    let centred: Vec<f64> = targets
        .iter()
        .enumerate()
        .map(|(at, y)| y - intercepts[at % outputs])
        .collect();
    let with_penalty = |mut matrix: Vec<f64>, size: usize| {
        for at in 0..size {
            matrix[at * size + at] += penalty;
        }
        Cholesky::new(matrix, size).ok_or(Reason::RankDeficient)
    };
    let mut weights = vec![0.0; outputs * width];
    if width <= n {
        gather(&centred, rows, width, &mut weights);
        let mut products = vec![0.0; width * width];
        add_gram(rows, width, &mut products);
        let factor = with_penalty(products, width)?;
        weights
            .chunks_exact_mut(width)
            .for_each(|weights| factor.solve(weights));
    } else {
        let mut products = vec![0.0; n * n];
        times(rows, rows, width, &mut products);
        let factor = with_penalty(products, n)?;
        let mut dual = vec![0.0; n * outputs];
        for k in 0..outputs {
            let mut solution: Vec<f64> = centred.iter().skip(k).step_by(outputs).copied().collect();
            factor.solve(&mut solution);
            for (row, value) in solution.into_iter().enumerate() {
                dual[row * outputs + k] = value;
            }
        }
        gather(&dual, rows, width, &mut weights);
    }
    Ok(Ridge {
        width,
        weights,
        intercepts,
    })
}

impl Ridge {
    /// The numbers of standardised rows, a row a row.
    pub fn read(&self, rows: &[f64]) -> Vec<f64> {
        let outputs = self.intercepts.len();
        let mut out = vec![0.0; rows.len() / self.width.max(1) * outputs];
        times(rows, &self.weights, self.width, &mut out);
        for row in out.chunks_exact_mut(outputs) {
            row.iter_mut()
                .zip(&self.intercepts)
                .for_each(|(out, b)| *out += b);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SplitMix64;

    #[test]
    fn one_column_has_the_textbook_slope() {
        let x = [-1.5, -0.5, 0.5, 1.5];
        let y = [1.0, 2.0, 2.0, 5.0];
        let found = ridge(&x, 1, &y, 1, 0.5).unwrap();
        // Σxy / (Σx² + λ) with Σxy = −1.5 − 1 + 1 + 7.5 = 6 and Σx² = 5.
        assert!((found.weights[0] - 6.0 / 5.5).abs() < 1e-14);
        assert_eq!(found.intercepts, [2.5]);
        let read = found.read(&[2.0]);
        assert!((read[0] - (2.5 + 2.0 * 6.0 / 5.5)).abs() < 1e-14);
    }

    #[test]
    fn the_gradient_vanishes_with_few_columns_and_with_many() {
        let mut random = SplitMix64::new(9);
        for (n, width) in [(30, 4), (6, 25)] {
            let mut x: Vec<f64> = (0..n * width).map(|_| random.uniform() - 0.5).collect();
            for column in 0..width {
                let mean = (0..n).map(|row| x[row * width + column]).sum::<f64>() / n as f64;
                (0..n).for_each(|row| x[row * width + column] -= mean);
            }
            let y: Vec<f64> = (0..n * 2).map(|_| random.uniform()).collect();
            let found = ridge(&x, width, &y, 2, 0.7).unwrap();
            let read = found.read(&x);
            for k in 0..2 {
                for column in 0..width {
                    let gradient: f64 = (0..n)
                        .map(|row| (read[row * 2 + k] - y[row * 2 + k]) * x[row * width + column])
                        .sum::<f64>()
                        + 0.7 * found.weights[k * width + column];
                    assert!(gradient.abs() < 1e-12, "{n} {width}: {gradient}");
                }
            }
        }
    }
}
