//! What `repgeo attention-modify` reports, and how it looks.

use serde::Serialize;

use super::Printable;
use super::csv::Record;
use super::mechanism_text::{group_name, groups_and_warnings, stat_cells, stat_records};
use super::number::significant;
use super::style::Style;
use super::table::{Cell, Column, Grid};
use crate::mechanisms::model::Head;
use crate::mechanisms::modify::{AttentionModify, ModifyRow, Share};
use crate::warning::Warning;

/// Outcomes and what was asked for.
#[derive(Debug, Clone, Serialize)]
pub struct AttentionModifyReport {
    /// What was asked for, defaults included.
    pub parameters: ModifyParameters,
    /// Number of examples.
    pub n: usize,
    /// Attention weights that are edited, over all examples and heads.
    pub n_edited: usize,
    /// Rows by factor and group.
    pub rows: Vec<ModifyRow>,
    /// The factor that was selected; `None` unless asked for.
    pub selected: Option<f64>,
    /// Warnings about the run.
    pub warnings: Vec<Warning>,
}

/// What was asked for.
#[derive(Debug, Clone, Serialize)]
pub struct ModifyParameters {
    /// The heads, as `layer.head`.
    pub heads: Vec<Head>,
    /// The edited positions: `attr`, `subject`, `all` or an index.
    pub key: String,
    /// `post`, `pre` or `renorm`.
    pub mode: &'static str,
    /// `fold` or `keep`.
    pub value_bias: &'static str,
    /// Whether logits are relative to their mean over the vocabulary.
    pub centred: bool,
    /// Whether keys and values came from a dump.
    pub replay: bool,
    /// The precision of the pass.
    pub precision: &'static str,
    /// The column of groups.
    pub group_by: Option<String>,
}

impl AttentionModifyReport {
    /// The report of `found`; `select` names the best factor.
    pub fn new(parameters: ModifyParameters, found: AttentionModify, select: bool) -> Self {
        Self {
            parameters,
            n: found.n,
            n_edited: found.edited,
            selected: select.then_some(found.best),
            rows: found.rows,
            warnings: found.warnings,
        }
    }

    fn heads(&self) -> String {
        let names: Vec<String> = self.parameters.heads.iter().map(Head::to_string).collect();
        names.join(",")
    }
}

impl Printable for AttentionModifyReport {
    fn records(&self) -> Vec<Record<'_>> {
        self.rows
            .iter()
            .flat_map(|row| {
                let how = format!("{}:{}", self.parameters.mode, self.heads());
                let variant = match &row.group {
                    None => format!("{how}:{}", row.alpha),
                    Some(group) => format!("{how}:{}:{group}", row.alpha),
                };
                let mut records = stat_records(
                    "",
                    ["logit", "delta"],
                    &variant,
                    [&row.logit_fact, &row.logit_counterfactual, &row.delta],
                    row.n,
                );
                for (other, share) in [
                    ("fact", &row.fact),
                    ("counterfactual", &row.counterfactual),
                    ("other", &row.other),
                ] {
                    records.push(Record {
                        other,
                        variant: variant.clone().into(),
                        n: Some(row.n),
                        ..Record::new("", "three_way_share", share.share)
                    });
                }
                records.push(Record {
                    other: "fact",
                    variant: variant.into(),
                    n: Some(row.n),
                    ..Record::new("", "two_way_share", row.fact_above)
                });
                records
            })
            .collect()
    }

    fn table(&self, style: &Style) -> String {
        let style = *style;
        let grouped = self.parameters.group_by.is_some();
        let mut columns = vec![Column::text("alpha")];
        if grouped {
            columns.push(Column::text("group"));
        }
        columns.push(Column::number("n"));
        for name in ["fact %", "counterfactual %", "other %"] {
            columns.push(Column::number(name));
            columns.push(Column::text("95 %").after(1));
        }
        for name in ["logit fact", "logit cofa", "delta"] {
            columns.push(Column::number(name));
            columns.push(Column::number(style.plus_minus()).after(1));
        }
        let mut grid = Grid::new(columns);
        for row in &self.rows {
            let mut cells: Vec<Cell> = vec![row.alpha.to_string().into()];
            if grouped {
                cells.push(group_name(row.group.as_deref(), style).into());
            }
            cells.push(row.n.to_string().into());
            for share in [&row.fact, &row.counterfactual, &row.other] {
                cells.extend(share_cells(share, style));
            }
            for stat in [&row.logit_fact, &row.logit_counterfactual, &row.delta] {
                cells.extend(stat_cells(stat, style));
            }
            grid.push(cells);
        }
        grid.render(style)
    }

    fn closing(&self, style: &Style) -> String {
        let asked = &self.parameters;
        let mut lines = vec![format!(
            "heads {}, key {}, mode {}, value bias {}: {} weights edited",
            self.heads(),
            asked.key,
            asked.mode,
            asked.value_bias,
            self.n_edited
        )];
        if let Some(alpha) = self.selected {
            lines.push(format!("most factual outcomes at alpha {alpha}"));
        }
        groups_and_warnings(&lines, &self.warnings, *style)
    }
}

fn share_cells(share: &Share, style: Style) -> [Cell; 2] {
    let percent = |value: f64| significant(100.0 * value, 3);
    match (share.share, share.low, share.high) {
        (Some(value), Some(low), Some(high)) => [
            percent(value).into(),
            format!("{}..{}", percent(low), percent(high)).into(),
        ],
        _ => [style.dash().into(), "".into()],
    }
}
