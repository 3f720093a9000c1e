//! Events on a profile: where a quantity over layers peaks, rises, falls, dips and turns.
//!
//! Papers read all of this by eye. Here every event has a rule, and the result carries the rule in
//! words, its parameters, and either what was found or the reason why nothing was: an event is
//! never made up. Gaps are skipped and keep their place.

mod dimension;
mod extrema;
mod hump;
mod options;
mod phases;
mod points;
mod rise;
mod slope;
mod spread;
mod step;
mod valley;

use std::collections::BTreeMap;

use serde::Serialize;

pub use extrema::{Extremum, Maximum, Peak};
pub use hump::{DoubleHunchback, Hunchback};
pub use options::EventOptions;
pub use phases::{Agreement, Direction, Lead, PairImbalance, Run, agreement, directions, lead};
pub use points::Place;
pub use rise::{Crossing, HighPhase, LargestStep, Onset};
pub use slope::Slope;
pub use spread::PositionSpread;
pub use step::{HalfMaximum, Threshold, Transition};
pub use valley::{Plateau, RelativeMinimum, Window};

use crate::geometry::Reason;
use crate::input::Series;
use points::Points;

/// Below this share of |mean| a profile has a range too small to speak of its shape.
const FLAT: f64 = 0.10;

/// Fewer values than this have no shape.
const FEWEST: usize = 3;

/// The events of one profile.
#[derive(Debug, Clone, Serialize)]
pub struct Events {
    /// What was asked for, defaults included.
    pub parameters: EventOptions,
    /// Layers of the profile, gaps included.
    pub n_layers: usize,
    /// Layers with a value, after `skip_first`.
    pub n: usize,
    /// max − min of the smoothed values; `None` without values.
    pub range: Option<f64>,
    /// range / |mean|; `None` where the mean is 0.
    pub relative_range: Option<f64>,
    /// Whether `relative_range` is below 0.10, so that there are no events.
    pub flat: bool,
    /// The highest value.
    pub peak: Event<Peak>,
    /// The lowest value; over checkpoints the split between two phases.
    pub minimum: Event<Extremum>,
    /// Every local maximum that stands out.
    pub maxima: Event<Vec<Maximum>>,
    /// Where the rise to the peak has come halfway.
    pub onset: Event<Onset>,
    /// Where the fall from the peak has come halfway.
    pub end: Event<Crossing>,
    /// The layers from onset to end.
    pub high_phase: Event<HighPhase>,
    /// The dip after the first prominent maximum.
    pub relative_minimum: Event<RelativeMinimum>,
    /// The longest run of steady layers.
    pub plateau: Event<Plateau>,
    /// One hump.
    pub hunchback: Event<Hunchback>,
    /// Two humps.
    pub double_hunchback: Event<DoubleHunchback>,
    /// The steepest step.
    pub transition: Event<Transition>,
    /// First layer at half of the highest value: of an ARI with classes, the nucleation layer.
    pub half_maximum: Event<HalfMaximum>,
    /// First layer above a threshold; absent unless one was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold: Option<Event<Threshold>>,
    /// Trend from the bottleneck on; absent unless a bottleneck was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slope: Option<Event<Slope>>,
    /// Positions of the events in parts of the rows; empty without parts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub spread: Vec<PositionSpread>,
}

/// One event: its rule, and what was found or why nothing was.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Event<F> {
    /// The rule, in words.
    pub rule: &'static str,
    /// The numbers of the rule.
    pub parameters: BTreeMap<&'static str, f64>,
    /// What was found.
    pub found: Option<F>,
    /// Why nothing was.
    pub reason: Option<Reason>,
}

impl<F> Event<F> {
    fn new<const N: usize>(
        rule: &'static str,
        parameters: [(&'static str, f64); N],
        outcome: Result<F, Reason>,
    ) -> Self {
        Self {
            rule,
            parameters: parameters.into(),
            reason: outcome.as_ref().err().copied(),
            found: outcome.ok(),
        }
    }

    fn outcome(&self) -> Result<&F, Reason> {
        self.found
            .as_ref()
            .ok_or(self.reason.unwrap_or(Reason::NotReached))
    }
}

/// The events of `series`.
///
/// All are null with `too_few_rows` below three values, and with `not_reached` where the profile
/// is flat: range/|mean| < 0.10.
///
/// But for `half_maximum`, `threshold`, `plateau` and the two hunchbacks, which use ratios, and for
/// the rule about flat profiles, events do not change under y → a·y + b with a > 0.
pub fn events(series: &Series, options: &EventOptions) -> Events {
    let points = Points::new(series, options);
    // Fewer values are no profile, so not a flat one either.
    let flat = points.len() >= FEWEST && points.is_flat();
    let usable = if points.len() < FEWEST {
        Err(Reason::TooFewRows)
    } else if flat {
        Err(Reason::NotReached)
    } else {
        Ok(&points)
    };
    let (onset, end) = (rise::onset(usable, options), rise::end(usable));
    Events {
        n_layers: series.len(),
        n: points.len(),
        range: points.range(),
        relative_range: points.relative_range(),
        flat,
        peak: extrema::peak(usable),
        minimum: extrema::minimum(usable),
        maxima: extrema::maxima(usable, options),
        high_phase: rise::high_phase(&points, &onset, &end),
        onset,
        end,
        relative_minimum: valley::relative_minimum(usable, options),
        plateau: valley::plateau(usable),
        hunchback: hump::hunchback(usable, options),
        double_hunchback: hump::double_hunchback(usable, options),
        transition: step::transition(usable),
        half_maximum: step::half_maximum(usable),
        threshold: options
            .threshold
            .map(|threshold| step::threshold(usable, threshold)),
        slope: options
            .bottleneck
            .map(|bottleneck| slope::slope(usable, bottleneck)),
        spread: Vec::new(),
        parameters: options.clone(),
    }
}

/// The events of the profile `mean`, with the spread of their positions over the same profile in
/// `parts` of the rows.
pub fn events_with_parts(mean: &Series, parts: &[Series], options: &EventOptions) -> Events {
    let parts: Vec<Events> = parts.iter().map(|part| events(part, options)).collect();
    Events {
        spread: spread::spread(&parts),
        ..events(mean, options)
    }
}
