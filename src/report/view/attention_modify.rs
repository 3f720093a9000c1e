//! How the report of `repgeo attention-modify` looks.

use super::axes::{axis, share};
use super::mechanism_parts::{about_spread, group, stat_cells, stat_columns, stat_records};
use super::warned::of_run;
use crate::report::page::{
    Band, Cell, Column, Curve, Curves, Grid, Mark, Note, Page, Part, Piece, Point, index, name,
    number, phrase,
};
use crate::report::{Printable, Record};

use crate::mechanisms::Share;
use crate::mechanisms::model::Head;
use crate::mechanisms::modify::{AttentionModify, ModifyRow};

impl AttentionModify {
    fn heads(&self) -> String {
        let names: Vec<String> = self
            .parameters
            .options
            .heads
            .iter()
            .map(Head::to_string)
            .collect();
        names.join(",")
    }
}

impl Printable for AttentionModify {
    fn records(&self) -> Vec<Record<'_>> {
        self.rows
            .iter()
            .flat_map(|row| {
                let how = format!("{}:{}", self.parameters.options.mode, self.heads());
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

    fn page(&self) -> Page {
        let grouped = self.parameters.options.groups.is_some();
        let mut columns = vec![Column::words("alpha")];
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
            let mut cells: Vec<Cell> = vec![row.alpha.to_string().into()];
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
fn outcomes(report: &AttentionModify, of: Option<&str>) -> Curves {
    let rows = || report.rows.iter().filter(|row| row.group.as_deref() == of);
    let curve = |name: &'static str, share: fn(&ModifyRow) -> &Share| Curve {
        name: name.into(),
        points: rows()
            .map(|row| {
                let share = share(row);
                Point {
                    x: row.alpha,
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
        x: axis("factor α of the attention"),
        y: share("share of examples"),
        curves: vec![
            curve("fact", |row| &row.fact),
            curve("counterfactual", |row| &row.counterfactual),
            curve("other", |row| &row.other),
        ],
        marks: vec![Mark::At {
            x: 1.0,
            label: "unchanged".into(),
        }],
    }
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
