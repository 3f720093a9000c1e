//! What `repgeo head-pattern` reports, and how it looks.

use serde::Serialize;

use super::mechanism_parts::{by_head, group, place, stat_cells, stat_columns};
use super::warned::of_run;
use crate::mechanisms::Positions;
use crate::report::page::{
    Cell, Column, Grid, Note, Page, Part, Phrase, Scale, index, name, number, phrase,
};
use crate::report::{Printable, Record};

use crate::mechanisms::patterns::{HeadPattern, PatternRow, RankedHead};
use crate::warning::Warning;

/// Heads named at the end of the table.
const NAMED_HEADS: usize = 8;

/// Attention patterns and what was asked for.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
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
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PatternParameters {
    /// The queries.
    pub query: Positions,
    /// The column of groups.
    pub group_by: Option<String>,
}

/// A row with the name of its head.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
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

    fn page(&self) -> Page {
        let grouped = self.parameters.group_by.is_some();
        let mut columns: Vec<Column> = ["head", "query", "key"].map(Column::words).into();
        if grouped {
            columns.push(Column::words("group"));
        }
        columns.push(Column::number("n"));
        columns.extend(stat_columns("attention"));
        let mut grid = Grid::new(columns);
        for NamedPattern { name: head, row } in &self.patterns {
            let mut cells: Vec<Cell> = vec![
                name(head).into(),
                name(&row.query).into(),
                name(&row.key).into(),
            ];
            if grouped {
                cells.push(group(row.group.as_deref()).into());
            }
            cells.push(index(row.n).into());
            cells.extend(stat_cells(&row.attention));
            grid.push(cells);
        }
        let heads = self.ranking.iter().take(NAMED_HEADS).map(|head| {
            let (layer, which) = (head.layer, head.head);
            phrase![format!("{layer}.{which} "), number(head.attention, 3)]
        });
        let heads = Phrase::join(heads, ", ");
        let mut closing = Vec::new();
        if !heads.is_empty() {
            closing.push(Note::Line(phrase!["last token to the attribute: ", heads]));
        }
        closing.extend(of_run(&self.warnings));
        Page::new("Attention of heads", vec![grid.into()], closing.into())
    }

    fn figures(&self) -> Vec<Part> {
        let mut pairs: Vec<(&str, &str)> = Vec::new();
        let rows = || self.patterns.iter().map(|named| &named.row);
        for row in rows().filter(|row| row.group.is_none()) {
            if !pairs.contains(&(&row.query, &row.key)) {
                pairs.push((&row.query, &row.key));
            }
        }
        let matrices = pairs.into_iter().filter_map(|(query, key)| {
            let own =
                rows().filter(|row| row.group.is_none() && row.query == query && row.key == key);
            let numbers = own.map(|row| (row.layer, row.head, row.attention.mean));
            let title = phrase![name(query), " to ", name(key)];
            let mut matrix = by_head(title, "mean attention", numbers)?;
            matrix.scale = Scale::linear(0.0, matrix.scale.high);
            Some(Part::Matrix(matrix))
        });
        matrices.collect()
    }
}
