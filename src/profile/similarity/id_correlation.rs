//! Intrinsic-dimension correlation among the measures.

use super::neighbour_values::{NeighbourValues, Searched};
use super::shape::Null;
use crate::error::Result;
use crate::geometry::Reason;
use crate::geometry::id::{Fit, Ratios, two_nn};
use crate::geometry::permutation::{PValue, RowOrders};
use crate::geometry::similarity::{Measure, PairValue, Values};
use crate::geometry::stats::{mean, std_dev};
use crate::input::Matrix;
use crate::neighbours::Metric;
use crate::profile::bench::Bench;
use crate::profile::compare::LayerPair;
use crate::profile::layers::near_duplicate_warning;
use crate::random::SplitMix64;
use crate::warning::Warning;

/// What the two layers' dimensions share
///
/// ```text
/// (d_a + d_b − d_ab) / max(d_a, d_b)
/// ```
///
/// with the TwoNN dimensions of each layer and of both side by side, all columns standardised
/// (arXiv 2406.15812): 1 where one layer is a function of the other of the same dimension, 0 where
/// their dimensions add up. The p-value permutes the rows of the second layer.
pub(super) static ID_CORRELATION: Measure = Measure {
    // Dimensions of parts are those of another scale.
    parts_tell_error: false,
    ..Measure::similarity(
        ["id_correlation", "id-correlation"],
        "Intrinsic-dimension correlation",
        Values::Neighbours,
    )
};

/// The correlation of every pair.
pub(super) fn by_search(
    searched: &Searched<'_>,
    warnings: &mut Vec<Warning>,
) -> Result<NeighbourValues> {
    let comparison = searched.comparison;
    let options = searched.options;
    let pairs = comparison.pairs(&options.target)?;
    let n = comparison.n_rows();
    // Standardised columns are compared as they are, whatever distance other measures take.
    let bench = Bench {
        metric: Metric::Euclidean,
        ..*searched.bench
    };
    let right = usize::from(comparison.is_between_two());
    let mut alone: Vec<((usize, usize), Standard, Dimension)> = Vec::new();
    for end in pairs.iter().flat_map(|pair| [(0, pair.a), (right, pair.b)]) {
        if alone.iter().all(|(known, ..)| *known != end) {
            let matrix = match end.0 {
                0 => comparison.read_left(end.1)?,
                _ => comparison.read_right(end.1)?,
            };
            let sides = [comparison.left(), comparison.right()];
            let name = &sides[end.0][end.1].layer;
            let layer = Standard::of(&matrix);
            let mut noticed = Vec::new();
            let dimension = layer.dimension(&bench, &mut noticed, true)?;
            warnings.extend(noticed.into_iter().map(|found| found.of(name)));
            alone.push((end, layer, dimension));
        }
    }
    let of = |end: (usize, usize)| {
        let mut known = alone.iter();
        known
            .find(|(other, ..)| *other == end)
            .map(|(_, layer, d)| (layer, *d))
    };
    let mut random = SplitMix64::new(options.seed);
    let orders = RowOrders::new(n, options.permutations, &mut random);
    let mut found = Vec::new();
    let mut nulls = Vec::new();
    for LayerPair { a, b } in pairs {
        let (Some((first, d_a)), Some((second, d_b))) = (of((0, a)), of((right, b))) else {
            continue;
        };
        let mut value = |order: Option<&[u32]>| -> Result<std::result::Result<f64, Reason>> {
            let (d_a, d_b) = match (d_a, d_b) {
                (Ok(d_a), Ok(d_b)) => (d_a, d_b),
                (Err(reason), _) | (_, Err(reason)) => return Ok(Err(reason)),
            };
            let joined = first.beside(second, order);
            let joined = joined.dimension(&bench.without_cache(), warnings, false)?;
            Ok(joined.map(|d_ab| (d_a + d_b - d_ab) / d_a.max(d_b)))
        };
        let outcome = value(None)?;
        let mut permuted = Vec::new();
        if outcome.is_ok() {
            for order in &orders.rows {
                permuted.extend(value(Some(order))?);
            }
        }
        nulls.push(outcome.ok().and_then(|value| {
            Some(Null {
                mean: mean(&permuted)?,
                std_dev: std_dev(&permuted),
                p: PValue::of(value, &permuted, false, orders.is_all)?,
            })
        }));
        found.push(PairValue::new(outcome, n, Vec::new()));
    }
    Ok(NeighbourValues {
        measure: &ID_CORRELATION,
        part_means: vec![None; found.len()],
        found,
        nulls,
        part_n: searched.part_n(),
    })
}

/// A dimension, or why there is none.
type Dimension = std::result::Result<f64, Reason>;

