//! Shows the report of `repgeo logit-lens`.

use super::axes::{axis, depth};
use super::mechanism_parts::{
    about_spread, group, place, stat_cells, stat_columns, stat_point, stat_records,
};
use super::warned::of_run;
use crate::report::page::{
    Cell, Column, Curve, Curves, Grid, Matrix, Note, Page, Part, Phrase, Scale, index, known, name,
    number, phrase, series,
};
use crate::report::{Printable, Record};

use crate::mechanisms::Stat;
use crate::mechanisms::lens::{LensRow, LogitLens};

impl Printable for LogitLens {
    fn records(&self) -> Vec<Record<'_>> {
        self.rows
            .iter()
            .flat_map(|row| {
                let variant = place(
                    self.parameters.options.scale.name(),
                    &row.position,
                    row.group.as_deref(),
                );
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

    fn page(&self) -> Page {
        let ranked = self.parameters.options.rank;
        let listed = self.parameters.options.top_k > 0;
        let grouped = self.parameters.options.groups.is_some();
        let mut columns = vec![Column::words("layer"), Column::words("position")];
        if grouped {
            columns.push(Column::words("group"));
        }
        columns.push(Column::number("n"));
        columns.extend(
            ["fact", "counterfactual", "delta"]
                .into_iter()
                .flat_map(stat_columns),
        );
        columns.push(Column::number("fact above"));
        if ranked {
            columns
                .extend(["rank fact", "rank cofa", "fact wins", "other wins"].map(Column::number));
        }
        if listed {
            columns.push(Column::words("top tokens"));
        }
        let mut grid = Grid::new(columns);
        for row in &self.rows {
            let mut cells: Vec<Cell> = vec![name(&row.layer).into(), name(&row.position).into()];
            if grouped {
                cells.push(group(row.group.as_deref()).into());
            }
            cells.push(index(row.n).into());
            for stat in [&row.fact, &row.counterfactual, &row.delta] {
                cells.extend(stat_cells(stat));
            }
            cells.push(known(row.fact_above, 3).into());
            if ranked {
                let winners = row.winners.as_ref();
                let numbers = [
                    winners.map(|w| w.rank_fact),
                    winners.map(|w| w.rank_counterfactual),
                    winners.map(|w| w.fact),
                    winners.map(|w| w.other),
                ];
                cells.extend(numbers.map(|value| Cell::from(known(value, 3))));
            }
            if listed {
                let tokens = row
                    .top
                    .iter()
                    .map(|top| phrase![format!("{} (", top.token), number(top.share, 2), ")"]);
                cells.push(Phrase::join(tokens, ", ").into());
            }
            grid.push(cells);
        }
        let last = self.rows.last().map(|row| row.position.as_str());
        let deltas = self
            .rows
            .iter()
            .filter(|row| row.group.is_none() && Some(row.position.as_str()) == last)
            .map(|row| row.delta.mean);
        let words = phrase![
            "delta = counterfactual - factual at ",
            name(last.unwrap_or("no position")),
            ": ",
            series(deltas),
        ];
        let about = format!(
            "lens of {} over its {} scale, {} logits",
            self.parameters.options.stream,
            self.parameters.options.scale,
            if self.parameters.centred {
                "centred"
            } else {
                "raw"
            }
        );
        let mut closing = vec![Note::Line(words), Note::Line(about.into()), about_spread()];
        closing.extend(of_run(&self.warnings));
        Page::new("Logit lens", vec![grid.into()], closing.into())
    }

    fn figures(&self) -> Vec<Part> {
        let mut positions: Vec<&str> = Vec::new();
        let mut layers: Vec<&str> = Vec::new();
        let rows = || self.rows.iter().filter(|row| row.group.is_none());
        for row in rows() {
            if !positions.contains(&row.position.as_str()) {
                positions.push(&row.position);
            }
            if !layers.contains(&row.layer.as_str()) {
                layers.push(&row.layer);
            }
        }
        let mut figures: Vec<Part> = positions
            .iter()
            .map(|position| Part::Curves(logits(self, position)))
            .collect();
        if positions.len() > 1 {
            let value = |layer: &str, position: &str| {
                rows()
                    .find(|row| row.layer == layer && row.position == position)?
                    .delta
                    .mean
            };
            let values: Vec<Vec<Option<f64>>> = layers
                .iter()
                .map(|layer| {
                    positions
                        .iter()
                        .map(|position| value(layer, position))
                        .collect()
                })
                .collect();
            let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
            figures.push(Part::Matrix(Matrix {
                title: None,
                meaning: "counterfactual − factual logit".into(),
                row_label: "layer".into(),
                column_label: "position".into(),
                rows: owned(&layers),
                columns: owned(&positions),
                scale: Scale::diverging(&values),
                values,
            }));
        }
        figures
    }
}

/// Both logits and their difference over layers, at one position.
fn logits(report: &LogitLens, position: &str) -> Curves {
    let all = report.rows.iter();
    let rows: Vec<&LensRow> = all
        .filter(|row| row.group.is_none() && row.position == position)
        .collect();
    let last = rows.len().saturating_sub(1).max(1) as f64;
    let curve = |name: &'static str, stat: fn(&LensRow) -> &Stat| Curve {
        name: name.into(),
        points: rows
            .iter()
            .enumerate()
            .map(|(at, row)| stat_point(at as f64 / last, stat(row), row.n))
            .collect(),
        ..Curve::default()
    };
    Curves {
        title: phrase!["Logits at ", name(position)],
        x: depth(
            rows.iter()
                .enumerate()
                .map(|(at, row)| (at as f64 / last, row.layer.as_str())),
        ),
        y: axis("logit"),
        curves: vec![
            curve("fact", |row| &row.fact),
            curve("counterfactual", |row| &row.counterfactual),
            curve("difference", |row| &row.delta),
        ],
        marks: Vec::new(),
    }
}
