//! Shows the report of `repgeo events`.

use super::axes::{axis, depth, point};
use super::event_lines::{event_lines, event_marks};
use super::event_records::event_records;
use super::warned::of_run;
use crate::profile::events::{Events, EventsReport, SeriesLabel};
use crate::report::page::{
    Column, Curve, Curves, Grid, Note, Page, Part, decimal, known, name, phrase, series,
};
use crate::report::{Printable, Record};

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
