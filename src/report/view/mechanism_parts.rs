//! Shares parts among the views of mechanisms: statistics as records, cells and points.

use super::axes::{axis, point};
use crate::mechanisms::{Outcomes, Share, Stat};
use crate::report::Record;
use crate::report::page::{
    Cell, Column, Curve, Curves, Matrix, Note, Phrase, Piece, Point, Scale, error, index, known,
    name, number, phrase,
};

/// `how:place`, or `how:place:group`: the variant of a number in CSV.
pub(super) fn place(how: &str, position: &str, group: Option<&str>) -> String {
    match group {
        None => format!("{how}:{position}"),
        Some(group) => format!("{how}:{position}:{group}"),
    }
}

/// The factual and the counterfactual mean under the first quantity, their difference under the
/// second.
pub(super) fn stat_records<'a>(
    layer: &'a str,
    quantities: [&'static str; 2],
    variant: &str,
    stats: [&Stat; 3],
    n: usize,
) -> Vec<Record<'a>> {
    let roles = [
        ("fact", quantities[0]),
        ("counterfactual", quantities[0]),
        ("", quantities[1]),
    ];
    roles
        .into_iter()
        .zip(stats)
        .map(|((other, quantity), stat)| Record {
            other,
            variant: variant.to_owned().into(),
            std_error: stat.std_error(n),
            n: Some(n),
            ..Record::new(layer, quantity, stat.mean)
        })
        .collect()
}

/// What stands below tables with such columns.
pub(super) fn about_spread() -> Note {
    Note::Line("sd over examples".into())
}

/// A mean and its standard deviation.
pub(super) fn stat_columns(header: &'static str) -> [Column; 2] {
    [Column::number(header), Column::spread().tight()]
}

/// Mean and standard deviation.
pub(super) fn stat_cells(stat: &Stat) -> [Cell; 2] {
    [known(stat.mean, 3).into(), error(stat.std).into()]
}

/// A mean with its standard error over `n` examples.
pub(super) fn stat_point(x: f64, stat: &Stat, n: usize) -> Point {
    point(x, stat.mean, stat.std_error(n))
}

/// The group, or that these are all examples.
pub(super) fn group(group: Option<&str>) -> Piece {
    group.map_or("all".into(), name)
}

/// Columns of outcomes and logits, the number of examples first.
pub(super) fn outcome_columns() -> Vec<Column> {
    let mut columns = vec![Column::number("n")];
    for header in ["fact %", "counterfactual %", "other %"] {
        columns.push(Column::number(header));
        columns.push(Column::words("95 %").tight());
    }
    let logits = ["logit fact", "logit cofa", "delta"];
    columns.extend(logits.into_iter().flat_map(stat_columns));
    columns
}

/// The cells below [`outcome_columns`].
pub(super) fn outcome_cells(of: &Outcomes) -> Vec<Cell> {
    let mut cells: Vec<Cell> = vec![index(of.n).into()];
    for share in [&of.fact, &of.counterfactual, &of.other] {
        cells.extend(share_cells(share));
    }
    for stat in [&of.logit_fact, &of.logit_counterfactual, &of.delta] {
        cells.extend(stat_cells(stat));
    }
    cells
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

/// Logits, their difference, the three shares of outcomes and that of the two tokens.
pub(super) fn outcome_records<'a>(layer: &'a str, variant: &str, of: &Outcomes) -> Vec<Record<'a>> {
    let mut records = stat_records(
        layer,
        ["logit", "delta"],
        variant,
        [&of.logit_fact, &of.logit_counterfactual, &of.delta],
        of.n,
    );
    let mut add = |other, quantity, value| {
        records.push(Record {
            other,
            variant: variant.to_owned().into(),
            n: Some(of.n),
            ..Record::new(layer, quantity, value)
        });
    };
    add("fact", "three_way_share", of.fact.share);
    add("counterfactual", "three_way_share", of.counterfactual.share);
    add("other", "three_way_share", of.other.share);
    add("fact", "two_way_share", of.fact_above);
    records
}

/// A number of every block and head as shades to both sides of 0; `None` without heads.
pub(super) fn by_head(
    title: impl Into<Phrase>,
    meaning: &'static str,
    numbers: impl Iterator<Item = (usize, usize, Option<f64>)>,
) -> Option<Matrix> {
    let numbers: Vec<(usize, usize, Option<f64>)> = numbers.collect();
    let layers = numbers.iter().map(|&(layer, ..)| layer + 1).max()?;
    let heads = numbers.iter().map(|&(_, head, _)| head + 1).max()?;
    let mut values = vec![vec![None; heads]; layers];
    for (layer, head, value) in numbers {
        values[layer][head] = value;
    }
    Some(Matrix {
        title: Some(title.into()),
        meaning: meaning.into(),
        row_label: "block".into(),
        column_label: "head".into(),
        rows: (0..layers).map(|layer| layer.to_string()).collect(),
        columns: (0..heads).map(|head| format!("head {head}")).collect(),
        scale: Scale::diverging(&values),
        values,
    })
}

/// Numbers of attention and MLP against the block; `None` without any.
pub(super) fn by_block(
    title: impl Into<Phrase>,
    meaning: &'static str,
    curves: [Curve; 2],
) -> Option<Curves> {
    let has_points = curves.iter().any(|curve| !curve.points.is_empty());
    has_points.then(|| Curves {
        title: title.into(),
        x: axis("block"),
        y: axis(meaning),
        curves: curves.into(),
        marks: Vec::new(),
    })
}
