//! Low and level ground: the relative minimum between two humps, and the plateau.

use serde::Serialize;

use super::extrema::{LISTED, local_maxima, prominence};
use super::points::{Place, Points};
use super::{Event, EventOptions};
use crate::geometry::Reason;

/// Values within this share of a minimum, or of a window's mean, are level.
const LEVEL: f64 = 0.05;

/// A plateau has at least this many layers.
const SHORTEST: usize = 3;

/// A run of neighbouring layers.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "EventWindow"))]
pub struct Window {
    /// Its first layer.
    pub first: Place,
    /// Its last layer.
    pub last: Place,
    /// Middle between the two, in positions.
    pub centre_position: f64,
    /// The same as relative depth.
    pub centre_relative_depth: f64,
    /// Layers with a value among them.
    pub n_layers: usize,
}

/// The dip after the first prominent maximum.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RelativeMinimum {
    /// The lowest layer between the two maxima, the first on ties.
    #[serde(flatten)]
    pub at: Place,
    /// The maximum before it.
    pub after: Place,
    /// The maximum behind it.
    pub before: Place,
    /// Neighbouring layers between the maxima whose value is within 5 % of the minimum.
    pub plateau: Window,
}

/// The longest run of steady layers.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "EventPlateau"))]
pub struct Plateau {
    /// The run.
    #[serde(flatten)]
    pub window: Window,
    /// Mean of its values.
    pub mean: f64,
    /// max − min of its values.
    pub range: f64,
}

pub(super) fn relative_minimum(
    points: Result<&Points, Reason>,
    options: &EventOptions,
) -> Event<RelativeMinimum> {
    Event::new(
        "lowest layer between the first maximum with prominence / range >= prominence and the next \
         one with >= listed; plateau: neighbours within level of it",
        [
            ("prominence", options.prominence),
            ("listed", LISTED),
            ("level", LEVEL),
        ],
        points.and_then(|points| find_minimum(points, options.prominence)),
    )
}

fn find_minimum(points: &Points, prominent: f64) -> Result<RelativeMinimum, Reason> {
    let mut maxima = local_maxima(points).into_iter();
    let first = maxima.find(|&point| prominence(points, point) >= prominent);
    let second = maxima.find(|&point| prominence(points, point) >= LISTED);
    let (Some(first), Some(second)) = (first, second) else {
        return Err(Reason::NotReached);
    };
    let lowest = points.argmin(first + 1..second).ok_or(Reason::NotReached)?;
    let value = points.y(lowest);
    let level = |&point: &usize| points.y(point) - value <= LEVEL * value.abs();
    let left = (first + 1..lowest).rev().take_while(level).last();
    let right = (lowest + 1..second).take_while(level).last();
    Ok(RelativeMinimum {
        at: points.place(lowest),
        after: points.place(first),
        before: points.place(second),
        plateau: window(points, left.unwrap_or(lowest), right.unwrap_or(lowest)),
    })
}

pub(super) fn plateau(points: Result<&Points, Reason>) -> Event<Plateau> {
    Event::new(
        "longest run of at least `shortest` layers with max - min <= level |mean|, the first on ties",
        [("shortest", SHORTEST as f64), ("level", LEVEL)],
        points.and_then(find_plateau),
    )
}

fn find_plateau(points: &Points) -> Result<Plateau, Reason> {
    let mut longest: Option<(usize, usize, f64, f64)> = None;
    // No mean lies beyond the largest value, rounding included: a run of more range than that
    // allows stays too steep however far it goes.
    let largest = points
        .values()
        .iter()
        .fold(0.0, |most: f64, y| most.max(y.abs()));
    let hopeless = LEVEL * largest * (1.0 + 1e-9);
    for first in 0..points.len() {
        let (mut low, mut high, mut sum) = (f64::INFINITY, f64::NEG_INFINITY, 0.0);
        for last in first..points.len() {
            let y = points.y(last);
            (low, high, sum) = (low.min(y), high.max(y), sum + y);
            if high - low > hopeless {
                break;
            }
            let n = last - first + 1;
            let mean = sum / n as f64;
            let longer = longest.is_none_or(|(first, last, ..)| n > last - first + 1);
            if n >= SHORTEST && longer && high - low <= LEVEL * mean.abs() {
                longest = Some((first, last, mean, high - low));
            }
        }
    }
    let (first, last, mean, range) = longest.ok_or(Reason::NoPlateau)?;
    Ok(Plateau {
        window: window(points, first, last),
        mean,
        range,
    })
}

fn window(points: &Points, first: usize, last: usize) -> Window {
    Window {
        first: points.place(first),
        last: points.place(last),
        centre_position: f64::midpoint(points.x(first), points.x(last)),
        centre_relative_depth: f64::midpoint(points.depth(first), points.depth(last)),
        n_layers: last - first + 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::Series;
    use crate::profile::events::{Events, events};

    fn found(values: &[f64]) -> Events {
        let series = Series::new(values.iter().map(|&value| ("", Some(value))));
        events(&series, &EventOptions::default())
    }

    #[test]
    fn a_dip_has_its_level_neighbours_as_plateau() {
        let dip = found(&[0.0, 20.0, 10.4, 10.0, 10.5, 11.0, 18.0, 0.0]);
        let dip = dip.relative_minimum.into_found().unwrap();
        assert_eq!((dip.at.index, dip.after.index, dip.before.index), (3, 1, 6));
        assert_eq!((dip.plateau.first.index, dip.plateau.last.index), (2, 4));
        assert!((dip.plateau.centre_position - 3.0).abs() < 1e-12);
    }

    #[test]
    fn one_hump_has_no_relative_minimum() {
        let one = found(&[0.0, 20.0, 10.0, 10.1, 5.0]);
        assert_eq!(one.relative_minimum.reason(), Some(Reason::NotReached));
    }

    #[test]
    fn the_plateau_is_the_first_of_the_longest_steady_runs() {
        let steady = found(&[0.0, 0.0, 0.0, 10.0, 10.2, 10.1, 20.0])
            .plateau
            .into_found()
            .unwrap();
        assert_eq!(
            (steady.window.first.index, steady.window.last.index),
            (0, 2)
        );
        let long = found(&[1.0, 10.0, 10.2, 10.1, 10.1, 20.0, 20.0, 20.0]);
        let long = long.plateau.into_found().unwrap();
        assert_eq!((long.window.first.index, long.window.n_layers), (1, 4));
        assert!((long.mean - 10.1).abs() < 1e-12);
        let none = found(&[1.0, 2.0, 3.0, 4.0]);
        assert_eq!(none.plateau.reason(), Some(Reason::NoPlateau));
    }
}
