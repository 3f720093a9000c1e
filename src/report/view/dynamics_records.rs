//! Values, extremes and events over runs as CSV rows, the run and its columns first.

use crate::profile::dynamics::{
    DynamicsProfile, DynamicsRange, DynamicsRun, DynamicsValue, RunEvents, SeriesKey,
};
use crate::profile::events::EventName;
use crate::report::write::csv::{HEADER, shortest};
use crate::report::{Leading, Record};

/// Every row with the run that it is about: the values as in the CSV of the command for a single dump,
/// then smoothed values, the extremes over runs, and the events over layers.
pub(super) fn rows(profile: &DynamicsProfile) -> Vec<(&str, Record<'_>)> {
    let values = profile.values.iter().flat_map(of_value);
    let ranges = profile.ranges.iter();
    let ranges = ranges.filter(|range| !range.series.is_beside());
    let extremes = ranges.flat_map(extremes);
    let events = profile.events.iter().flat_map(of_events);
    values.chain(extremes).chain(events).collect()
}

fn of_value(value: &DynamicsValue) -> impl Iterator<Item = (&str, Record<'_>)> {
    let record = Record {
        other: value.other.as_deref().unwrap_or(""),
        variant: value.variant.clone().into(),
        scale: value.scale,
        std_error: value.std_error(),
        n: value.n,
        reason: value.outcome.reason(),
        ..Record::new(&value.layer, value.quantity, value.value())
    };
    let smoothed = value.smoothed.is_some().then(|| Record {
        variant: joined(&value.variant, "smoothed").into(),
        value: value.smoothed,
        std_error: None,
        ..record.clone()
    });
    let both = std::iter::once(record).chain(smoothed);
    both.map(|record| (value.run.as_str(), record))
}

/// The least and the largest value over runs.
fn extremes(range: &DynamicsRange) -> impl Iterator<Item = (&str, Record<'_>)> {
    let both = [
        ("minimum_over_runs", &range.argmin),
        ("maximum_over_runs", &range.argmax),
    ];
    both.into_iter().filter_map(|(quantity, extreme)| {
        let extreme = extreme.as_ref()?;
        let record = Record {
            other: range.series.labels.as_deref().unwrap_or(""),
            variant: words(&range.series).into(),
            scale: range.series.width,
            n: Some(range.n_runs),
            ..Record::new(&range.layer, quantity, Some(extreme.value))
        };
        Some((extreme.run.as_str(), record))
    })
}

/// The shapes of a series over layers, then the place and the value of each of its events.
fn of_events(found: &RunEvents) -> Vec<(&str, Record<'_>)> {
    let labels = found.series.labels.as_deref().unwrap_or("");
    let mut records = Vec::new();
    for (quantity, present) in [
        ("event_hunchback", found.hunchback),
        ("event_double_hunchback", found.double_hunchback),
    ] {
        let value = present.ok().map(|one| f64::from(u8::from(one.present)));
        records.push(Record {
            other: labels,
            variant: joined(&words(&found.series), "present").into(),
            reason: present.reason(),
            ..Record::new("", quantity, value)
        });
    }
    for event in &found.events {
        let place = event.outcome.ok();
        let layer = place.map_or("", |place| &place.layer);
        for (kind, value) in [
            ("position", place.map(|place| place.position)),
            ("value", place.map(|place| place.value)),
        ] {
            records.push(Record {
                other: labels,
                variant: joined(&words(&found.series), kind).into(),
                reason: event.outcome.reason(),
                ..Record::new(layer, quantity(event.event), value)
            });
        }
    }
    let of_run = |record| (found.run.as_str(), record);
    records.into_iter().map(of_run).collect()
}

/// A series in one word for the column of variants.
fn words(key: &SeriesKey) -> String {
    joined(key.quantity, &key.variant)
}

fn joined(a: &str, b: &str) -> String {
    match (a, b) {
        ("", _) => b.to_owned(),
        (_, "") => a.to_owned(),
        _ => format!("{a}_{b}"),
    }
}

/// The quantity of an event, as in the CSV of `events`.
fn quantity(event: EventName) -> &'static str {
    match event {
        EventName::Peak => "event_peak",
        EventName::Minimum => "event_minimum",
        EventName::Onset => "event_onset",
        EventName::End => "event_end",
        EventName::RelativeMinimum => "event_relative_minimum",
        EventName::Plateau => "event_plateau",
        EventName::FirstHump => "event_double_hunchback_first",
        EventName::Valley => "event_double_hunchback_valley",
        EventName::SecondHump => "event_double_hunchback_second",
        EventName::Transition => "event_transition",
        EventName::HalfMaximum => "event_half_maximum",
        EventName::Threshold => "event_threshold",
    }
}

/// The run of every row, its place, and what `--runs` says of it. A column of `--runs` that is called
/// as one of the report has `run_` before its name.
pub(super) fn leading(profile: &DynamicsProfile) -> Leading {
    let placed = profile.runs.iter().any(|run| run.x.is_some());
    let mut header = vec!["run".to_owned()];
    header.extend(placed.then(|| "x".to_owned()));
    let columns = profile.runs.first().map_or(&[][..], |run| &run.columns);
    for column in columns {
        let mut name = column.column.clone();
        while HEADER.contains(&name.as_str()) || header.contains(&name) {
            name = format!("run_{name}");
        }
        header.push(name);
    }
    let cells = |run: &DynamicsRun| {
        let mut cells = vec![run.run.clone()];
        cells.extend(placed.then(|| run.x.map(shortest).unwrap_or_default()));
        cells.extend(run.columns.iter().map(|column| column.words.clone()));
        cells
    };
    let rows = rows(profile).into_iter();
    let of_row = |name: &str| {
        let mut runs = profile.runs.iter();
        runs.find(|run| run.run == name)
            .map(cells)
            .unwrap_or_default()
    };
    Leading {
        cells: rows.map(|(run, _)| of_row(run)).collect(),
        header,
    }
}
