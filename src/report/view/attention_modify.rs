//! How the report of `repgeo attention-modify` looks.

use super::axes::{axis, share};
use super::mechanism_parts::{about_spread, group, stat_cells, stat_columns, stat_records};
use super::warned::of_run;
use crate::report::page::{
    Axis, Band, Cell, Column, Curve, Curves, Grid, Mark, Note, Page, Part, Piece, Point, index,
    name, number, phrase,
};
use crate::report::{Printable, Record};

use crate::mechanisms::Share;
use crate::mechanisms::modify::{AttentionModify, ModifyRow};

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
        columns.push(Column::number("n"));
        for header in ["fact %", "counterfactual %", "other %"] {
            columns.push(Column::number(header));
            columns.push(Column::words("95 %").tight());
        }
        columns.extend(
            ["logit fact", "logit cofa", "delta"]
                .into_iter()
                .flat_map(stat_columns),
        );
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
            cells.push(index(row.n).into());
            for share in [&row.fact, &row.counterfactual, &row.other] {
                cells.extend(share_cells(share));
            }
            for stat in [&row.logit_fact, &row.logit_counterfactual, &row.delta] {
                cells.extend(stat_cells(stat));
            }
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
    let curve = |name: &'static str, share: fn(&ModifyRow) -> &Share| Curve {
        name: name.into(),
        points: rows()
            .map(|&(x, row)| {
                let share = share(row);
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
            curve("fact", |row| &row.fact),
            curve("counterfactual", |row| &row.counterfactual),
            curve("other", |row| &row.other),
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

fn share_cells(share: &Share) -> [Cell; 2] {
    let percent = |value: f64| number(100.0 * value, 3);
    match (share.share, share.low, share.high) {
        (Some(value), Some(low), Some(high)) => [
            percent(value).into(),
            phrase![percent(low), "..", percent(high)].into(),
        ],
        _ => [Piece::Absent.into(), Cell::default()],
    }
}
