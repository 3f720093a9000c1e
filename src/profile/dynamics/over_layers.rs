//! Events over the layers of every run, and between which runs a shape changes.

use std::collections::HashMap;

use super::series::{SeriesOf, of_one_run};
use super::shape::{DynamicsRun, DynamicsValue, Presence, RunEvents, RunShape, ShapeChange};
use crate::geometry::Known;
use crate::profile::events::{Event, EventOptions, events, smoothed_series};

/// Fills in the mean of every value over its neighbouring layers.
pub(super) fn smooth(series: &SeriesOf<'_>, values: &mut [DynamicsValue], options: &EventOptions) {
    for own in values.chunk_by_mut(of_one_run) {
        for key in series.keys {
            let smoothed = smoothed_series(&series.over_layers(own, key), options);
            let mine = |value: &&mut DynamicsValue| key.is_of(value, series.quantity);
            for value in own.iter_mut().filter(mine) {
                let mut layers = series.layers.iter();
                let at = layers.position(|layer| layer.layer == value.layer);
                value.smoothed = at.and_then(|at| smoothed[at]);
            }
        }
    }
}

/// The events of every series of every run that was analysed.
pub(super) fn events_of_runs(
    series: &SeriesOf<'_>,
    values: &[DynamicsValue],
    options: &EventOptions,
) -> Vec<RunEvents> {
    let mut all = Vec::new();
    // One layer has no shape; nor have chunk widths of one layer.
    if series.layers.len() < 2 || series.quantity.has_scales() {
        return all;
    }
    let of_runs = values.chunk_by(of_one_run);
    let of_runs: HashMap<&str, &[DynamicsValue]> = of_runs
        .map(|values| (values[0].run.as_str(), values))
        .collect();
    for run in series.runs.iter().filter(|run| run.error.is_none()) {
        let own = of_runs.get(run.run.as_str()).copied().unwrap_or_default();
        for key in series.keys.iter().filter(|key| !key.is_beside()) {
            let found = events(&series.over_layers(own, key), options);
            all.push(RunEvents {
                run: run.run.clone(),
                series: key.clone(),
                hunchback: presence(&found.hunchback, |hump| hump.present),
                double_hunchback: presence(&found.double_hunchback, |humps| humps.present),
                events: found.placed(),
            });
        }
    }
    all
}

fn presence<F>(event: &Event<F>, present: impl Fn(&F) -> bool) -> Known<Presence> {
    let present = event.outcome().map(|found| Presence {
        present: present(found),
    });
    present.into()
}

fn is_there(presence: &Known<Presence>) -> Option<bool> {
    presence.ok().map(|one| one.present)
}

/// A shape, and whether it is there.
type Shape = (RunShape, fn(&RunEvents) -> Option<bool>);

const SHAPES: [Shape; 2] = [
    (RunShape::Hunchback, |found| is_there(&found.hunchback)),
    (RunShape::DoubleHunchback, |found| {
        is_there(&found.double_hunchback)
    }),
];

/// Every step from run to run at which a shape appears or goes; runs that cannot say are passed over.
pub(super) fn changes(series: &SeriesOf<'_>, found: &[RunEvents]) -> Vec<ShapeChange> {
    let mut changes = Vec::new();
    let of_runs: HashMap<&str, &DynamicsRun> = series
        .runs
        .iter()
        .map(|run| (run.run.as_str(), run))
        .collect();
    for key in series.keys {
        let own: Vec<&RunEvents> = found.iter().filter(|found| found.series == *key).collect();
        for (shape, present) in SHAPES {
            let mut before = None;
            // In the order of the runs, as they were found.
            for found in &own {
                let (run, Some(now)) = (of_runs[found.run.as_str()], present(found)) else {
                    continue;
                };
                if let Some((earlier, was)) = before
                    && was != now
                {
                    let earlier: &DynamicsRun = earlier;
                    changes.push(ShapeChange {
                        series: key.clone(),
                        shape,
                        from: earlier.run.clone(),
                        from_x: earlier.x,
                        to: run.run.clone(),
                        to_x: run.x,
                        present: now,
                    });
                }
                before = Some((run, now));
            }
        }
    }
    changes
}
