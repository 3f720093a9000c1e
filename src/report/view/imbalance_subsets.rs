//! Shows `repgeo imbalance --coordinates` and `--greedy`: records, page and curves.

use super::axes::{axis, point, share};
use super::warned::warnings;
use crate::profile::imbalance::{
    LayerSubsets, SubsetImbalances, SubsetPair, SubsetRule, SubsetsProfile,
};
use crate::report::page::{
    Cell, Column, Curve, Curves, Grid, Note, Page, Part, Phrase, Piece, code, count, error, known,
    name, phrase,
};
use crate::report::{Printable, Record};

impl Printable for SubsetsProfile {
    fn records(&self) -> Vec<Record<'_>> {
        let mut records = Vec::new();
        for layer in &self.layers {
            for (at, subset) in layer.subsets.iter().enumerate() {
                let record = |variant: &str, value| Record {
                    // Which columns these are stands in the JSON; a tidy cell holds their place.
                    variant: format!("{variant}_subset_{at}").into(),
                    scale: Some(self.parameters.options.k),
                    n: Some(layer.n),
                    other: layer.target.as_deref().unwrap_or_default(),
                    ..Record::new(&layer.layer, "information_imbalance", value)
                };
                let both = subset.outcome.ok();
                records.push(Record {
                    std_error: both.map(|both| both.std_error_full_to_subset),
                    ..record("full_to", both.map(|both| both.full_to_subset))
                });
                records.push(Record {
                    std_error: both.map(|both| both.std_error_subset_to_full),
                    ..record("full_from", both.map(|both| both.subset_to_full))
                });
                records.push(Record {
                    n: Some(layer.n),
                    other: layer.target.as_deref().unwrap_or_default(),
                    variant: format!("subset_{at}").into(),
                    ..Record::new(
                        &layer.layer,
                        "subset_columns",
                        Some(subset.columns.len() as f64),
                    )
                });
            }
        }
        records
    }

    fn page(&self) -> Page {
        let targets = self.layers.iter().any(|layer| layer.target.is_some());
        let mut columns = vec![Column::words(if targets { "columns of" } else { "layer" })];
        if targets {
            columns.push(Column::words("full"));
        }
        columns.extend([
            Column::number("columns"),
            Column::number("Δ(full→subset)"),
            Column::error(),
            Column::number("Δ(subset→full)"),
            Column::error(),
            Column::words("which"),
        ]);
        let mut grid = Grid::new(columns);
        for layer in &self.layers {
            for subset in &layer.subsets {
                grid.push(subset_row(layer, subset));
            }
            if let Some(reason) = layer.reason {
                let mut cells = names(layer);
                cells.extend([
                    count(layer.n_columns).into(),
                    Piece::Absent.into(),
                    Cell::default(),
                    Piece::Absent.into(),
                    Cell::default(),
                    Piece::Code(reason).into(),
                ]);
                grid.push(cells);
            }
        }
        let layers = self
            .layers
            .iter()
            .map(|layer| (layer.layer.as_str(), layer.warnings.as_slice()));
        let mut closing = vec![Note::Context(context(self))];
        closing.extend(warnings(&self.warnings, layers));
        Page::new(
            "Information imbalance of columns",
            vec![grid.into()],
            closing.into(),
        )
    }

    fn figures(&self) -> Vec<Part> {
        let grown = matches!(self.parameters.options.rule, SubsetRule::Greedy(_));
        let layers = self
            .layers
            .iter()
            .filter(|layer| grown && !layer.subsets.is_empty());
        layers.map(|layer| Part::Curves(by_size(layer))).collect()
    }
}

/// Both directions against the number of columns.
fn by_size(layer: &LayerSubsets) -> Curves {
    let curve = |name: &'static str, value: fn(&SubsetImbalances) -> [f64; 2]| {
        let points = layer.subsets.iter().map(|subset| {
            let [value, error] = subset
                .outcome
                .ok()
                .map(value)
                .map_or([None; 2], |v| v.map(Some));
            point(subset.columns.len() as f64, value, error)
        });
        Curve {
            name: name.into(),
            points: points.collect(),
            ..Curve::default()
        }
    };
    let target = layer.target.as_ref();
    Curves {
        title: phrase![
            "Columns of ",
            name(&layer.layer),
            target.map(|target| phrase![" against ", name(target)]),
        ],
        x: axis("columns"),
        y: share("information imbalance Δ"),
        curves: vec![
            curve("Δ(subset→full)", |both| {
                [both.subset_to_full, both.std_error_subset_to_full]
            }),
            curve("Δ(full→subset)", |both| {
                [both.full_to_subset, both.std_error_full_to_subset]
            }),
        ],
        marks: Vec::new(),
    }
}

fn context(profile: &SubsetsProfile) -> Phrase {
    let mut facts: Vec<Phrase> = vec![format!("k {}", profile.parameters.options.k).into()];
    if let Some(layer) = profile.layers.first() {
        facts.push(phrase!["n ", count(layer.n)]);
        facts.push(phrase!["floor ", known(layer.floor, 2)]);
    }
    facts.push("± delete-one jackknife".into());
    if let SubsetRule::Greedy(greedy) = &profile.parameters.options.rule {
        let words = format!(
            "greedy, best {} of each size kept, by the {} criterion",
            greedy.beam, greedy.criterion
        );
        facts.push(words.into());
    }
    Phrase::join(facts, "; ")
}

fn subset_row(layer: &LayerSubsets, subset: &SubsetPair) -> Vec<Cell> {
    let mut which = Phrase::from(ranges(&subset.columns));
    if let Some(reason) = code(subset.outcome.reason()) {
        which = which.then(" ").then(reason);
    }
    let both = subset.outcome.ok();
    let mut cells = names(layer);
    cells.extend([
        count(subset.columns.len()).into(),
        known(both.map(|both| both.full_to_subset), 3).into(),
        error(both.map(|both| both.std_error_full_to_subset)).into(),
        known(both.map(|both| both.subset_to_full), 3).into(),
        error(both.map(|both| both.std_error_subset_to_full)).into(),
        which.into(),
    ]);
    cells
}

/// The layer, and the whole one that its columns are compared with, where that is another.
fn names(layer: &LayerSubsets) -> Vec<Cell> {
    let names = [Some(&layer.layer), layer.target.as_ref()];
    names
        .into_iter()
        .flatten()
        .map(|layer| name(layer).into())
        .collect()
}

/// Ascending columns with runs as ranges: `0..8,11`.
fn ranges(columns: &[usize]) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut at = 0;
    while at < columns.len() {
        let run = columns[at..]
            .iter()
            .zip(columns[at]..)
            .take_while(|(column, expected)| **column == *expected)
            .count();
        let first = columns[at];
        parts.push(if run > 2 {
            format!("{first}..{}", first + run)
        } else {
            columns[at..at + run]
                .iter()
                .map(usize::to_string)
                .collect::<Vec<_>>()
                .join(",")
        });
        at += run;
    }
    parts.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_columns_are_written_as_ranges() {
        assert_eq!(ranges(&[0, 1, 2, 3, 7, 9, 10]), "0..4,7,9,10");
        assert_eq!(ranges(&[5]), "5");
        assert_eq!(ranges(&[]), "");
    }
}
