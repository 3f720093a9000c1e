//! A profile made ready: gaps taken out, values smoothed.

use std::ops::Range;

use serde::Serialize;

use super::noise::Verdict;
use super::options::EventOptions;
use crate::geometry::stats;
use crate::input::Series;

/// Below this share of |mean| a profile has a range too small to speak of its shape.
const FLAT: f64 = 0.10;

/// Values this much smaller than the largest are what rounding left of 0, and so are differences.
pub(super) const ROUNDING: f64 = 1e-12;

/// Values on both sides of 0 that all are smaller are rounding, whatever their unit: scores of
/// chance, say.
const NOTHING: f64 = 1e-14;

/// A layer of a profile and the value there.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "EventPlace"))]
pub struct Place {
    /// Name of the layer.
    pub layer: String,
    /// Its index, gaps counted.
    pub index: usize,
    /// Position of the user, or the index.
    pub position: f64,
    /// Depth from 0 to 1: index / (L − 1), or the same of positions of the user.
    pub relative_depth: f64,
    /// The value, smoothed if that was asked for.
    pub value: f64,
}

/// The layers with a value, in order. Every rule counts in these; [`Points::place`] leads back.
pub(super) struct Points<'a> {
    series: &'a Series,
    indices: Vec<usize>,
    values: Vec<f64>,
    /// Standard errors of the values before smoothing, if all are known and above 0.
    errors: Option<Vec<f64>>,
    verdict: Option<Verdict>,
    range: Option<f64>,
}

impl<'a> Points<'a> {
    pub(super) fn new(series: &'a Series, options: &EventOptions) -> Self {
        let known = series.values().iter().copied().enumerate();
        let (indices, values): (Vec<usize>, Vec<f64>) = known
            .skip(usize::from(options.skip_first))
            // + 0.0 turns −0 into 0, so that equal values have equal bits.
            .filter_map(|(index, value)| Some((index, value? + 0.0)))
            .unzip();
        let values = without_rounding(values);
        let errors: Option<Vec<f64>> = indices
            .iter()
            .map(|&index| series.errors().get(index).copied().flatten())
            .map(|error| error.filter(|error| *error > 0.0))
            .collect();
        let errors = errors.filter(|errors| !errors.is_empty());
        let enough = values.len() >= 3;
        let mut points = Self {
            verdict: errors
                .as_ref()
                .filter(|_| enough)
                .map(|errors| Verdict::new(&values, errors)),
            values: smoothed(&values, options.smooth),
            series,
            indices,
            errors,
            range: None,
        };
        // Every maximum asks for it.
        points.range = points.highest_less_lowest();
        points
    }

    fn highest_less_lowest(&self) -> Option<f64> {
        let bottom = self.argmin(0..self.len())?;
        Some(self.y(self.top()?) - self.y(bottom))
    }

    /// What the errors leave of the shape; `None` where they are not known.
    pub(super) fn verdict(&self) -> Option<Verdict> {
        self.verdict
    }

    /// Whether `high` lies above `low` by more than `even` and `factor` standard errors of their
    /// difference; true where errors are not known.
    pub(super) fn stands_above(&self, high: usize, low: usize, even: f64, factor: f64) -> bool {
        self.errors.as_ref().is_none_or(|errors| {
            self.y(high) - self.y(low) - even > factor * libm::hypot(errors[high], errors[low])
        })
    }

    /// Whether errors are known.
    pub(super) fn has_errors(&self) -> bool {
        self.errors.is_some()
    }

    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    pub(super) fn values(&self) -> &[f64] {
        &self.values
    }

    pub(super) fn y(&self, point: usize) -> f64 {
        self.values[point]
    }

    /// Index of the layer in the series.
    pub(super) fn index(&self, point: usize) -> usize {
        self.indices[point]
    }

    pub(super) fn x(&self, point: usize) -> f64 {
        self.series.position(self.indices[point])
    }

    pub(super) fn depth(&self, point: usize) -> f64 {
        self.series.relative_depth(self.indices[point])
    }

    pub(super) fn place(&self, point: usize) -> Place {
        Place {
            layer: self.series.names()[self.index(point)].clone(),
            index: self.index(point),
            position: self.x(point),
            relative_depth: self.depth(point),
            value: self.y(point),
        }
    }

    pub(super) fn is_edge(&self, point: usize) -> bool {
        point == 0 || point + 1 == self.len()
    }

