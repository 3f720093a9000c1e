//! Sudden change: the steepest step, half of the maximum, a threshold of the user.

use serde::Serialize;

use super::Event;
use super::noise::largest_step;
use super::points::{Place, Points, ROUNDING};
use crate::geometry::Reason;

/// The steepest step between neighbouring layers.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "EventTransition"))]
pub struct Transition {
    /// The layer before the step.
    pub from: Place,
    /// The layer behind it.
    pub to: Place,
    /// y_to − y_from.
    pub step: f64,
    /// Whether errors alone make a step as large, of an even change from the first layer to the last,
    /// in 1 % of profiles or more; `None` where they are not known.
    pub within_errors: Option<bool>,
    /// The step per unit of relative depth.
    pub rate: f64,
    /// Middle of the step, in positions.
    pub position: f64,
    /// Middle of the step, as relative depth.
    pub relative_depth: f64,
}

/// The first layer at half of the largest value.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct HalfMaximum {
    /// The layer.
    #[serde(flatten)]
    pub at: Place,
    /// Half of the largest value.
    pub threshold: f64,
    /// `rate` of the transition: how sharply the profile changes where it changes most.
    pub sharpness: f64,
}

/// The first layer above a threshold.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "EventThreshold"))]
pub struct Threshold {
    /// The layer.
    #[serde(flatten)]
    pub at: Place,
    /// The threshold.
    pub threshold: f64,
}

pub(super) fn transition(points: Result<&Points, Reason>) -> Event<Transition> {
    Event::new(
        "neighbouring layers with the largest |step| per unit of relative depth, the first on ties",
        [],
        points.and_then(steepest),
    )
}

fn steepest(points: &Points) -> Result<Transition, Reason> {
    let step = |to: usize| points.y(to) - points.y(to - 1);
    let rate = |to: usize| step(to) / (points.depth(to) - points.depth(to - 1));
    let to = (1..points.len())
        .reduce(|best, to| {
            if rate(to).abs() > rate(best).abs() {
                to
            } else {
                best
            }
        })
        .ok_or(Reason::TooFewLayers)?;
    let from = to - 1;
    let most = points
        .values()
        .iter()
        .fold(0.0f64, |most, y| most.max(y.abs()));
    // What rounding made of equal values is no step.
    if step(to).abs() <= ROUNDING * most {
        return Err(Reason::NotReached);
    }
    Ok(Transition {
        from: points.place(from),
        to: points.place(to),
        step: step(to),
        within_errors: points.has_errors().then(|| {
            let (low, high) = if step(to) < 0.0 {
                (to, from)
            } else {
                (from, to)
            };
            let last = points.len() - 1;
            let even = (points.y(last) - points.y(0)) / (points.depth(last) - points.depth(0))
                * (points.depth(to) - points.depth(from));
            let even = if even * step(to) > 0.0 {
                even.abs()
            } else {
                0.0
            };
            !points.stands_above(high, low, even, largest_step(points.len()))
        }),
        rate: rate(to),
        position: f64::midpoint(points.x(from), points.x(to)),
        relative_depth: f64::midpoint(points.depth(from), points.depth(to)),
    })
}

pub(super) fn half_maximum(points: Result<&Points, Reason>) -> Event<HalfMaximum> {
    let find = |points: &Points| {
        let top = points.top().ok_or(Reason::TooFewLayers)?;
        let threshold = 0.5 * points.y(top);
        if threshold <= 0.0 {
            return Err(Reason::NotReached);
        }
        let reaches = |&point: &usize| points.y(point) >= threshold;
        let first = (0..points.len()).find(reaches).ok_or(Reason::NotReached)?;
        Ok(HalfMaximum {
            at: points.place(first),
            threshold,
            sharpness: steepest(points)?.rate,
        })
    };
    Event::new(
        "first layer with y >= fraction max y; sharpness = rate of the transition",
        [("fraction", 0.5)],
        points.and_then(find),
    )
}

pub(super) fn threshold(points: Result<&Points, Reason>, threshold: f64) -> Event<Threshold> {
    let find = |points: &Points| {
        let above = |&point: &usize| points.y(point) > threshold;
        let first = (0..points.len()).find(above).ok_or(Reason::NotReached)?;
        Ok(Threshold {
            at: points.place(first),
            threshold,
        })
    };
    Event::new(
        "first layer with y > threshold",
        [("threshold", threshold)],
        points.and_then(find),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::Series;
    use crate::profile::events::{EventOptions, Events, events};

    fn found(values: &[f64]) -> Events {
        let series = Series::new(values.iter().map(|&value| ("", Some(value))));
        let options = EventOptions {
            threshold: Some(5.0),
            ..EventOptions::default()
        };
        events(&series, &options)
    }

    #[test]
    fn a_threshold_must_be_exceeded_half_the_maximum_only_reached() {
        let events = found(&[0.0, 5.0, 6.0, 10.0]);
        assert_eq!(events.half_maximum.into_found().unwrap().at.index, 1);
        assert_eq!(events.threshold.unwrap().into_found().unwrap().at.index, 2);
        let low = found(&[0.0, 5.0, 4.0]);
        assert_eq!(low.threshold.unwrap().reason(), Some(Reason::NotReached));
    }

    #[test]
    fn rounding_is_no_step_and_no_value() {
        for values in [
            vec![0.0, 1e-17, -3e-17, 0.0],
            vec![5.0, 5.0 + 1e-15, 5.0, 5.0 - 1e-15],
            vec![2.0, 2.0, 2.0],
        ] {
            let events = found(&values);
            assert_eq!(
                events.transition.reason(),
                Some(Reason::NotReached),
                "{values:?}"
            );
            assert!(events.flat, "{values:?}");
        }
        let series = Series::new([1e-17, 0.0, 0.4, 0.5].map(|value| ("", Some(value))));
        let options = EventOptions {
            threshold: Some(0.0),
            ..EventOptions::default()
        };
        let above = events(&series, &options).threshold.unwrap();
        assert_eq!(above.into_found().unwrap().at.index, 2);
        // A small unit is no rounding.
        let small = found(&[1e-18, 2e-18, 5e-18, 6e-18]);
        assert!((small.transition.into_found().unwrap().step - 3e-18).abs() < 1e-30);
    }

    #[test]
    fn a_profile_below_zero_has_no_half_maximum() {
        let events = found(&[-5.0, -1.0, -3.0]);
        assert_eq!(events.half_maximum.reason(), Some(Reason::NotReached));
    }

    #[test]
    fn steps_across_a_gap_are_judged_by_their_rate() {
        let values = [Some(0.0), Some(3.0), None, None, Some(8.0)];
        let series = Series::new(values.map(|value| ("", value)));
        let transition = events(&series, &EventOptions::default()).transition;
        let transition = transition.into_found().unwrap();
        assert_eq!((transition.from.index, transition.to.index), (0, 1));
        assert!((transition.rate - 12.0).abs() < 1e-12);
    }
}
