//! Holds reports to `docs/report.schema.json`.

use std::sync::LazyLock;

use jsonschema::Validator;
use serde_json::Value;

use super::json;

/// The committed schema.
pub static SCHEMA: LazyLock<Value> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../../docs/report.schema.json")).unwrap()
});

static VALIDATOR: LazyLock<Validator> =
    LazyLock::new(|| jsonschema::validator_for(&SCHEMA).unwrap());

/// Where a report is not what the schema says.
pub fn faults(report: &Value) -> Vec<String> {
    VALIDATOR
        .iter_errors(report)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}

/// The report of a command that succeeds, which fits the schema.
#[track_caller]
pub fn fitting(args: &[&str]) -> Value {
    let report = json(args);
    assert_eq!(faults(&report), [""; 0], "{args:?}");
    report
}
