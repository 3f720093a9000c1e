//! What `repgeo head-pattern` reports, and how it looks.

use serde::Serialize;

use super::Printable;
use super::csv::Record;
use super::mechanism_text::{group_name, groups_and_warnings, place, stat_cells};
use super::number::significant;
use super::style::Style;
use super::table::{Column, Grid};
use crate::mechanisms::patterns::{HeadPattern, PatternRow, RankedHead};
use crate::warning::Warning;

/// Heads named at the end of the table.
const NAMED_HEADS: usize = 8;

/// Attention patterns and what was asked for.
#[derive(Debug, Clone, Serialize)]
pub struct HeadPatternReport {
    /// What was asked for, defaults included.
    pub parameters: PatternParameters,
    /// Number of examples.
    pub n: usize,
    /// Rows by block, head, query, key and group.
    pub patterns: Vec<NamedPattern>,
    /// Heads by mean attention from the last token to the attribute, most first.
    pub ranking: Vec<RankedHead>,
    /// Warnings about the run.
    pub warnings: Vec<Warning>,
}

/// What was asked for.
#[derive(Debug, Clone, Serialize)]
pub struct PatternParameters {
    /// The queries: `last`, `slots` or `all`.
    pub query: &'static str,
    /// The column of groups.
    pub group_by: Option<String>,
}

/// A row with the name of its head.
#[derive(Debug, Clone, Serialize)]
pub struct NamedPattern {
    /// `blocks.3.head.2`.
    pub name: String,
    /// The row.
    #[serde(flatten)]
    pub row: PatternRow,
}

impl HeadPatternReport {
    /// The report of `found`.
    pub fn new(parameters: PatternParameters, found: HeadPattern) -> Self {
        let named = |row: PatternRow| NamedPattern {
            name: format!("blocks.{}.head.{}", row.layer, row.head),
            row,
        };
        Self {
            parameters,
            n: found.n,
            patterns: found.rows.into_iter().map(named).collect(),
            ranking: found.ranking,
            warnings: found.warnings,
        }
    }
}

impl Printable for HeadPatternReport {
    fn records(&self) -> Vec<Record<'_>> {
        self.patterns
            .iter()
            .map(|NamedPattern { name, row }| Record {
                other: &row.key,
                variant: place("query", &row.query, row.group.as_deref()).into(),
                std_error: row.attention.std_error(row.n),
                n: Some(row.n),
                ..Record::new(name, "attention", row.attention.mean)
            })
            .collect()
    }

    fn table(&self, style: &Style) -> String {
        let style = *style;
        let grouped = self.parameters.group_by.is_some();
        let mut columns = vec![
            Column::text("head"),
            Column::text("query"),
            Column::text("key"),
        ];
        if grouped {
            columns.push(Column::text("group"));
        }
        columns.push(Column::number("n"));
        columns.push(Column::number("attention"));
        columns.push(Column::number(style.plus_minus()).after(1));
        let mut grid = Grid::new(columns);
        for NamedPattern { name, row } in &self.patterns {
            let mut cells = vec![
                name.as_str().into(),
                row.query.as_str().into(),
                row.key.as_str().into(),
            ];
            if grouped {
                cells.push(group_name(row.group.as_deref(), style).into());
            }
            cells.push(row.n.to_string().into());
            cells.extend(stat_cells(&row.attention, style));
            grid.push(cells);
        }
        grid.render(style)
    }

    fn closing(&self, style: &Style) -> String {
        let heads: Vec<String> = self
            .ranking
            .iter()
            .take(NAMED_HEADS)
            .map(|head| {
                format!(
                    "{}.{} {}",
                    head.layer,
                    head.head,
                    significant(head.attention, 3)
                )
            })
            .collect();
        let lines = match heads.is_empty() {
            true => Vec::new(),
            false => vec![format!("last token to the attribute: {}", heads.join(", "))],
        };
        groups_and_warnings(&lines, &self.warnings, *style)
    }
}
