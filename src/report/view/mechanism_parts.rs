//! What the views of mechanisms share: statistics as records, cells and points.

use super::axes::point;
use crate::mechanisms::Stat;
use crate::report::Record;
use crate::report::page::{
    Cell, Column, Matrix, Note, Phrase, Piece, Point, Scale, error, known, name,
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
