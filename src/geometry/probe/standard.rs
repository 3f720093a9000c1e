//! Columns of training rows brought to mean 0 and variance 1.

use crate::geometry::stats;

/// How columns are standardised, as the training rows say: less their mean, over their standard
/// deviation (ddof 0). Columns that are constant there are left out.
#[derive(Debug, Clone, PartialEq)]
pub struct Standardised {
    /// The columns that are kept.
    columns: Vec<usize>,
    means: Vec<f64>,
    scales: Vec<f64>,
}

impl Standardised {
    /// As the `rows` of a row-major array of `width` columns say.
    pub fn of(values: &[f64], width: usize, rows: &[usize]) -> Self {
        let mut found = Self {
            columns: Vec::new(),
            means: Vec::new(),
            scales: Vec::new(),
        };
        for column in 0..width {
            let values: Vec<f64> = rows
                .iter()
                .map(|&row| values[row * width + column])
                .collect();
            let Some(mean) = stats::mean(&values) else {
                continue;
            };
            let squares: Vec<f64> = values.iter().map(|x| (x - mean) * (x - mean)).collect();
            let spread = (stats::sum(&squares) / values.len() as f64).sqrt();
            // The rounding of the mean itself is no spread.
            if spread > 1e-14 * mean.abs() {
                found.columns.push(column);
                found.means.push(mean);
                found.scales.push(spread);
            }
        }
        found
    }

    /// How many columns are kept.
    pub fn width(&self) -> usize {
        self.columns.len()
    }

    /// Some rows of the array, standardised.
    pub fn rows(&self, values: &[f64], width: usize, rows: &[usize]) -> Vec<f64> {
        let mut out = Vec::with_capacity(rows.len() * self.width());
        for &row in rows {
            let row = &values[row * width..][..width];
            let columns = self.columns.iter().zip(&self.means).zip(&self.scales);
            out.extend(columns.map(|((&column, mean), scale)| (row[column] - mean) / scale));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_training_rows_alone_say_how() {
        let values = [1.0, 5.0, 9.0, 3.0, 5.0, 8.0, 11.0, 5.0, 0.0];
        let found = Standardised::of(&values, 3, &[0, 1]);
        assert_eq!(found.width(), 2);
        assert_eq!(found.rows(&values, 3, &[0, 1]), [-1.0, 1.0, 1.0, -1.0]);
        assert_eq!(found.rows(&values, 3, &[2]), [9.0, -17.0]);
    }
}
