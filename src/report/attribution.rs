//! What `repgeo attribution` reports, and how it looks.

use serde::Serialize;

use super::Printable;
use super::csv::Record;
use super::mechanism_text::{group_name, groups_and_warnings, place, stat_cells, stat_records};
use super::number::significant;
use super::style::Style;
use super::table::{Column, Grid};
use crate::mechanisms::attribution::{Attribution, Check, ComponentKind, ComponentRow};
use crate::warning::Warning;

/// Heads named at the end of the table, of each sign.
const NAMED_HEADS: usize = 4;

/// Contributions and what was asked for.
#[derive(Debug, Clone, Serialize)]
pub struct AttributionReport {
    /// What was asked for, defaults included.
    pub parameters: AttributionParameters,
    /// Number of examples.
    pub n: usize,
    /// Rows by place, group and component.
    pub components: Vec<ComponentRow>,
    /// How well the sums reproduce the last lens; `None` unless asked for.
    pub check: Option<Check>,
    /// Warnings about the run.
    pub warnings: Vec<Warning>,
}

/// What was asked for.
#[derive(Debug, Clone, Serialize)]
pub struct AttributionParameters {
    /// `block`, `head` or `both`.
    pub by: &'static str,
    /// `fold` or `keep`.
    pub value_bias: &'static str,
    /// Whether logits are relative to their mean over the vocabulary.
    pub centred: bool,
    /// The places: `last`, `slots` or `all`.
    pub positions: &'static str,
    /// The column of groups.
    pub group_by: Option<String>,
}

impl AttributionReport {
    /// The report of `found`.
    pub fn new(parameters: AttributionParameters, found: Attribution) -> Self {
        Self {
            parameters,
            n: found.n,
            components: found.rows,
            check: found.check,
            warnings: found.warnings,
        }
    }
}

impl Printable for AttributionReport {
    fn records(&self) -> Vec<Record<'_>> {
        self.components
            .iter()
            .flat_map(|row| {
                let how = match row.kind {
                    ComponentKind::Head | ComponentKind::Bias => self.parameters.value_bias,
                    _ => "final",
                };
                let variant = place(how, &row.position, row.group.as_deref());
                let mut records = stat_records(
                    &row.component,
                    ["contribution", "delta"],
                    &variant,
                    [&row.fact, &row.counterfactual, &row.delta],
                    row.n,
                );
                if row.share.is_some() {
                    records.push(Record {
                        variant: variant.into(),
                        n: Some(row.n),
                        ..Record::new(&row.component, "share", row.share)
                    });
                }
                records
            })
            .collect()
    }

    fn table(&self, style: &Style) -> String {
        let style = *style;
        let grouped = self.parameters.group_by.is_some();
        let heads = self
            .components
            .iter()
            .any(|row| row.kind == ComponentKind::Head);
        let mut columns = vec![Column::text("component"), Column::text("position")];
        if grouped {
            columns.push(Column::text("group"));
        }
        for name in ["fact", "counterfactual", "delta"] {
            columns.push(Column::number(name));
            columns.push(Column::number(style.plus_minus()).after(1));
        }
        if heads {
            columns.push(Column::number("share of its sign"));
        }
        let mut grid = Grid::new(columns);
        for row in &self.components {
            let mut cells = vec![row.component.as_str().into(), row.position.as_str().into()];
            if grouped {
                cells.push(group_name(row.group.as_deref(), style).into());
            }
            for stat in [&row.fact, &row.counterfactual, &row.delta] {
                cells.extend(stat_cells(stat, style));
            }
            if let Some(share) = row.share {
                cells.push(significant(share, 3).into());
            }
            grid.push(cells);
        }
        grid.render(style)
    }

    fn closing(&self, style: &Style) -> String {
        let mut lines = self.extreme_heads();
        if let Some(check) = &self.check {
            let error = |name: &str, value: Option<f64>| {
                value.map(|value| format!("{name} {}", significant(value, 2)))
            };
            let errors: Vec<String> = [
                error("blocks", check.blocks),
                error("heads", check.heads),
                error("logits", check.logits),
            ]
            .into_iter()
            .flatten()
            .collect();
            lines.push(format!(
                "check: largest |sum - last lens| {} (largest lens {})",
                errors.join(", "),
                significant(check.largest, 3)
            ));
        }
        groups_and_warnings(&lines, &self.warnings, *style)
    }
}

impl AttributionReport {
    /// The heads that push most to either side at the last place, over all examples.
    fn extreme_heads(&self) -> Vec<String> {
        let last = self.components.last().map(|row| row.position.as_str());
        let mut heads: Vec<(&ComponentRow, f64)> = self
            .components
            .iter()
            .filter(|row| row.kind == ComponentKind::Head && row.group.is_none())
            .filter(|row| Some(row.position.as_str()) == last)
            .filter_map(|row| Some((row, row.delta.mean?)))
            .collect();
        heads.sort_by(|a, b| a.1.total_cmp(&b.1));
        let name = |(row, delta): &(&ComponentRow, f64)| {
            let (layer, head) = (row.layer.unwrap_or(0), row.head.unwrap_or(0));
            format!("{layer}.{head} {}", significant(*delta, 3))
        };
        let factual = heads.iter().take(NAMED_HEADS).filter(|head| head.1 < 0.0);
        let counterfactual = heads
            .iter()
            .rev()
            .take(NAMED_HEADS)
            .filter(|head| head.1 > 0.0);
        let sides: [(&str, Vec<String>); 2] = [
            ("towards the fact", factual.map(name).collect()),
            (
                "towards the counterfactual",
                counterfactual.map(name).collect(),
            ),
        ];
        sides
            .into_iter()
            .filter(|(_, names)| !names.is_empty())
            .map(|(side, names)| format!("heads {side}: {}", names.join(", ")))
            .collect()
    }
}
