//! Series in a JSON report of repgeo.

use std::path::Path;

use serde_json::{Map, Value};

use super::choose::{Cell, choose, malformed, no_series};
use crate::input::{SeriesChoice, SeriesFile};
use crate::report::view::density_peaks::score_values;
use crate::{Error, Result};

/// Reads the series that `choice` means: intrinsic dimensions (`id`), scores of density peaks, or
/// any number that stands directly in the layers of the report.
pub(super) fn read(text: &str, path: &Path, choice: &SeriesChoice) -> Result<SeriesFile> {
    if choice.run.is_some() || choice.layer.is_some() {
        return Err(Error::Usage(format!(
            "{}: --run and --layer choose in a CSV; write the runs with -o FILE.csv",
            path.display()
        )));
    }
    if choice.names_columns() {
        return Err(Error::Usage(format!(
            "{}: --column, --std-error and --x are for CSV; choose in a report with --quantity, --variant, \
             --scale and --other",
            path.display()
        )));
    }
    let report: Value =
        serde_json::from_str(text).map_err(|error| malformed(path, error.to_string()))?;
    let is_report = report["schema"]
        .as_str()
        .is_some_and(|schema| schema.starts_with("repgeo/"));
    let layers = report["layers"].as_array().filter(|_| is_report);
    let layers = layers.ok_or_else(|| malformed(path, "this is no report with layers"))?;

    let mut cells = Vec::new();
    for layer in layers.iter().filter_map(Value::as_object) {
        cells.extend(dimensions(layer));
        cells.extend(plain_numbers(layer));
        cells.extend(scores(layer));
    }
    if cells.is_empty() {
        return Err(no_series(
            path,
            "--quantity",
            "its layers hold no numbers",
            &[],
        ));
    }
    choose(&cells, path, choice)
}

/// The estimates of a layer, headline first, and the orders of its scaling that they leave out.
fn dimensions(layer: &Map<String, Value>) -> Vec<Cell> {
    let list = |field: &str| {
        layer
            .get(field)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
    };
    let mut cells: Vec<Cell> = list("estimates")
        .map(|estimate| Cell {
            parts: estimate["resampled"]["values"]
                .as_array()
                .map(|parts| parts.iter().map(Value::as_f64).collect())
                .unwrap_or_default(),
            ..cell(layer, "id", variant(estimate), estimate)
        })
        .collect();
    for point in list("scaling") {
        let point = cell(layer, "id", "gride".into(), point);
        let given = |cell: &Cell| cell.variant == point.variant && cell.scale == point.scale;
        if !cells.iter().any(given) {
            cells.push(point);
        }
    }
    cells
}

fn cell(layer: &Map<String, Value>, quantity: &str, variant: String, number: &Value) -> Cell {
    let order = number["order"].as_u64().or_else(|| number["k"].as_u64());
    Cell {
        run: String::new(),
        layer: name(layer),
        quantity: quantity.to_owned(),
        scale: order.and_then(|order| usize::try_from(order).ok()),
        variant,
        other: String::new(),
        value: number["id"].as_f64(),
        std_error: number["std_error"].as_f64(),
        parts: Vec::new(),
    }
}

/// The name of an estimate in the CSV: `two_nn_base`, `gride`, `gride_plateau`.
fn variant(estimate: &Value) -> String {
    let estimator = estimate["estimator"].as_str().unwrap_or_default();
    match (estimate["fit"].as_str(), estimate["order_rule"].as_str()) {
        (Some(fit), _) => format!("{estimator}_{fit}"),
        (None, None | Some("fixed")) => estimator.to_owned(),
        (None, Some(rule)) => format!("{estimator}_{rule}"),
    }
}

