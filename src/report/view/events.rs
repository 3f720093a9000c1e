//! What `repgeo events` reports, and how it looks.

use serde::Serialize;

use super::axes::{axis, depth, point};
use super::event_lines::{event_lines, event_marks};
use super::event_records::event_records;
use super::warned::of_run;
use crate::input::SeriesFile;
use crate::profile::events::Events;
use crate::report::page::{
    Column, Curve, Curves, Grid, Note, Page, Part, decimal, known, name, phrase, series,
};
use crate::report::{Printable, Record};
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

impl Printable for EventsReport {
    fn records(&self) -> Vec<Record<'_>> {
        event_records(&self.events)
    }

    fn page(&self) -> Page {
        let mut grid = Grid::new(vec![
            Column::words("layer"),
            Column::number("depth"),
            Column::number(name(&self.series.quantity)),
            Column::words("events"),
        ]);
        for layer in &self.layers {
            grid.push(vec![
                name(&layer.layer).into(),
                decimal(layer.relative_depth, 2).into(),
                known(layer.value, 3).into(),
                marks(&self.events, layer.index).join(", ").into(),
            ]);
        }
        let values = self.layers.iter().map(|layer| layer.value);
        let drawing = phrase![name(self.series.words()), "   ", series(values)];
        let mut closing = vec![Note::Line(drawing)];
        closing.extend(event_lines(&self.events).into_iter().map(Note::Line));
        closing.extend(of_run(&self.warnings));
        Page::new("Events", vec![grid.into()], closing.into())
    }

    fn figures(&self) -> Vec<Part> {
        let layers = || self.layers.iter();
        let points = layers().map(|layer| point(layer.relative_depth, layer.value, None));
        vec![Part::Curves(Curves {
            title: name(self.series.words()).into(),
            x: depth(layers().map(|layer| (layer.relative_depth, layer.layer.as_str()))),
            y: axis(name(&self.series.quantity)),
            curves: vec![Curve {
                name: name(self.series.words()).into(),
                points: points.collect(),
                ..Curve::default()
            }],
            marks: event_marks(&self.events),
        })]
    }
}

impl SeriesLabel {
    fn words(&self) -> String {
        let mut words = vec![self.quantity.clone()];
        if !self.other.is_empty() {
            words.push(format!("with {}", self.other));
        }
        if !self.variant.is_empty() {
            words.push(self.variant.clone());
        }
        words.extend(self.scale.map(|scale| format!("scale {scale}")));
        words.join(" ")
    }
}

/// The events that happen at one layer.
fn marks(events: &Events, index: usize) -> Vec<&'static str> {
    let humps = events.double_hunchback.found();
    let humps = humps.filter(|humps| humps.present);
    let places = [
        ("peak", events.peak.found().map(|peak| &peak.at)),
        ("minimum", events.minimum.found().map(|low| &low.at)),
        (
            "onset",
            events.onset.found().map(|onset| &onset.crossing.at),
        ),
        ("end", events.end.found().map(|end| &end.at)),
        (
            "relative minimum",
            events.relative_minimum.found().map(|dip| &dip.at),
        ),
        ("first hump", humps.map(|humps| &humps.first)),
        ("valley", humps.map(|humps| &humps.valley)),
        ("second hump", humps.map(|humps| &humps.second)),
        (
            "half maximum",
            events.half_maximum.found().map(|half| &half.at),
        ),
    ];
    let here = places
        .into_iter()
        .filter(|(_, place)| place.is_some_and(|p| p.index == index));
    here.map(|(mark, _)| mark).collect()
}
