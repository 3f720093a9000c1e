//! The rise to the peak and the fall from it: onset, end, and the phase between them.

use serde::Serialize;

use super::points::{Place, Points};
use super::{Event, EventOptions};
use crate::geometry::Reason;

/// A rise or fall below this share of the range is none.
const MIN_RISE: f64 = 0.15;

/// Share of the fall above its foot at which the end is read.
const END_FRACTION: f64 = 0.5;

/// A layer on the other side of a level than the one before it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "EventCrossing"))]
pub struct Crossing {
    /// The layer.
    #[serde(flatten)]
    pub at: Place,
    /// The level.
    pub threshold: f64,
    /// Where the straight line from the layer before crosses the level, in positions.
    pub crossing_position: f64,
    /// The same as relative depth.
    pub crossing_relative_depth: f64,
    /// The foot of the rise or fall.
    pub lowest: Place,
}

/// Where the rise to the peak has come a given part of its way.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "EventOnset"))]
pub struct Onset {
    /// The crossing of the threshold.
    #[serde(flatten)]
    pub crossing: Crossing,
    /// Another reading of the onset: where the profile rises most from one layer to the next.
    pub largest_step: LargestStep,
}

/// The largest forward step before the peak.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LargestStep {
    /// The layer that the step leads to.
    #[serde(flatten)]
    pub to: Place,
    /// How much the value grows.
    pub step: f64,
}

/// The layers from onset to end, the end left out.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct HighPhase {
    /// The onset.
    pub first: Place,
    /// The last layer before the end.
    pub last: Place,
    /// Layers with a value among them.
    pub n_layers: usize,
}

pub(super) fn onset(points: Result<&Points, Reason>, options: &EventOptions) -> Event<Onset> {
    Event::new(
        "first layer from the lowest before the peak with y >= y_low + fraction (y_peak - y_low); \
         none if the rise < min_rise range",
        [("fraction", options.onset_fraction), ("min_rise", MIN_RISE)],
        points.and_then(|points| find_onset(points, options.onset_fraction)),
    )
}

fn find_onset(points: &Points, fraction: f64) -> Result<Onset, Reason> {
    let (peak, low) = ends(points, |peak| 0..peak + 1)?;
    let threshold = level(points, peak, low, fraction);
    let crosses = |&point: &usize| points.y(point) >= threshold;
    let first = (low..=peak).find(crosses).ok_or(Reason::NotReached)?;
    let step = |point: usize| points.y(point) - points.y(point - 1);
    let steepest = (1..=peak)
        .reduce(|best, point| {
            if step(point) > step(best) {
                point
            } else {
                best
            }
        })
        .ok_or(Reason::NotReached)?;
    Ok(Onset {
        crossing: crossing(points, first, threshold, low),
        largest_step: LargestStep {
            to: points.place(steepest),
            step: step(steepest),
        },
    })
}

pub(super) fn end(points: Result<&Points, Reason>) -> Event<Crossing> {
    Event::new(
        "first layer after the peak with y < y_low + fraction (y_peak - y_low), y_low the lowest \
         after the peak; none if the fall < min_rise range",
        [("fraction", END_FRACTION), ("min_rise", MIN_RISE)],
        points.and_then(find_end),
    )
}

fn find_end(points: &Points) -> Result<Crossing, Reason> {
    let (peak, low) = ends(points, |peak| peak..points.len())?;
    let threshold = level(points, peak, low, END_FRACTION);
    let falls = |&point: &usize| points.y(point) < threshold;
    let first = (peak..points.len()).find(falls).ok_or(Reason::NotReached)?;
    Ok(crossing(points, first, threshold, low))
}

/// The peak and the lowest point on one `side` of it, if they are far enough apart.
fn ends(
    points: &Points,
    side: impl Fn(usize) -> std::ops::Range<usize>,
) -> Result<(usize, usize), Reason> {
    let peak = points.top().ok_or(Reason::TooFewLayers)?;
    let low = points.argmin(side(peak)).ok_or(Reason::NotReached)?;
    let height = points.y(peak) - points.y(low);
    let needed = points.range().map_or(0.0, |range| MIN_RISE * range);
    if height > 0.0 && height >= needed {
        Ok((peak, low))
    } else {
        Err(Reason::NotReached)
    }
}

fn level(points: &Points, peak: usize, low: usize, fraction: f64) -> f64 {
    let (top, foot) = (points.y(peak), points.y(low));
    // Rounding must not lift the level above the peak.
    (foot + fraction * (top - foot)).min(top)
}

fn crossing(points: &Points, first: usize, threshold: f64, low: usize) -> Crossing {
    let before = first.saturating_sub(1);
    let step = points.y(first) - points.y(before);
    let share = if step.abs() > 0.0 {
        (threshold - points.y(before)) / step
    } else {
        1.0
    };
    let between = |a: f64, b: f64| a + share * (b - a);
    Crossing {
        at: points.place(first),
        threshold,
        crossing_position: between(points.x(before), points.x(first)),
        crossing_relative_depth: between(points.depth(before), points.depth(first)),
        lowest: points.place(low),
    }
}

pub(super) fn high_phase(
    points: &Points,
    onset: &Event<Onset>,
    end: &Event<Crossing>,
) -> Event<HighPhase> {
    let span = || {
        let (onset, end) = (&onset.outcome()?.crossing.at, &end.outcome()?.at);
        let inside = |&point: &usize| (onset.index..end.index).contains(&points.index(point));
        let n_layers = (0..points.len()).filter(inside).count();
        let last = (0..points.len()).rev().find(inside);
        Ok(HighPhase {
            first: onset.clone(),
            last: points.place(last.ok_or(Reason::NotReached)?),
            n_layers,
        })
    };
    Event::new("layers from the onset to before the end", [], span())
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
    fn onset_and_end_lie_halfway_up_and_down() {
        let events = found(&[0.0, 2.0, 6.0, 10.0, 7.0, 4.0]);
        let onset = &events.onset.into_found().unwrap().crossing;
        assert_eq!(onset.at.index, 2);
        assert!((onset.crossing_position - 1.75).abs() < 1e-12);
        let end = events.end.into_found().unwrap();
        assert_eq!(end.at.index, 5);
        assert!((end.threshold - 7.0).abs() < 1e-12);
        let phase = events.high_phase.into_found().unwrap();
        assert_eq!(
            (phase.first.index, phase.last.index, phase.n_layers),
            (2, 4, 3)
        );
    }

    #[test]
    fn a_peak_at_the_edge_has_no_rise_and_a_small_fall_is_none() {
        let falling = found(&[10.0, 5.0, 0.0]);
        assert_eq!(falling.onset.reason(), Some(Reason::NotReached));
        assert!(falling.end.found().is_some());
        assert_eq!(falling.high_phase.reason(), Some(Reason::NotReached));
        let rising = found(&[0.0, 5.0, 10.0, 9.0]);
        assert!(rising.onset.found().is_some());
        assert_eq!(rising.end.reason(), Some(Reason::NotReached));
    }

    #[test]
    fn the_onset_starts_from_the_first_of_equal_lows() {
        let events = found(&[0.0, 1.0, 0.0, 2.0, 0.0]);
        assert_eq!(events.onset.into_found().unwrap().crossing.at.index, 1);
    }
}
