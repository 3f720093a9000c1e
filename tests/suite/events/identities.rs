//! What must hold for any profile.

use proptest::prelude::*;
use repgeo::geometry::Reason;
use repgeo::input::Series;
use repgeo::profile::events::{EventOptions, Events, Transition, events, events_with_parts};
use serde_json::Value;

use super::plain;

fn series(values: &[f64]) -> Series {
    let named = values.iter().enumerate();
    Series::new(named.map(|(index, &value)| (index.to_string(), Some(value))))
}

/// Whole numbers, so that a·y + b is exact for small whole b and powers of two a.
fn profile() -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec((-40i32..40).prop_map(f64::from), 3..24)
}

/// Whole numbers in any number, gaps included.
fn gapped() -> impl Strategy<Value = Vec<Option<f64>>> {
    prop::collection::vec(prop::option::of((-9i32..9).prop_map(f64::from)), 0..16)
}

fn options() -> impl Strategy<Value = EventOptions> {
    (
        0usize..5,
        0.05..1.0,
        0.01..1.0,
        prop::option::of(0usize..24),
        any::<bool>(),
    )
        .prop_map(
            |(half, onset_fraction, prominence, bottleneck, skip_first)| EventOptions {
                smooth: 2 * half + 1,
                onset_fraction,
                prominence,
                bottleneck,
                skip_first,
                threshold: Some(0.5),
            },
        )
}

/// The indices that the events lead to; those that ratios decide only if `ratios` is asked for.
fn indices(events: &Events, ratios: bool) -> Vec<(&'static str, Option<usize>)> {
    let onset = events.onset.found();
    let humps = events.double_hunchback.found();
    let mut found = vec![
        ("peak", events.peak.found().map(|f| f.at.index)),
        ("minimum", events.minimum.found().map(|f| f.at.index)),
        ("onset", onset.map(|f| f.crossing.at.index)),
        ("largest step", onset.map(|f| f.largest_step.to.index)),
        ("end", events.end.found().map(|f| f.at.index)),
        ("phase", events.high_phase.found().map(|f| f.n_layers)),
        ("dip", events.relative_minimum.found().map(|f| f.at.index)),
        ("transition", events.transition.found().map(|f| f.to.index)),
        ("first hump", humps.map(|f| f.first.index)),
        ("valley", humps.map(|f| f.valley.index)),
        ("second hump", humps.map(|f| f.second.index)),
    ];
    for maximum in events.maxima.found().into_iter().flatten() {
        found.push(("maximum", Some(maximum.at.index)));
    }
    if ratios {
        let plateau = events.plateau.found();
        found.extend([
            (
                "hunchback",
                events.hunchback.found().map(|f| usize::from(f.present)),
            ),
            ("two humps", humps.map(|f| usize::from(f.present))),
            ("half", events.half_maximum.found().map(|f| f.at.index)),
            ("plateau", plateau.map(|f| f.window.first.index)),
            ("plateau end", plateau.map(|f| f.window.last.index)),
        ]);
    }
    found
}

fn steep(transition: &Transition) -> f64 {
    transition.rate.abs()
}

/// Everything that stands under `events`, but for the number of layers and the indices.
fn without_indices(events: &Events) -> Value {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                fields.retain(|name, _| name != "index" && name != "n_layers");
                fields.values_mut().for_each(strip);
            }
            Value::Array(items) => items.iter_mut().for_each(strip),
            _ => {}
        }
    }
    let mut value = serde_json::to_value(events).unwrap();
    strip(&mut value);
    value
}

