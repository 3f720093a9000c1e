//! Chooses the one series that is meant among the numbers of a file.

use std::path::Path;

use crate::input::{Series, SeriesChoice, SeriesFile, list};
use crate::{Error, Result};

/// One number of a report, with what tells it from other numbers of the same layer.
pub(super) struct Cell {
    pub(super) run: String,
    pub(super) layer: String,
    pub(super) quantity: String,
    pub(super) variant: String,
    pub(super) scale: Option<usize>,
    pub(super) other: String,
    pub(super) value: Option<f64>,
    pub(super) std_error: Option<f64>,
    /// The same number in parts of the rows.
    pub(super) parts: Vec<Option<f64>>,
}

/// The one series among `cells` that `choice` means; a layer that has the quantity in
/// another variant or scale only is a gap.
pub(super) fn choose(cells: &[Cell], path: &Path, choice: &SeriesChoice) -> Result<SeriesFile> {
    let mut left: Vec<&Cell> = cells.iter().collect();
    let quantity = narrow(&mut left, |cell| cell.quantity.clone(), &choice.quantity)
        .into_first(path, "--quantity")?;
    left.retain(|cell| cell.quantity == quantity);
    let layers = distinct(left.iter().map(|cell| cell.layer.clone()));
    let variant = narrow(&mut left, |cell| cell.variant.clone(), &choice.variant)
        .into_first(path, "--variant")?;
    left.retain(|cell| cell.variant == variant);
    narrow(&mut left, |cell| cell.run.clone(), &choice.run).into_only(path, "--run")?;
    let other =
        narrow(&mut left, |cell| cell.other.clone(), &choice.other).into_only(path, "--other")?;
    let wanted = choice.scale.map(|scale| scale.to_string());
    let scales = narrow(&mut left, |cell| scale_text(cell.scale), &wanted);
    // A rule that chose an order for each layer makes one series of many orders.
    let one_a_layer = left.len() == distinct(left.iter().map(|cell| cell.layer.clone())).len();
    let one_scale = scales.after.len() == 1;
    if one_a_layer {
        scales.into_first(path, "--scale")?;
    } else {
        scales.into_only(path, "--scale")?;
    }

    let cell_of = |layer: &String| left.iter().find(|cell| cell.layer == *layer);
    if !one_a_layer {
        let fact = format!("a layer has more than one {quantity} {variant}");
        return Err(malformed(path, fact.trim_end()));
    }
    let n_parts = left.iter().map(|cell| cell.parts.len()).max().unwrap_or(0);
    let series = |value: &dyn Fn(&Cell) -> Option<f64>| {
        Series::new(layers.iter().map(|layer| {
            let value = cell_of(layer).and_then(|cell| value(cell));
            (layer.as_str(), value)
        }))
    };
    Ok(SeriesFile {
        series: series(&|cell| cell.value).with_errors(
            layers
                .iter()
                .map(|layer| cell_of(layer).and_then(|cell| cell.std_error))
                .collect(),
        ),
        parts: (0..n_parts)
            .map(|part| series(&|cell| cell.parts.get(part).copied().flatten()))
            .collect(),
        scale: left
            .first()
            .and_then(|cell| cell.scale)
            .filter(|_| one_scale),
        quantity,
        variant,
        other,
    })
}

/// What is left to choose from.
struct Candidates {
    before: Vec<String>,
    after: Vec<String>,
}

/// Keeps the cells whose `key` is `wanted`, all of them where nothing is.
fn narrow(
    cells: &mut Vec<&Cell>,
    key: impl Fn(&Cell) -> String,
    wanted: &Option<String>,
) -> Candidates {
    let before = distinct(cells.iter().map(|cell| key(cell)));
    if let Some(wanted) = wanted {
        cells.retain(|cell| key(cell) == *wanted);
    }
    Candidates {
        before,
        after: distinct(cells.iter().map(|cell| key(cell))),
    }
}

impl Candidates {
    fn into_first(self, path: &Path, flag: &str) -> Result<String> {
        match self.after.into_iter().next() {
            Some(first) => Ok(first),
            None => Err(no_series(path, flag, "nothing fits", &self.before)),
        }
    }

    fn into_only(self, path: &Path, flag: &str) -> Result<String> {
        if self.after.len() > 1 {
            return Err(no_series(path, flag, "several series fit", &self.after));
        }
        self.into_first(path, flag)
    }
}

fn distinct(values: impl Iterator<Item = String>) -> Vec<String> {
    let mut seen = std::collections::HashSet::new();
    values.filter(|value| seen.insert(value.clone())).collect()
}

fn scale_text(scale: Option<usize>) -> String {
    scale.map(|scale| scale.to_string()).unwrap_or_default()
}

pub(super) fn no_series(path: &Path, flag: &str, fact: &str, choices: &[String]) -> Error {
    let remedy = match choices {
        [] => "give a report or a CSV with a row per layer".to_owned(),
        _ => format!(
            "choose {flag}: {}",
            list(choices.iter().map(String::as_str))
        ),
    };
    Error::NoLayers {
        path: path.to_owned(),
        fact: fact.to_owned(),
        remedy,
    }
}

pub(super) fn malformed(path: &Path, fact: impl Into<String>) -> Error {
    Error::Malformed {
        path: path.to_owned(),
        fact: fact.into(),
        remedy: "a series comes from a .json report of repgeo or a .csv with a header \
                 (docs/formats.md)"
            .into(),
    }
}
