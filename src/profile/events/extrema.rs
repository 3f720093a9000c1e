//! Peak, minimum, and local maxima with their prominence.

use serde::Serialize;

use super::points::{Place, Points};
use super::{Event, EventOptions};
use crate::geometry::Reason;

/// A maximum below this relative prominence is a ripple.
pub(super) const LISTED: f64 = 0.05;

/// The highest value of a profile.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "EventPeak"))]
pub struct Peak {
    /// Where it is.
    #[serde(flatten)]
    pub at: Place,
    /// Whether it is the first or last layer with a value.
    pub at_edge: bool,
    /// Its height above the higher of the two lowest values on either side, as a share of the
    /// range; at an edge there is one side.
    pub prominence: f64,
}

/// The lowest value of a profile.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "EventExtremum"))]
pub struct Extremum {
    /// Where it is.
    #[serde(flatten)]
    pub at: Place,
    /// Whether it is the first or last layer with a value.
    pub at_edge: bool,
}

/// A local maximum.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "EventMaximum"))]
pub struct Maximum {
    /// Where it is; of a run of equal values the middle, the lower of two.
    #[serde(flatten)]
    pub at: Place,
    /// Relative prominence.
    pub prominence: f64,
    /// Whether that reaches the prominence asked for.
    pub prominent: bool,
}

pub(super) fn peak(points: Result<&Points, Reason>) -> Event<Peak> {
    let find = |points: &Points| {
        let top = points.top().ok_or(Reason::TooFewLayers)?;
        Ok(Peak {
            at: points.place(top),
            at_edge: points.is_edge(top),
            prominence: prominence(points, top),
        })
    };
    Event::new(
        "largest value, the first on ties",
        [],
        points.and_then(find),
    )
}

pub(super) fn minimum(points: Result<&Points, Reason>) -> Event<Extremum> {
    let find = |points: &Points| {
        let bottom = points.argmin(0..points.len()).ok_or(Reason::TooFewLayers)?;
        Ok(Extremum {
            at: points.place(bottom),
            at_edge: points.is_edge(bottom),
        })
    };
    Event::new(
        "smallest value, the first on ties",
        [],
        points.and_then(find),
    )
}

pub(super) fn maxima(
    points: Result<&Points, Reason>,
    options: &EventOptions,
) -> Event<Vec<Maximum>> {
    let find = |points: &Points| {
        let maxima: Vec<Maximum> = local_maxima(points)
            .into_iter()
            .map(|point| (point, prominence(points, point)))
            .filter(|&(_, prominence)| prominence >= LISTED)
            .map(|(point, prominence)| Maximum {
                at: points.place(point),
                prominence,
                prominent: prominence >= options.prominence,
            })
            .collect();
        if maxima.is_empty() {
            return Err(Reason::NotReached);
        }
        Ok(maxima)
    };
    Event::new(
        "interior layers above both neighbours, with prominence / range >= listed",
        [("listed", LISTED), ("prominent", options.prominence)],
        points.and_then(find),
    )
}

/// Interior points above both neighbours; a run of equal values counts once, at its middle.
pub(super) fn local_maxima(points: &Points) -> Vec<usize> {
    let values = points.values();
    let mut maxima = Vec::new();
    let mut first = 0;
    for run in values.chunk_by(|a, b| a.total_cmp(b).is_eq()) {
        let end = first + run.len();
        let above_left = first > 0 && values[first - 1] < run[0];
        let above_right = end < values.len() && values[end] < run[0];
        if above_left && above_right {
            maxima.push((first + end - 1) / 2);
        }
        first = end;
    }
    maxima
}

/// Height of a point above the higher of two lows, each the lowest value on the way to a higher
/// point or to the edge; as a share of the range. A side without any point does not count.
pub(super) fn prominence(points: &Points, point: usize) -> f64 {
    let values = points.values();
    let y = values[point];
    let low = |side: &mut dyn Iterator<Item = &f64>| {
        side.take_while(|&&value| value <= y)
            .copied()
            .reduce(f64::min)
    };
    let left = low(&mut values[..point].iter().rev());
    let right = low(&mut values[point + 1..].iter());
    let base = left.into_iter().chain(right).reduce(f64::max).unwrap_or(y);
    match points.range() {
        Some(range) if range > 0.0 => (y - base) / range,
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::Series;

    fn with_points<T>(values: &[f64], look: impl Fn(&Points) -> T) -> T {
        let series = Series::new(values.iter().map(|&value| ("", Some(value))));
        look(&Points::new(&series, &EventOptions::default()))
    }

    #[test]
    fn a_run_of_equal_values_is_one_maximum_at_its_lower_middle() {
        for (values, maxima) in [
            (vec![0.0, 2.0, 2.0, 0.0], vec![1]),
            (vec![0.0, 2.0, 2.0, 2.0, 0.0], vec![2]),
            (vec![2.0, 2.0, 0.0], vec![]),
            (vec![0.0, 1.0, 1.0, 2.0, 1.0], vec![3]),
            (vec![0.0, -0.0, 0.0], vec![]),
            (vec![1.0, 2.0, 3.0], vec![]),
            (vec![0.0, 1.0, 0.0, 1.0, 0.0], vec![1, 3]),
        ] {
            assert_eq!(with_points(&values, local_maxima), maxima, "{values:?}");
        }
    }

    #[test]
    fn prominence_is_the_height_above_the_higher_of_the_two_ways_down() {
        let values = [0.0, 6.0, 3.0, 4.0, 1.0, 10.0, 2.0];
        for (point, expected) in [(1, 5.0), (3, 1.0), (5, 8.0)] {
            let found = with_points(&values, |points| prominence(points, point));
            assert!((found - expected / 10.0).abs() < 1e-12, "{point}: {found}");
        }
    }

    #[test]
    fn twins_of_equal_height_both_stand_on_the_deepest_ground() {
        let values = [0.0, 4.0, 3.0, 4.0, 1.0];
        for point in [1, 3] {
            let found = with_points(&values, |points| prominence(points, point));
            assert!((found - 0.75).abs() < 1e-12);
        }
    }

    #[test]
    fn a_peak_at_the_edge_has_one_side() {
        let found = with_points(&[4.0, 2.0, 0.0], |points| prominence(points, 0));
        assert!((found - 1.0).abs() < 1e-12);
    }
}
