//! What the reports on mechanisms share.

use super::csv::Record;
use super::number::significant;
use super::style::Style;
use super::table::Cell;
use super::{text, warnings};
use crate::mechanisms::Stat;
use crate::warning::Warning;

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

/// Mean and standard deviation.
pub(super) fn stat_cells(stat: &Stat, style: Style) -> [Cell; 2] {
    [
        stat.mean
            .map_or(style.dash().into(), |mean| significant(mean, 3).into()),
        stat.std.map_or("".into(), |std| significant(std, 2).into()),
    ]
}

/// The group, or that these are all examples.
pub(super) fn group_name(group: Option<&str>, style: Style) -> String {
    group.map_or("all".into(), |group| text::safe(group, style))
}

/// The last lines of a table.
pub(super) fn groups_and_warnings(words: &[String], found: &[Warning], style: Style) -> String {
    let lines = words
        .iter()
        .flat_map(|line| text::wrap(text::safe(line, style).trim_end(), style.width));
    let closing: String = lines.map(|line| line + "\n").collect();
    let no_layers = std::iter::empty::<(&str, &[Warning])>();
    closing + &warnings::lines(found, no_layers, style)
}
