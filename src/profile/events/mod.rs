//! Events on a profile: where a quantity over layers peaks, rises, falls, dips and turns.
//!
//! Papers read all of this by eye. Here every event has a rule, and the result carries the rule in
//! words, its parameters, and either what was found or the reason why nothing was: an event is
//! never made up. Gaps are skipped and keep their place.

mod event;
mod extrema;
mod hump;
mod noise;
mod options;
mod phases;
mod placed;
mod points;
mod report;
mod rise;
mod run;
mod shape;
mod slope;
mod spread;
mod step;
mod valley;

pub use event::{Event, Found};
pub use extrema::{Extremum, Maximum, Peak};
pub use hump::{DoubleHunchback, Hunchback};
pub use options::EventOptions;
pub use phases::{
    Agreement, Direction, Lead, PairImbalance, Run, agreement, directions, lead, runs,
};
pub use placed::{EventPlace, PlacedEvent};
pub use points::{Place, smoothed_series};
pub use report::{EventLayer, EventsReport, SeriesLabel};
pub use rise::{Crossing, HighPhase, LargestStep, Onset};
pub(crate) use run::FEWEST;
pub use run::{events, events_with_parts};
pub use shape::{EventName, Events, PositionSpread, Positions, SpreadSource};
pub use slope::Slope;
pub use step::{HalfMaximum, Threshold, Transition};
pub use valley::{Plateau, RelativeMinimum, Window};
