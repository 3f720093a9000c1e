//! How `repgeo imbalance --coordinates` and `--greedy` look.

use super::csv::Record;
use super::number::{grouped, significant};
use super::style::{Emphasis, Style};
use super::table::{Cell, Column, Grid};
use super::{Printable, text, warnings};
use crate::profile::imbalance::{LayerSubsets, SubsetPair, SubsetsProfile};

impl Printable for SubsetsProfile {
    fn records(&self) -> Vec<Record<'_>> {
        let mut records = Vec::new();
        for layer in &self.layers {
            for (at, subset) in layer.subsets.iter().enumerate() {
                let record = |variant: &str, value| Record {
                    // Which columns these are stands in the JSON; a tidy cell holds their place.
                    variant: format!("{variant}_subset_{at}").into(),
                    scale: Some(self.k),
                    n: Some(layer.n),
                    ..Record::new(&layer.layer, "imbalance", value)
                };
                records.push(Record {
                    std_error: subset.std_error_full_to_subset,
                    ..record("full_to", subset.full_to_subset)
                });
                records.push(Record {
                    std_error: subset.std_error_subset_to_full,
                    ..record("full_from", subset.subset_to_full)
                });
                records.push(Record {
                    n: Some(layer.n),
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

    fn table(&self, style: &Style) -> String {
        let arrow = if style.ascii { "->" } else { "→" };
        let delta = if style.ascii { "Delta" } else { "Δ" };
        let error = || Column::number(style.plus_minus()).after(2);
        let mut grid = Grid::new(vec![
            Column::text("layer"),
            Column::number("columns"),
            Column::number(format!("{delta}(full{arrow}subset)")),
            error(),
            Column::number(format!("{delta}(subset{arrow}full)")),
            error(),
            Column::text("which"),
        ]);
        for layer in &self.layers {
            for subset in &layer.subsets {
                grid.push(subset_row(layer, subset, *style));
            }
            if let Some(reason) = layer.reason {
                let name = text::safe(&layer.layer, *style);
                let dash = || style.dash();
                grid.push(vec![
                    name.into(),
                    grouped(layer.n_columns, *style).into(),
                    dash().into(),
                    Cell::default(),
                    dash().into(),
                    Cell::default(),
                    reason.code().into(),
                ]);
            }
        }
        grid.render(*style)
    }

    fn closing(&self, style: &Style) -> String {
        let mut facts = vec![format!("k {}", self.k)];
        if let Some(layer) = self.layers.first() {
            facts.push(format!("n {}", grouped(layer.n, *style)));
            facts.push(format!("floor {}", significant(layer.floor, 2)));
        }
        facts.push(format!("{} delete-one jackknife", style.plus_minus()));
        if let Some(greedy) = &self.greedy {
            facts.push(format!(
                "greedy, best {} of each size kept, by the {} criterion",
                greedy.beam, greedy.criterion
            ));
        }
        let lines = text::wrap(&facts.join("; "), style.width);
        let closing: String = lines
            .into_iter()
            .map(|line| style.paint(&line, Emphasis::Faint) + "\n")
            .collect();
        let layers = self
            .layers
            .iter()
            .map(|layer| (layer.layer.as_str(), layer.warnings.as_slice()));
        closing + &warnings::lines(&self.warnings, layers, *style)
    }
}

fn subset_row(layer: &LayerSubsets, subset: &SubsetPair, style: Style) -> Vec<Cell> {
    let number = |value: Option<f64>| -> Cell {
        value.map_or(style.dash().into(), |v| significant(v, 3).into())
    };
    let error = |value: Option<f64>| -> Cell {
        value.map(|v| significant(v, 2)).unwrap_or_default().into()
    };
    let which = match subset.reason {
        Some(reason) => format!("{} {}", ranges(&subset.columns), reason.code()),
        None => ranges(&subset.columns),
    };
    vec![
        text::safe(&layer.layer, style).into(),
        grouped(subset.columns.len(), style).into(),
        number(subset.full_to_subset),
        error(subset.std_error_full_to_subset),
        number(subset.subset_to_full),
        error(subset.std_error_subset_to_full),
        which.into(),
    ]
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