    /// The highest of some points, the first on ties.
    pub(super) fn argmax(&self, points: Range<usize>) -> Option<usize> {
        points.reduce(|best, point| {
            if self.y(point) > self.y(best) {
                point
            } else {
                best
            }
        })
    }

    /// The lowest of some points, the first on ties.
    pub(super) fn argmin(&self, points: Range<usize>) -> Option<usize> {
        points.reduce(|best, point| {
            if self.y(point) < self.y(best) {
                point
            } else {
                best
            }
        })
    }

    /// The highest point of all.
    pub(super) fn top(&self) -> Option<usize> {
        self.argmax(0..self.len())
    }

    /// max − min.
    pub(super) fn range(&self) -> Option<f64> {
        self.range
    }

    /// range / |mean|, if the mean is not 0.
    pub(super) fn relative_range(&self) -> Option<f64> {
        let mean = stats::mean(&self.values)?.abs();
        let relative = self.range()? / mean;
        (mean > 0.0 && relative.is_finite()).then_some(relative)
    }

    /// Whether the values differ too little to have a shape; some values are needed to tell.
    pub(super) fn is_flat(&self) -> bool {
        self.range().is_some_and(|range| range <= 0.0)
            || self.relative_range().is_some_and(|range| range < FLAT)
    }
}

/// Every value of a series as events see it: the centred mean over `smooth` layers that have one; the
/// first layer stays as it is where it is skipped.
pub fn smoothed_series(series: &Series, options: &EventOptions) -> Vec<Option<f64>> {
    let points = Points::new(series, options);
    let mut all = series.values().to_vec();
    for (&index, &value) in points.indices.iter().zip(&points.values) {
        all[index] = Some(value);
    }
    all
}

/// The values, those that rounding left of 0 taken for 0.
fn without_rounding(mut values: Vec<f64>) -> Vec<f64> {
    let most = values.iter().fold(0.0f64, |most, y| most.max(y.abs()));
    let both_sides = values.iter().any(|y| *y <= 0.0) && values.iter().any(|y| *y >= 0.0);
    let least = if both_sides && most < NOTHING {
        most
    } else {
        ROUNDING * most
    };
    for value in values.iter_mut().filter(|value| value.abs() <= least) {
        *value = 0.0;
    }
    values
}

/// The centred mean over `width` values, truncated at the ends.
fn smoothed(values: &[f64], width: usize) -> Vec<f64> {
    let half = width / 2;
    (0..values.len())
        .map(|at| {
            let window = &values[at.saturating_sub(half)..values.len().min(at + half + 1)];
            window.iter().sum::<f64>() / window.len() as f64
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: &[f64], b: &[f64]) -> bool {
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-12)
    }

    #[test]
    fn a_window_is_truncated_at_the_ends() {
        let values = [3.0, 0.0, 6.0, 9.0];
        assert!(close(&smoothed(&values, 3), &[1.5, 3.0, 5.0, 7.5]));
        assert!(close(&smoothed(&values, 9), &[4.5; 4]));
        assert!(close(&smoothed(&values, usize::MAX), &[4.5; 4]));
        assert!(close(&smoothed(&[], 3), &[]));
    }

    #[test]
    fn a_window_spans_layers_with_values_not_gaps() {
        let series = Series::new([
            ("a", Some(3.0)),
            ("b", None),
            ("c", Some(0.0)),
            ("d", Some(6.0)),
        ]);
        let options = EventOptions {
            smooth: 3,
            ..EventOptions::default()
        };
        let points = Points::new(&series, &options);
        assert!(close(points.values(), &[1.5, 3.0, 3.0]));
        assert_eq!(points.place(1).layer, "c");
        assert!((points.place(1).relative_depth - 2.0 / 3.0).abs() < 1e-12);
    }

    #[test]
    fn values_about_zero_are_flat_only_when_they_are_equal() {
        let flat = |values: [f64; 3]| {
            let series = Series::new(values.map(|value| ("", Some(value))));
            Points::new(&series, &EventOptions::default()).is_flat()
        };
        assert!(flat([0.0, -0.0, 0.0]));
        assert!(!flat([-1.0, 0.0, 1.0]));
        assert!(flat([10.0, 10.9, 10.0]));
        assert!(!flat([10.0, 11.1, 10.0]));
        assert!(flat([-10.0, -10.9, -10.0]));
    }
}
