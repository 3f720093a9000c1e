//! Shapes what reports say of the events of one profile.

use serde::Serialize;

use super::event::Event;
use super::extrema::{Extremum, Maximum, Peak};
use super::hump::{DoubleHunchback, Hunchback};
use super::options::EventOptions;
use super::rise::{Crossing, HighPhase, Onset};
use super::slope::Slope;
use super::step::{HalfMaximum, Threshold, Transition};
use super::valley::{Plateau, RelativeMinimum};
use crate::choice::choice;
use crate::geometry::{Known, known};

/// The events of one profile.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
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

choice! {
    /// An event that has a position.
    pub enum EventName {
        /// The highest value.
        Peak = "peak",
        /// The lowest value.
        Minimum = "minimum",
        /// Where the rise to the peak has come halfway, between layers.
        Onset = "onset",
        /// Where the fall from the peak has come halfway, between layers.
        End = "end",
        /// The dip after the first prominent maximum.
        RelativeMinimum = "relative_minimum",
        /// The middle of the longest run of steady layers.
        Plateau = "plateau",
        /// The first of two humps.
        FirstHump = "double_hunchback_first",
        /// The lowest layer between two humps.
        Valley = "double_hunchback_valley",
        /// The second of two humps.
        SecondHump = "double_hunchback_second",
        /// The middle of the steepest step.
        Transition = "transition",
        /// First layer at half of the highest value.
        HalfMaximum = "half_maximum",
        /// First layer above a threshold.
        Threshold = "threshold",
    }
}

/// What a spread of positions is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum SpreadSource {
    /// Disjoint parts of the rows.
    Partitions,
    /// Redraws of the profile by its standard errors.
    Errors,
}

/// The position of one event over parts of the rows.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PositionSpread {
    /// The event.
    pub event: EventName,
    /// What the parts are.
    pub source: SpreadSource,
    /// Number of parts.
    pub n_parts: usize,
    /// Parts in which the event was found.
    pub n_found: usize,
    /// Where, or why there is no position: the event was found in no part.
    #[serde(flatten)]
    pub outcome: Known<Positions>,
}

known! {
    /// Where an event lies in the parts that have it.
    #[derive(Debug, Clone, Copy, PartialEq)]
    pub struct Positions {
        /// Mean position over these.
        pub mean: f64,
        /// Their standard deviation (ddof 1), which includes what the parts are noisier by.
        pub std_dev: Option<f64>,
        /// Smallest position.
        pub min: f64,
        /// Largest position.
        pub max: f64,
    }
}
