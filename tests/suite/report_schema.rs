//! `docs/report.schema.json` describes every report, and nothing else.

use super::common::schema::{SCHEMA, faults};
use super::hand_made;
use repgeo::report::{Format, Printable, Report, ScalingView, Style};
use serde_json::{Value, json};

fn rendered<T: Printable>(command: &'static str, body: &T) -> Value {
    let report = Report::new(command, vec!["acts".into()], body);
    let text = report.render(Format::Json, &Style::default()).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn profile() -> Value {
    rendered("id-profile", &hand_made::profile())
}

#[test]
fn the_schema_is_itself_valid() {
    assert!(jsonschema::meta::is_valid(&SCHEMA));
}

#[test]
fn every_shape_of_report_is_described() {
    let scaled = hand_made::resampled();
    for report in [
        profile(),
        rendered("id-profile", &hand_made::many_estimators()),
        rendered("id-profile", &scaled),
        rendered("id-profile", &ScalingView(&scaled)),
        rendered("inspect", &hand_made::inspected()),
        rendered("inspect", &hand_made::scanned()),
        rendered("events", &hand_made::two_humps()),
        rendered("events", &hand_made::gaps_only()),
    ] {
        assert_eq!(faults(&report), [""; 0]);
    }
}

#[test]
fn a_wrong_report_is_refused() {
    let estimate = "/layers/1/estimates/0";
    for (place, wrong) in [
        ("/schema", json!("repgeo/1")),
        ("/command", json!("similarity")),
        ("/command", json!("inspect")),
        ("/input", json!("acts")),
        ("/layers/0/estimates/0/reason", Value::Null),
        (&format!("{estimate}/id"), Value::Null),
        (&format!("{estimate}/id"), json!("24.6")),
        (&format!("{estimate}/reason"), json!("no_root")),
        (&format!("{estimate}/error_kind"), Value::Null),
        (&format!("{estimate}/fit"), json!("mle-censored")),
        (&format!("{estimate}/surplus"), json!(1)),
        ("/layers/1/scaling/0/order", json!(0)),
        ("/layers/1/plateau/id", Value::Null),
        ("/layers/1/relative_depth", json!(1.5)),
        ("/layers/1/diagnostics/distances/r1", json!([1.0, 2.0])),
        ("/layers/0/warnings/0/code", json!("duplicate")),
        ("/summary/peak/index", json!(1.5)),
        ("/surplus", json!(1)),
    ] {
        let mut report = profile();
        let (parent, key) = place.rsplit_once('/').unwrap();
        let parent = report.pointer_mut(parent).unwrap();
        parent[key] = wrong.clone();
        assert!(
            !faults(&report).is_empty(),
            "{place} = {wrong} was accepted"
        );
    }
}

#[test]
fn a_wrong_event_is_refused() {
    for (place, wrong) in [
        ("/events/peak/found", Value::Null),
        ("/events/peak/reason", json!("not_reached")),
        ("/events/peak/found/value", Value::Null),
        ("/events/peak/found/surplus", json!(1)),
        ("/events/maxima/found", json!([])),
        ("/events/onset/found/lowest/relative_depth", json!(1.5)),
        ("/events/surplus", json!(1)),
    ] {
        let mut report = rendered("events", &hand_made::two_humps());
        *report.pointer_mut(place).unwrap_or(&mut Value::Null) = wrong.clone();
        if let Some((parent, "surplus")) = place.rsplit_once('/') {
            report.pointer_mut(parent).unwrap()["surplus"] = wrong.clone();
        }
        assert!(
            !faults(&report).is_empty(),
            "{place} = {wrong} was accepted"
        );
    }
}

#[test]
fn a_report_that_lacks_a_field_is_refused() {
    let whole = profile();
    for field in whole.as_object().unwrap().keys() {
        let mut report = whole.clone();
        report.as_object_mut().unwrap().remove(field);
        assert!(!faults(&report).is_empty(), "accepted without {field}");
    }
}

#[test]
fn every_field_is_described_and_no_object_is_open() {
    let definitions = SCHEMA["$defs"].clone();
    for (name, definition) in definitions.as_object().unwrap() {
        assert!(definition["description"].is_string(), "{name}");
        let Some(fields) = definition["properties"].as_object() else {
            continue;
        };
        assert_eq!(definition["additionalProperties"], json!(false), "{name}");
        for (field, shape) in fields {
            assert!(shape["description"].is_string(), "{name}.{field}");
        }
    }
}