proptest! {
    #[test]
    fn shifts_change_no_event_that_does_not_rest_on_ratios(
        y in profile(),
        exponent in -3i32..4,
        b in -30i32..30,
    ) {
        let a = 2f64.powi(exponent);
        let moved: Vec<f64> = y.iter().map(|y| a * y + f64::from(b)).collect();
        let (before, after) = (plain(&series(&y)), plain(&series(&moved)));
        // Whether a profile is flat rests on a ratio itself.
        prop_assume!(!before.flat && !after.flat);
        prop_assert_eq!(indices(&before, false), indices(&after, false));
    }

    #[test]
    fn scaling_changes_no_event(y in profile(), exponent in -8i32..8) {
        let a = 2f64.powi(exponent);
        let scaled: Vec<f64> = y.iter().map(|y| a * y).collect();
        let (before, after) = (plain(&series(&y)), plain(&series(&scaled)));
        prop_assert_eq!(before.flat, after.flat);
        prop_assert_eq!(indices(&before, true), indices(&after, true));
    }

    #[test]
    fn a_reversed_hump_rises_where_it_fell(
        up in prop::collection::vec(1u8..20, 1..8),
        down in prop::collection::vec(1u8..20, 1..8),
    ) {
        let mut y = vec![1.0];
        y.extend(up.iter().scan(1.0, |at, &step| { *at += f64::from(step); Some(*at) }));
        let top = y[y.len() - 1];
        y.extend(down.iter().scan(top, |at, &step| { *at -= f64::from(step); Some(*at) }));
        let last = (y.len() - 1) as f64;
        let there = plain(&series(&y));
        y.reverse();
        let back = plain(&series(&y));
        prop_assume!(!there.flat);
        let onset = back.onset.found().map(|onset| last - onset.crossing.crossing_position);
        let end = there.end.found().map(|end| end.crossing_position);
        prop_assert_eq!(onset.is_some(), end.is_some());
        if let (Some(onset), Some(end)) = (onset, end) {
            prop_assert!((onset - end).abs() < 1e-9, "{} {}", onset, end);
        }
        if let (Some(there), Some(back)) = (there.hunchback.into_found(), back.hunchback.into_found()) {
            prop_assert_eq!(there.rise.to_bits(), back.fall.to_bits());
            prop_assert_eq!(there.fall.to_bits(), back.rise.to_bits());
        }
        let (there, back) = (there.transition.into_found().unwrap(), back.transition.into_found().unwrap());
        prop_assert!((steep(&there) - steep(&back)).abs() < 1e-9);
    }

    #[test]
    fn a_monotone_profile_has_no_local_maximum(
        steps in prop::collection::vec(1u8..9, 2..20),
        falls: bool,
    ) {
        let mut y = vec![0.0];
        y.extend(steps.iter().scan(0.0, |at, &step| { *at += f64::from(step); Some(*at) }));
        if falls {
            y.reverse();
        }
        let found = plain(&series(&y));
        prop_assert_eq!(found.maxima.reason(), Some(Reason::NotReached));
        prop_assert_eq!(found.relative_minimum.reason(), Some(Reason::NotReached));
        prop_assert_eq!(found.hunchback.reason(), Some(Reason::NotReached));
        prop_assert_eq!(found.double_hunchback.reason(), Some(Reason::NotReached));
        prop_assert!(found.peak.into_found().unwrap().at_edge);
    }

    #[test]
    fn gaps_between_layers_change_no_event(
        y in profile(),
        gaps in prop::collection::vec(0usize..3, 24),
        half in 0usize..3,
    ) {
        let options = EventOptions {
            smooth: 2 * half + 1,
            threshold: Some(1.0),
            ..EventOptions::default()
        };
        // Whole positions, four apart; gaps fall in between, after every layer but the last.
        let at = |layer: usize| 4.0 * layer as f64;
        let whole = series(&y).with_positions((0..y.len()).map(at).collect()).unwrap();
        let mut values = Vec::new();
        let mut positions = Vec::new();
        for (layer, &value) in y.iter().enumerate() {
            values.push((layer.to_string(), Some(value)));
            positions.push(at(layer));
            for gap in 0..gaps[layer].min((y.len() - 1 - layer) * 3) {
                values.push(("gap".to_owned(), None));
                positions.push(at(layer) + gap as f64 + 1.0);
            }
        }
        let sparse = Series::new(values).with_positions(positions).unwrap();
        let (whole, sparse) = (events(&whole, &options), events(&sparse, &options));
        prop_assert_eq!(without_indices(&whole), without_indices(&sparse));
    }

    #[test]
    fn smoothing_over_one_layer_is_none(y in profile()) {
        let one = EventOptions { smooth: 1, ..EventOptions::default() };
        let found = events(&series(&y), &one);
        if let Some(peak) = found.peak.into_found() {
            prop_assert_eq!(peak.at.value.to_bits(), (y[peak.at.index] + 0.0).to_bits());
        }
    }

    #[test]
    fn every_event_is_found_or_has_a_reason(y in gapped(), options in options()) {
        let named = y.iter().map(|&value| ("layer", value));
        let series = Series::new(named);
        let parts = [series.clone(), Series::new([("layer", Some(1.0))])];
        let found = events_with_parts(&series, &parts, &options);
        let json = serde_json::to_value(&found).unwrap();
        for (name, event) in json.as_object().unwrap() {
            if event.get("rule").is_some() {
                let (found, reason) = (&event["found"], &event["reason"]);
                prop_assert_ne!(found.is_null(), reason.is_null(), "{}: {}", name, event);
            }
        }
        let n = y.iter().skip(usize::from(options.skip_first)).flatten().count();
        if n < 3 {
            prop_assert_eq!(found.peak.reason(), Some(Reason::TooFewLayers));
            prop_assert_eq!(found.transition.reason(), Some(Reason::TooFewLayers));
        } else if found.flat {
            prop_assert_eq!(found.peak.reason(), Some(Reason::NotReached));
        }
        // A layer that an event names has a value.
        for (_, index) in indices(&found, false) {
            let is_value = |index: usize| index < y.len();
            prop_assert!(index.is_none_or(is_value));
        }
        if let Some(peak) = found.peak.found() {
            prop_assert!(y[peak.at.index].is_some());
            prop_assert!((0.0..=1.0).contains(&peak.prominence));
        }
    }

    #[test]
    fn identical_parts_have_no_spread(y in profile()) {
        let whole = series(&y);
        let found = events_with_parts(&whole, &[whole.clone(), whole.clone()], &EventOptions::default());
        for (spread, (event, position)) in found.spread.iter().zip(found.positions()) {
            prop_assert_eq!(spread.event, event);
            let positions = spread.outcome.ok();
            let ends = positions.map(|found| (found.min, found.max));
            prop_assert_eq!(ends, position.map(|at| (at, at)));
        }
    }
}

#[test]
fn a_flat_profile_has_no_event_at_all() {
    let found = events(
        &series(&[20.0, 20.5, 21.0, 20.5]),
        &EventOptions {
            bottleneck: Some(1),
            threshold: Some(1.0),
            ..EventOptions::default()
        },
    );
    assert!(found.flat);
    let json = serde_json::to_value(&found).unwrap();
    for (name, event) in json.as_object().unwrap() {
        if event.get("rule").is_some() {
            assert_eq!(event["reason"], "not_reached", "{name}");
        }
    }
}

#[test]
fn an_embedding_can_be_left_out() {
    let y = series(&[100.0, 1.0, 5.0, 3.0, 1.0]);
    let found = events(
        &y,
        &EventOptions {
            skip_first: true,
            ..EventOptions::default()
        },
    );
    assert_eq!(found.n, 4);
    let peak = found.peak.into_found().unwrap();
    assert_eq!(peak.at.index, 2);
    assert!((peak.at.relative_depth - 0.5).abs() < 1e-12);
}