/// Rows whose columns have mean 0 and variance 1; constant columns are left out.
struct Standard {
    n: usize,
    columns: usize,
    values: Vec<f64>,
}

impl Standard {
    fn of(matrix: &Matrix) -> Self {
        let (n, width) = (matrix.n_rows(), matrix.n_columns());
        let mut rows = vec![0.0; n * width];
        for (row, out) in rows.chunks_exact_mut(width.max(1)).enumerate() {
            matrix.widen_row(row, out);
        }
        let scales: Vec<(usize, f64, f64)> = (0..width)
            .filter_map(|column| {
                let values: Vec<f64> = rows.iter().skip(column).step_by(width).copied().collect();
                let spread = std_dev(&values).filter(|spread| *spread > 0.0)?;
                Some((column, mean(&values)?, spread))
            })
            .collect();
        let row = |row: &[f64]| -> Vec<f64> {
            let scales = scales.iter();
            scales
                .map(|&(column, mean, spread)| (row[column] - mean) / spread)
                .collect()
        };
        Self {
            n,
            columns: scales.len(),
            values: rows.chunks_exact(width.max(1)).flat_map(row).collect(),
        }
    }

    /// The rows of this layer, each before the row of `other` that `order` puts beside it.
    fn beside(&self, other: &Self, order: Option<&[u32]>) -> Self {
        let columns = self.columns + other.columns;
        let mut values = Vec::with_capacity(self.n * columns);
        for row in 0..self.n {
            let second = order.map_or(row, |order| order[row] as usize);
            values.extend_from_slice(&self.values[row * self.columns..][..self.columns]);
            values.extend_from_slice(&other.values[second * other.columns..][..other.columns]);
        }
        Self {
            n: self.n,
            columns,
            values,
        }
    }

    /// Its TwoNN dimension; `alone` says that it is one layer, whose almost equal rows are told.
    fn dimension(
        &self,
        bench: &Bench<'_>,
        warnings: &mut Vec<Warning>,
        alone: bool,
    ) -> Result<Dimension> {
        if self.columns == 0 {
            return Ok(Err(Reason::ConstantLayer));
        }
        if self.n < 3 {
            return Ok(Err(Reason::TooFewRows));
        }
        let matrix = Matrix::from_f64(self.n, self.columns, self.values.clone());
        let table = bench.neighbours(&matrix, "joined layers", 2, warnings)?;
        let distances = |order| table.distances_of_order(order).to_vec();
        let [first, second] = [distances(1), distances(2)];
        warnings.extend(near_duplicate_warning(&first, &second).filter(|_| alone));
        let ratios = Ratios::new(&first, &second);
        Ok(two_nn(&ratios, Fit::default()).map(|estimate| estimate.id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dimension(standard: &Standard) -> f64 {
        standard
            .dimension(&Bench::default(), &mut Vec::new(), true)
            .unwrap()
            .unwrap()
    }

    /// The angle on a cylinder, and the whole cylinder.
    fn cylinder(n: usize) -> [Standard; 2] {
        let mut random = SplitMix64::new(3);
        let points: Vec<(f64, f64)> = (0..n)
            .map(|_| {
                (
                    std::f64::consts::TAU * random.uniform(),
                    6.0 * random.uniform(),
                )
            })
            .collect();
        let circle = points
            .iter()
            .flat_map(|(angle, _)| [angle.cos(), angle.sin()]);
        let whole = points
            .iter()
            .flat_map(|(angle, z)| [angle.cos(), angle.sin(), *z]);
        let matrix =
            |columns, values: Vec<f64>| Standard::of(&Matrix::from_f64(n, columns, values));
        [matrix(2, circle.collect()), matrix(3, whole.collect())]
    }

    #[test]
    fn a_circle_shares_half_of_its_cylinder() {
        let [circle, whole] = cylinder(4000);
        let (a, b) = (dimension(&circle), dimension(&whole));
        let joined = dimension(&circle.beside(&whole, None));
        let found = (a + b - joined) / a.max(b);
        assert!((found - 0.5).abs() < 0.05, "{found} of {a} {b} {joined}");
        let own = dimension(&whole.beside(&whole, None));
        assert!(((b + b - own) / b - 1.0).abs() < 1e-9);
    }

    #[test]
    fn columns_are_standardised_and_constant_ones_left_out() {
        let matrix = Matrix::from_f64(3, 2, vec![1.0, 7.0, 2.0, 7.0, 3.0, 7.0]);
        let standard = Standard::of(&matrix);
        assert_eq!(
            (standard.columns, standard.values),
            (1, vec![-1.0, 0.0, 1.0])
        );
    }
}
