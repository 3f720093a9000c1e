//! What `repgeo events` reports, and how it looks.

use serde::Serialize;

use super::csv::Record;
use super::event_lines::event_lines;
use super::event_records::event_records;
use super::number::significant;
use super::sparkline::sparkline;
use super::style::Style;
use super::table::{Column, Grid};
use super::{Printable, text, warnings};
use crate::input::SeriesFile;
use crate::profile::events::Events;
use crate::warning::Warning;

/// A series and its events.
#[derive(Debug, Clone, Serialize)]
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

    fn table(&self, style: &Style) -> String {
        let style = *style;
        let mut grid = Grid::new(vec![
            Column::text("layer"),
            Column::number("depth"),
            Column::number(text::safe(&self.series.quantity, style)),
            Column::text("events"),
        ]);
        for layer in &self.layers {
            let value = layer.value.map(|value| significant(value, 3));
            grid.push(vec![
                text::safe(&layer.layer, style).into(),
                format!("{:.2}", layer.relative_depth).into(),
                value.unwrap_or(style.dash().to_owned()).into(),
                marks(&self.events, layer.index).join(", ").into(),
            ]);
        }
        grid.render(style)
    }

    fn closing(&self, style: &Style) -> String {
        let values: Vec<Option<f64>> = self.layers.iter().map(|layer| layer.value).collect();
        let label = text::safe(&self.series.words(), *style);
        let drawing = format!("{label}   {}", sparkline(&values, style));
        let mut lines = text::wrap(drawing.trim_end(), style.width);
        lines.extend(event_lines(&self.events, style));
        let closing: String = lines.into_iter().map(|line| line + "\n").collect();
        let no_layers = std::iter::empty::<(&str, &[Warning])>();
        closing + &warnings::lines(&self.warnings, no_layers, *style)
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
    let humps = events.double_hunchback.found.as_ref();
    let humps = humps.filter(|humps| humps.present);
    let places = [
        ("peak", events.peak.found.as_ref().map(|peak| &peak.at)),
        ("minimum", events.minimum.found.as_ref().map(|low| &low.at)),
        (
            "onset",
            events.onset.found.as_ref().map(|onset| &onset.crossing.at),
        ),
        ("end", events.end.found.as_ref().map(|end| &end.at)),
        (
            "relative minimum",
            events.relative_minimum.found.as_ref().map(|dip| &dip.at),
        ),
        ("first hump", humps.map(|humps| &humps.first)),
        ("valley", humps.map(|humps| &humps.valley)),
        ("second hump", humps.map(|humps| &humps.second)),
        (
            "half maximum",
            events.half_maximum.found.as_ref().map(|half| &half.at),
        ),
    ];
    let here = places
        .into_iter()
        .filter(|(_, place)| place.is_some_and(|p| p.index == index));
    here.map(|(mark, _)| mark).collect()
}
