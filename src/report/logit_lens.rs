//! What `repgeo logit-lens` reports, and how it looks.

use serde::Serialize;

use super::csv::Record;
use super::mechanism_text::{group_name, groups_and_warnings, place, stat_cells, stat_records};
use super::number::significant;
use super::sparkline::sparkline;
use super::style::Style;
use super::table::{Column, Grid};
use super::{Printable, text};
use crate::mechanisms::lens::{LensRow, LogitLens};
use crate::warning::Warning;

/// The lens and what was asked of it.
#[derive(Debug, Clone, Serialize)]
pub struct LogitLensReport {
    /// What was asked for, defaults included.
    pub parameters: LensParameters,
    /// Number of examples.
    pub n: usize,
    /// Rows by block, place and group.
    pub rows: Vec<LensRow>,
    /// Warnings about the run.
    pub warnings: Vec<Warning>,
}

/// What was asked of the lens.
#[derive(Debug, Clone, Serialize)]
pub struct LensParameters {
    /// The stream.
    pub stream: &'static str,
    /// `final` or `own`.
    pub scale: &'static str,
    /// Whether c_t was added.
    pub with_bias: bool,
    /// Whether logits are relative to their mean over the vocabulary.
    pub centred: bool,
    /// The places: `last`, `slots` or `all`.
    pub positions: &'static str,
    /// Whether the full vocabulary was ranked.
    pub rank: bool,
    /// How many tokens were listed.
    pub top_k: usize,
    /// The column of groups.
    pub group_by: Option<String>,
}

impl LogitLensReport {
    /// The report of `lens`.
    pub fn new(parameters: LensParameters, lens: LogitLens) -> Self {
        Self {
            parameters,
            n: lens.n,
            rows: lens.rows,
            warnings: lens.warnings,
        }
    }
}

impl Printable for LogitLensReport {
    fn records(&self) -> Vec<Record<'_>> {
        self.rows
            .iter()
            .flat_map(|row| {
                let variant = place(self.parameters.scale, &row.position, row.group.as_deref());
                let mut records = stat_records(
                    &row.layer,
                    ["logit", "delta"],
                    &variant,
                    [&row.fact, &row.counterfactual, &row.delta],
                    row.n,
                );
                let mut add = |other, quantity, value| {
                    records.push(Record {
                        other,
                        variant: variant.clone().into(),
                        n: Some(row.n),
                        ..Record::new(&row.layer, quantity, value)
                    });
                };
                add("fact", "two_way_share", row.fact_above);
                if let Some(winners) = &row.winners {
                    add("fact", "three_way_share", Some(winners.fact));
                    add(
                        "counterfactual",
                        "three_way_share",
                        Some(winners.counterfactual),
                    );
                    add("other", "three_way_share", Some(winners.other));
                    add("fact", "rank", Some(winners.rank_fact));
                    add("counterfactual", "rank", Some(winners.rank_counterfactual));
                }
                records
            })
            .collect()
    }

    fn table(&self, style: &Style) -> String {
        let style = *style;
        let ranked = self.parameters.rank;
        let listed = self.parameters.top_k > 0;
        let mut columns = vec![Column::text("layer"), Column::text("position")];
        if self.parameters.group_by.is_some() {
            columns.push(Column::text("group"));
        }
        columns.push(Column::number("n"));
        for name in ["fact", "counterfactual", "delta"] {
            columns.push(Column::number(name));
            columns.push(Column::number(style.plus_minus()).after(1));
        }
        columns.push(Column::number("fact above"));
        if ranked {
            columns
                .extend(["rank fact", "rank cofa", "fact wins", "other wins"].map(Column::number));
        }
        if listed {
            columns.push(Column::text("top tokens"));
        }
        let mut grid = Grid::new(columns);
        for row in &self.rows {
            let mut cells = vec![
                text::safe(&row.layer, style).into(),
                row.position.as_str().into(),
            ];
            if self.parameters.group_by.is_some() {
                cells.push(group_name(row.group.as_deref(), style).into());
            }
            cells.push(row.n.to_string().into());
            for stat in [&row.fact, &row.counterfactual, &row.delta] {
                cells.extend(stat_cells(stat, style));
            }
            let number = |value: Option<f64>| match value {
                Some(value) => significant(value, 3),
                None => style.dash().to_owned(),
            };
            cells.push(number(row.fact_above).into());
            if ranked {
                let winners = row.winners.as_ref();
                cells.extend(
                    [
                        winners.map(|w| w.rank_fact),
                        winners.map(|w| w.rank_counterfactual),
                        winners.map(|w| w.fact),
                        winners.map(|w| w.other),
                    ]
                    .map(|value| number(value).into()),
                );
            }
            if listed {
                let tokens: Vec<String> = row
                    .top
                    .iter()
                    .map(|top| format!("{} ({})", top.token, significant(top.share, 2)))
                    .collect();
                cells.push(tokens.join(", ").into());
            }
            grid.push(cells);
        }
        grid.render(style)
    }

    fn closing(&self, style: &Style) -> String {
        let last = self.rows.last().map(|row| row.position.as_str());
        let deltas: Vec<Option<f64>> = self
            .rows
            .iter()
            .filter(|row| row.group.is_none() && Some(row.position.as_str()) == last)
            .map(|row| row.delta.mean)
            .collect();
        let words = format!(
            "delta = counterfactual - factual at {}: {}",
            last.unwrap_or("no position"),
            sparkline(&deltas, style)
        );
        let about = format!(
            "lens of {} over its {} scale, {} logits",
            self.parameters.stream,
            self.parameters.scale,
            if self.parameters.centred {
                "centred"
            } else {
                "raw"
            }
        );
        groups_and_warnings(&[words, about], &self.warnings, *style)
    }
}
