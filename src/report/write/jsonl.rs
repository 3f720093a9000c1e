//! Writes a report as JSON lines: a line a layer, or a pair of layers, with its numbers.
//!
//! A line holds what the rows of the CSV hold, gathered by run, `layer` and `other`, with the command and
//! its inputs in front, so that lines of several runs may stand in one file.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::{Map, Value};

use super::csv::{Leading, Places, Record};
use super::json;

/// One line.
#[derive(Serialize)]
struct Line<'a> {
    command: &'a str,
    input: &'a [String],
    /// What the columns before those of every command say: the run, and what is known of it.
    #[serde(flatten)]
    leading: Map<String, Value>,
    layer: Option<&'a str>,
    index: Option<usize>,
    depth: Option<f64>,
    other: Option<&'a str>,
    values: Vec<Number<'a>>,
}

/// One number of a line.
#[derive(Serialize)]
struct Number<'a> {
    quantity: &'a str,
    variant: Option<&'a str>,
    scale: Option<usize>,
    value: Option<f64>,
    std_error: Option<f64>,
    n: Option<usize>,
}

/// The lines, in the order in which their layers first occur.
pub(in crate::report) fn lines(
    command: &str,
    input: &[String],
    records: &[Record<'_>],
    leading: &Leading,
    places: &Places,
) -> String {
    let mut lines: Vec<Line<'_>> = Vec::new();
    let mut line_of: HashMap<(&[String], &str, &str), usize> = HashMap::new();
    for (row, record) in records.iter().enumerate() {
        let before = leading.cells.get(row).map_or(&[][..], Vec::as_slice);
        let at = *line_of
            .entry((before, record.layer, record.other))
            .or_insert_with(|| {
                let place = places.find(record.layer);
                lines.push(Line {
                    command,
                    input,
                    leading: leading
                        .header
                        .iter()
                        .zip(before)
                        .map(|(name, cell)| (name.clone(), said(cell).into()))
                        .collect(),
                    layer: said(record.layer),
                    index: place.map(|(index, _)| index),
                    depth: place.and_then(|(_, depth)| depth),
                    other: said(record.other),
                    values: Vec::new(),
                });
                lines.len() - 1
            });
        lines[at].values.push(Number {
            quantity: record.quantity,
            variant: said(&record.variant),
            scale: record.scale,
            value: record.value,
            std_error: record.std_error,
            n: record.n,
        });
    }
    lines.iter().map(json::line).collect()
}

/// `text`, if it says anything.
fn said(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_numbers_of_a_layer_or_pair_stand_in_one_line() {
        let pair = Record {
            other: "b",
            variant: "forward".into(),
            scale: Some(1),
            std_error: Some(0.5),
            n: Some(7),
            ..Record::new("a", "information_imbalance", Some(0.25))
        };
        let records = [
            pair.clone(),
            Record::new("b", "id", None),
            Record {
                value: Some(0.75),
                variant: "backward".into(),
                ..pair
            },
        ];
        let input = ["acts".to_owned()];
        let none = Leading::default();
        let text = lines("imbalance", &input, &records, &none, &Places::default());
        let lines: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(lines.len(), 2, "{text}");
        assert_eq!(lines[0]["other"], "b");
        assert_eq!(lines[0]["input"], json!(["acts"]));
        assert_eq!(
            lines[0]["values"][1],
            json!({"quantity": "information_imbalance", "variant": "backward", "scale": 1,
                "value": 0.75, "std_error": 0.5, "n": 7})
        );
        assert_eq!(lines[1]["other"], Value::Null);
        assert_eq!(lines[1]["values"][0]["value"], Value::Null);
    }

    #[test]
    fn runs_of_one_layer_stand_in_lines_of_their_own() {
        let records = [1.0, 2.0].map(|value| Record::new("a", "id", Some(value)));
        let leading = Leading {
            header: vec!["run".to_owned(), "epoch".to_owned()],
            cells: [["ep0", "0"], ["ep3", ""]]
                .map(|run| run.map(str::to_owned).to_vec())
                .to_vec(),
        };
        let text = lines("dynamics", &[], &records, &leading, &Places::default());
        let lines: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(lines.len(), 2, "{text}");
        assert_eq!(lines[0]["run"], "ep0");
        assert_eq!(lines[1]["values"][0]["value"], 2.0);
        assert_eq!(lines[1]["epoch"], Value::Null);
    }
}
