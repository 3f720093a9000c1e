//! Shows the report of `repgeo head-pattern`.

use super::mechanism_parts::{about_spread, by_head, group, place, stat_cells, stat_columns};
use super::warned::of_run;
use crate::report::page::{
    Cell, Column, Grid, Note, Page, Part, Phrase, Scale, index, name, number, phrase,
};
use crate::report::{Printable, Record};

use crate::mechanisms::patterns::HeadPattern;

/// Heads named at the end of the table.
const NAMED_HEADS: usize = 8;

impl Printable for HeadPattern {
    fn records(&self) -> Vec<Record<'_>> {
        self.patterns
            .iter()
            .map(|row| Record {
                other: &row.key,
                variant: place("query", &row.query, row.group.as_deref()).into(),
                std_error: row.attention.std_error(row.n),
                n: Some(row.n),
                ..Record::new(&row.name, "attention", row.attention.mean)
            })
            .collect()
    }

    fn page(&self) -> Page {
        let grouped = self.parameters.groups.is_some();
        let mut columns: Vec<Column> = ["head", "query", "key"].map(Column::words).into();
        if grouped {
            columns.push(Column::words("group"));
        }
        columns.push(Column::number("n"));
        columns.extend(stat_columns("attention"));
        let mut grid = Grid::new(columns);
        for row in &self.patterns {
            let mut cells: Vec<Cell> = vec![
                name(&row.name).into(),
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
        closing.push(about_spread());
        closing.extend(of_run(&self.warnings));
        Page::new("Attention of heads", vec![grid.into()], closing.into())
    }

    fn figures(&self) -> Vec<Part> {
        let mut pairs: Vec<(&str, &str)> = Vec::new();
        let rows = || self.patterns.iter();
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
