//! Shapes what `repgeo events` reports: a series that was read, and its events.

use serde::Serialize;

use super::shape::Events;
use crate::input::SeriesFile;
use crate::warning::Warning;

/// A series and its events.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct EventsReport {
    /// Which series was read.
    pub series: SeriesLabel,
    /// The series, gaps included.
    pub layers: Vec<EventLayer>,
    /// Its events.
    pub events: Events,
    /// Warnings about the run.
    pub warnings: Vec<Warning>,
}

/// Which series of a file was read.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SeriesLabel {
    /// The quantity of a report, or the column of a plain CSV.
    pub quantity: String,
    /// How it was computed; empty if the file does not say.
    pub variant: String,
    /// Neighbour order n1, k or chunk width.
    pub scale: Option<usize>,
    /// The second layer or the label column; empty if there is none.
    pub other: String,
}

/// One layer of the series.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct EventLayer {
    /// Name of the layer.
    pub layer: String,
    /// Its index, from 0.
    pub index: usize,
    /// Position of the user, or the index.
    pub position: f64,
    /// Depth from 0 to 1.
    pub relative_depth: f64,
    /// The value as read, not smoothed; `None` is a gap.
    pub value: Option<f64>,
}

impl EventsReport {
    /// The report of the series of `file` and its `events`.
    pub fn new(file: &SeriesFile, events: Events) -> Self {
        let series = &file.series;
        let named = series.names().iter().zip(series.values()).enumerate();
        Self {
            series: SeriesLabel {
                quantity: file.quantity.clone(),
                variant: file.variant.clone(),
                scale: file.scale,
                other: file.other.clone(),
            },
            layers: named
                .map(|(index, (layer, &value))| EventLayer {
                    layer: layer.clone(),
                    index,
                    position: series.position(index),
                    relative_depth: series.relative_depth(index),
                    value,
                })
                .collect(),
            events,
            warnings: Vec::new(),
        }
    }
}
