//! Shows the report of `repgeo attention-modify`.

use super::axes::{axis, share};
use super::mechanism_parts::{
    about_spread, group, outcome_cells, outcome_columns, outcome_records,
};
use super::warned::of_run;
use crate::report::page::{
    Axis, Band, Cell, Column, Curve, Curves, Grid, Mark, Note, Page, Part, Point, name, phrase,
};
use crate::report::{Printable, Record};

use crate::mechanisms::modify::{AttentionModify, ModifyRow};
use crate::mechanisms::{Outcomes, Share};

impl AttentionModify {
    fn heads(&self) -> String {
        let options = &self.parameters.options;
        let heads = options.heads.iter().enumerate();
        let names = heads.map(
            |(at, head)| match options.factors.get(at).copied().flatten() {
                Some(factor) => format!("{head}={factor}"),
                None => head.to_string(),
            },
        );
        names.collect::<Vec<_>>().join(",")
    }
}

/// The factor of a row in words.
fn factor(row: &ModifyRow) -> String {
    row.alpha
        .map_or_else(|| "own".to_owned(), |alpha| alpha.to_string())
}

impl Printable for AttentionModify {
    fn records(&self) -> Vec<Record<'_>> {
        self.rows
            .iter()
            .flat_map(|row| {
                let how = format!("{}:{}", self.parameters.options.mode, self.heads());
                let how = match &row.edit {
                    None => how,
                    Some(edit) => format!("{}:{edit}", self.parameters.options.mode),
                };
                let variant = match &row.group {
                    None => format!("{how}:{}", factor(row)),
                    Some(group) => format!("{how}:{}:{group}", factor(row)),
                };
                outcome_records("", &variant, &row.outcomes)
            })
            .collect()
    }

    fn page(&self) -> Page {
        let grouped = self.parameters.options.groups.is_some();
        let each = self.parameters.options.each.is_some();
        let mut columns = match each {
            true => vec![Column::words("edited"), Column::words("alpha")],
            false => vec![Column::words("alpha")],
        };
        if grouped {
            columns.push(Column::words("group"));
        }
        columns.extend(outcome_columns());
        let mut grid = Grid::new(columns);
        for row in &self.rows {
            let mut cells: Vec<Cell> = Vec::new();
            if each {
                cells.push(row.edit.clone().unwrap_or_else(|| "nothing".into()).into());
            }
            cells.push(factor(row).into());
            if grouped {
                cells.push(group(row.group.as_deref()).into());
            }
            cells.extend(outcome_cells(&row.outcomes));
            grid.push(cells);
        }
        let asked = &self.parameters.options;
        let edit = phrase![
            format!("heads {}, key ", self.heads()),
            name(asked.key.to_string()),
            format!(
                ", mode {}, value bias {}: {} weights edited",
                asked.mode, asked.value_bias, self.n_edited
            ),
        ];
        let mut closing = vec![Note::Line(edit)];
        let selected = self
            .selected
            .map(|alpha| format!("most factual outcomes at alpha {alpha}"));
        closing.extend(selected.map(|words| Note::Line(words.into())));
        closing.push(about_spread());
        closing.extend(of_run(&self.warnings));
        Page::new(
            "Outcomes of edited attention",
            vec![grid.into()],
            closing.into(),
        )
    }

    fn figures(&self) -> Vec<Part> {
        let mut groups: Vec<Option<&str>> = Vec::new();
        for row in &self.rows {
            if !groups.contains(&row.group.as_deref()) {
                groups.push(row.group.as_deref());
            }
        }
        let curves = groups
            .into_iter()
            .map(|group| Part::Curves(outcomes(self, group)));
        curves.collect()
    }
}

/// Shares of the three outcomes against the factor, with their 95 % intervals.
///
/// Where blocks or heads are edited one at a time, one after the other at the last of the factors.
fn outcomes(report: &AttentionModify, of: Option<&str>) -> Curves {
    let each = report.parameters.options.each.is_some();
    let last = report.rows.last().and_then(|row| row.alpha);
    let is_drawn = move |row: &&ModifyRow| !each || (row.edit.is_some() && row.alpha == last);
    let own = report.rows.iter().filter(|row| row.group.as_deref() == of);
    let drawn: Vec<(f64, &ModifyRow)> = own
        .filter(is_drawn)
        .enumerate()
        .filter_map(|(at, row)| {
            let x = if each { Some(at as f64) } else { row.alpha };
            Some((x?, row))
        })
        .collect();
    let rows = || drawn.iter();
    let curve = |name: &'static str, share: fn(&Outcomes) -> &Share| Curve {
        name: name.into(),
        points: rows()
            .map(|&(x, row)| {
                let share = share(&row.outcomes);
                Point {
                    x,
                    y: share.share,
                    band: share
                        .low
                        .zip(share.high)
                        .map(|(low, high)| Band::Range(low, high)),
                }
            })
            .collect(),
        ..Curve::default()
    };
    Curves {
        title: phrase!["Outcomes, ", group(of)],
        x: match each {
            false => Axis {
                logarithmic: by_ratios(rows().map(|&(factor, _)| factor)),
                ..axis("factor α of the attention")
            },
            true => Axis {
                names: drawn
                    .iter()
                    .map(|(at, row)| (*at, row.edit.clone().unwrap_or_default()))
                    .collect(),
                ..axis("edited")
            },
        },
        y: share("share of examples"),
        curves: vec![
            curve("fact", |found| &found.fact),
            curve("counterfactual", |found| &found.counterfactual),
            curve("other", |found| &found.other),
        ],
        marks: match each {
            true => Vec::new(),
            false => vec![Mark::At {
                x: 1.0,
                label: "unchanged".into(),
            }],
        },
    }
}

/// Whether factors are so far apart that equal ratios show more than equal steps.
fn by_ratios(factors: impl Iterator<Item = f64>) -> bool {
    const FAR: f64 = 20.0;
    let (low, high) = factors.fold((f64::INFINITY, 0.0_f64), |(low, high), factor| {
        (low.min(factor), high.max(factor))
    });
    low > 0.0 && high >= FAR * low
}
