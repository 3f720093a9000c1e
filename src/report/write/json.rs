//! JSON with two-space indentation and a newline at the end.

use serde::Serialize;

/// `report` as pretty JSON; fields keep the order of their declaration.
pub(in crate::report) fn pretty(report: &impl Serialize) -> String {
    let mut text =
        serde_json::to_string_pretty(report).expect("reports have string keys and plain values");
    text.push('\n');
    text
}