/// Fields of a layer that are numbers, but for its place.
fn plain_numbers(layer: &Map<String, Value>) -> impl Iterator<Item = Cell> {
    let placed = ["index", "relative_depth"];
    layer
        .iter()
        .filter(move |(field, value)| value.is_number() && !placed.contains(&field.as_str()))
        .map(|(field, value)| Cell {
            run: String::new(),
            layer: name(layer),
            quantity: field.clone(),
            variant: String::new(),
            scale: None,
            other: String::new(),
            value: value.as_f64(),
            std_error: None,
            parts: Vec::new(),
        })
}

/// Scores of the density peaks of a layer, one a quantity and set of labels.
fn scores(layer: &Map<String, Value>) -> Vec<Cell> {
    let sets = layer.get("scores").and_then(Value::as_array);
    let sets = sets.into_iter().flatten();
    let cells = sets.flat_map(|set| {
        let of_set = move |quantity: &str| Cell {
            run: String::new(),
            layer: name(layer),
            quantity: quantity.to_owned(),
            variant: String::new(),
            scale: None,
            other: set["labels"].as_str().unwrap_or_default().to_owned(),
            value: set["scores"][quantity].as_f64(),
            std_error: None,
            parts: Vec::new(),
        };
        score_values(None).map(|(quantity, _)| of_set(quantity))
    });
    cells.collect()
}

fn name(layer: &Map<String, Value>) -> String {
    let name = layer.get("layer").and_then(Value::as_str);
    name.unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = r#"{"schema": "repgeo/2", "layers": [
        {"layer": "a", "index": 0, "n_rows": 9, "estimates": [
            {"estimator": "two_nn", "fit": "base", "order": 1, "order_rule": null, "id": 3.5,
             "resampled": {"values": [3.0, null]}},
            {"estimator": "gride", "fit": null, "order": 4, "order_rule": "plateau", "id": 2.5}],
         "scaling": [{"order": 1, "id": 3.25}, {"order": 2, "id": 3.0}]},
        {"layer": "b", "index": 1, "n_rows": 8, "estimates": [
            {"estimator": "two_nn", "fit": "base", "order": 1, "order_rule": null, "id": null},
            {"estimator": "gride", "fit": null, "order": 8, "order_rule": "plateau", "id": 1.5}],
         "scaling": []}]}"#;

    fn read(text: &str, choice: &SeriesChoice) -> Result<SeriesFile> {
        super::read(text, Path::new("profile.json"), choice)
    }

    #[test]
    fn the_headline_of_a_report_comes_with_its_parts() {
        let found = read(REPORT, &SeriesChoice::default()).unwrap();
        assert_eq!(
            (found.quantity.as_str(), found.variant.as_str()),
            ("id", "two_nn_base")
        );
        assert_eq!(found.series.values(), [Some(3.5), None]);
        assert_eq!(found.parts.len(), 2);
        assert_eq!(found.parts[0].values(), [Some(3.0), None]);
    }

    #[test]
    fn every_estimate_and_every_plain_number_can_be_chosen() {
        for (quantity, variant, scale, values) in [
            ("id", "gride_plateau", None, [Some(2.5), Some(1.5)]),
            ("id", "gride", Some(2), [Some(3.0), None]),
            ("n_rows", "", None, [Some(9.0), Some(8.0)]),
        ] {
            let choice = SeriesChoice {
                quantity: Some(quantity.into()),
                variant: Some(variant.into()),
                scale,
                ..SeriesChoice::default()
            };
            let found = read(REPORT, &choice).unwrap();
            assert_eq!(found.series.values(), values, "{quantity} {variant}");
        }
    }

    #[test]
    fn other_json_is_refused() {
        for text in ["{", "[1]", r#"{"layers": []}"#, r#"{"schema": "repgeo/2"}"#] {
            assert!(matches!(
                read(text, &SeriesChoice::default()).unwrap_err(),
                Error::Malformed { .. }
            ));
        }
        let empty = r#"{"schema": "repgeo/2", "layers": []}"#;
        assert!(read(empty, &SeriesChoice::default()).is_err());
    }
}
