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
use crate::report::{Leading, Printable, Record};

use crate::mechanisms::Stat;
use crate::mechanisms::lens::{LensParameters, LensRow, LensRuns, LogitLens};

impl Printable for LogitLens {
    fn records(&self) -> Vec<Record<'_>> {
        records(&self.rows, &self.parameters)
    }

    fn page(&self) -> Page {
        let mut grid = Grid::new(columns(None, &self.parameters));
        push_rows(&mut grid, None, &self.rows, &self.parameters);
        let mut closing = vec![
            Note::Line(deltas(&self.rows)),
            Note::Line(about(&self.parameters).into()),
            about_spread(),
        ];
        closing.extend(of_run(&self.warnings));
        Page::new("Logit lens", vec![grid.into()], closing.into())
    }

    fn figures(&self) -> Vec<Part> {
        figures(&self.rows, None)
    }
}

impl Printable for LensRuns {
    fn records(&self) -> Vec<Record<'_>> {
        let runs = self.runs.iter();
        runs.flat_map(|run| records(&run.rows, &self.parameters))
            .collect()
    }

    fn leading(&self) -> Leading {
        let cells = self.runs.iter().flat_map(|run| {
            let count = records(&run.rows, &self.parameters).len();
            std::iter::repeat_n(vec![run.run.clone()], count)
        });
        Leading {
            header: vec!["run".to_owned()],
            cells: cells.collect(),
        }
    }

    fn page(&self) -> Page {
        let mut grid = Grid::new(columns(Some("run"), &self.parameters));
        for run in &self.runs {
            push_rows(&mut grid, Some(&run.run), &run.rows, &self.parameters);
        }
        let runs = self.runs.iter();
        let lines = runs.map(|run| Note::Line(phrase![name(&run.run), ": ", deltas(&run.rows)]));
        let mut closing: Vec<Note> = lines.collect();
        closing.push(Note::Line(about(&self.parameters).into()));
        closing.push(about_spread());
        for run in &self.runs {
            closing.extend(of_run(&run.warnings));
        }
        Page::new("Logit lens over runs", vec![grid.into()], closing.into())
    }

    fn figures(&self) -> Vec<Part> {
        let runs = self.runs.iter();
        runs.flat_map(|run| figures(&run.rows, Some(&run.run)))
            .collect()
    }
}

fn records<'a>(rows: &'a [LensRow], parameters: &LensParameters) -> Vec<Record<'a>> {
    rows.iter()
        .flat_map(|row| {
            let variant = place(
                parameters.options.scale.name(),
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

/// The columns of the table, behind one for the run where there are several.
fn columns(run: Option<&'static str>, parameters: &LensParameters) -> Vec<Column> {
    let mut columns: Vec<Column> = run.map(Column::words).into_iter().collect();
    columns.extend(["layer", "position"].map(Column::words));
    if parameters.options.groups.is_some() {
        columns.push(Column::words("group"));
    }
    columns.push(Column::number("n"));
    columns.extend(
        ["fact", "counterfactual", "delta"]
            .into_iter()
            .flat_map(stat_columns),
    );
    columns.push(Column::number("fact above"));
    if parameters.options.rank {
        columns.extend(["rank fact", "rank cofa", "fact wins", "other wins"].map(Column::number));
    }
    if parameters.options.top_k > 0 {
        columns.push(Column::words("top tokens"));
    }
    columns
}

fn push_rows(grid: &mut Grid, run: Option<&str>, rows: &[LensRow], parameters: &LensParameters) {
    for row in rows {
        let mut cells: Vec<Cell> = run.map(|run| name(run).into()).into_iter().collect();
        cells.push(name(&row.layer).into());
        cells.push(name(&row.position).into());
        if parameters.options.groups.is_some() {
            cells.push(group(row.group.as_deref()).into());
        }
        cells.push(index(row.n).into());
        for stat in [&row.fact, &row.counterfactual, &row.delta] {
            cells.extend(stat_cells(stat));
        }
        cells.push(known(row.fact_above, 3).into());
        if parameters.options.rank {
            let winners = row.winners.as_ref();
            let numbers = [
                winners.map(|w| w.rank_fact),
                winners.map(|w| w.rank_counterfactual),
                winners.map(|w| w.fact),
                winners.map(|w| w.other),
            ];
            cells.extend(numbers.map(|value| Cell::from(known(value, 3))));
        }
        if parameters.options.top_k > 0 {
            let tokens = row
                .top
                .iter()
                .map(|top| phrase![format!("{} (", top.token), number(top.share, 2), ")"]);
            cells.push(Phrase::join(tokens, ", ").into());
        }
        grid.push(cells);
    }
}

/// The difference of the logits over layers at the last place.
fn deltas(rows: &[LensRow]) -> Phrase {
    let last = rows.last().map(|row| row.position.as_str());
    let deltas = rows
        .iter()
        .filter(|row| row.group.is_none() && Some(row.position.as_str()) == last)
        .map(|row| row.delta.mean);
    phrase![
        "delta = counterfactual - factual at ",
        name(last.unwrap_or("no position")),
        ": ",
        series(deltas),
    ]
}

/// What the lens is of.
fn about(parameters: &LensParameters) -> String {
    format!(
        "lens of {} over its {} scale, {} logits",
        parameters.options.stream,
        parameters.options.scale,
        if parameters.centred { "centred" } else { "raw" }
    )
}

/// Both logits at every place, and where there are several places the difference at each; titles begin
/// with the run, if there is one.
fn figures(all: &[LensRow], run: Option<&str>) -> Vec<Part> {
    let mut positions: Vec<&str> = Vec::new();
    let mut layers: Vec<&str> = Vec::new();
    let rows = || all.iter().filter(|row| row.group.is_none());
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
        .map(|position| Part::Curves(logits(all, position, run)))
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
            title: run.map(|run| phrase![name(run)]),
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

/// Both logits and their difference over layers, at one position.
fn logits(all: &[LensRow], position: &str, run: Option<&str>) -> Curves {
    let rows: Vec<&LensRow> = all
        .iter()
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
        title: match run {
            None => phrase!["Logits at ", name(position)],
            Some(run) => phrase![name(run), ": logits at ", name(position)],
        },
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
