//! How `repgeo clones` looks.

use super::clones_records::clones_records;
use super::csv::Record;
use super::number::significant;
use super::style::Style;
use super::table::{Cell, Column, Grid};
use super::{Printable, text, warnings};
use crate::profile::clones::{ChunkScores, ChunkStatistics, ChunkWidth, ClonesProfile, Spread};
use crate::warning::Warning;

impl Printable for ClonesProfile {
    fn records(&self) -> Vec<Record<'_>> {
        clones_records(self)
    }

    fn table(&self, style: &Style) -> String {
        let style = *style;
        let mut grid = Grid::new(columns(self, style));
        for one in &self.widths {
            grid.push(row(self, one, style));
        }
        grid.render(style)
    }

    fn closing(&self, style: &Style) -> String {
        let mut lines = vec![text::safe(&self.verdict, *style)];
        lines.extend(network_line(self, *style));
        let lines = lines.iter().flat_map(|line| text::wrap(line, style.width));
        let closing: String = lines.map(|line| line + "\n").collect();
        let no_layers = std::iter::empty::<(&str, &[Warning])>();
        closing + &warnings::lines(&self.warnings, no_layers, *style)
    }
}

fn columns(profile: &ClonesProfile, style: Style) -> Vec<Column> {
    let squared = if style.ascii { "R2" } else { "R²" };
    let mut columns = vec![
        Column::number("neurons"),
        Column::number(squared),
        Column::number(style.plus_minus()).after(1),
        Column::number("i.i.d.").after(1),
        Column::number(format!("{squared} outside")),
        Column::number(style.plus_minus()).after(1),
        Column::number("i.i.d.").after(1),
        Column::number("|r|"),
        Column::number("i.i.d.").after(1),
        Column::number("|r| outside"),
        Column::number("i.i.d.").after(1),
    ];
    if profile.network.is_some() {
        columns.push(Column::number("accuracy"));
        columns.push(Column::number(style.plus_minus()).after(1));
    }
    if profile.parameters.rescale {
        columns.push(Column::number("rescaled"));
    }
    if has_train(profile) {
        columns.push(Column::number("on train"));
    }
    columns
}

fn has_train(profile: &ClonesProfile) -> bool {
    profile.widths.iter().any(|one| one.train.is_some())
}

fn row(profile: &ClonesProfile, one: &ChunkWidth, style: Style) -> Vec<Cell> {
    let number = |value: Option<f64>| -> Cell {
        let text = value.map(|value| significant(value, 3));
        text.unwrap_or_else(|| style.dash().to_owned()).into()
    };
    let mean = |spread: Option<Spread>| number(spread.map(|spread| spread.mean));
    let width = |spread: Option<Spread>| number(spread.and_then(|spread| spread.std_dev));
    let r2 = |which: &Option<ChunkStatistics>| which.as_ref().map(|statistics| statistics.r2);
    let correlation = |which: &Option<ChunkStatistics>| {
        which
            .as_ref()
            .and_then(|statistics| statistics.residual_correlation)
    };
    let baseline = one.baseline;
    // Beside a number that does not exist, its baseline would stand for nothing.
    let outside = baseline.filter(|_| one.complement.is_some());
    let is_critical = profile.critical_width.width == Some(one.width);
    let name = one.width.to_string();
    let mut row = vec![
        if is_critical {
            Cell::bold(name)
        } else {
            name.into()
        },
        mean(r2(&one.paper)),
        width(r2(&one.paper)),
        number(baseline.map(|b| b.r2_paper)),
        mean(r2(&one.complement)),
        width(r2(&one.complement)),
        number(outside.map(|b| b.r2_complement)),
        mean(correlation(&one.paper)),
        number(baseline.map(|b| b.correlation_paper)),
        mean(correlation(&one.complement)),
        number(outside.map(|b| b.correlation_complement)),
    ];
    let accuracy = |scores: &Option<ChunkScores>| scores.as_ref().map(|scores| scores.accuracy);
    if profile.network.is_some() {
        row.push(mean(accuracy(&one.test)));
        row.push(width(accuracy(&one.test)));
    }
    if profile.parameters.rescale {
        let rescaled = one
            .test
            .as_ref()
            .and_then(|scores| scores.rescaled_accuracy);
        row.push(mean(rescaled));
    }
    if has_train(profile) {
        row.push(mean(accuracy(&one.train)));
    }
    row
}

/// The limit of the error and the slope towards it.
fn network_line(profile: &ClonesProfile, style: Style) -> Option<String> {
    let network = profile.network.as_ref()?;
    let limit = network.error_limit;
    let error = limit.error?;
    let source = match (limit.source, limit.n) {
        ("ensemble", Some(n)) => format!("an ensemble of {n} networks"),
        (_, Some(n)) => format!("extrapolated from {n} widths"),
        _ => limit.source.to_owned(),
    };
    let mut line = format!(
        "error at infinite width {} ({source})",
        significant(error, 3)
    );
    if let Some(slope) = network.excess_error.slope {
        line += &format!("; excess error falls as width^{}", significant(slope, 3));
        if let Some(std_error) = network.excess_error.std_error {
            line += &format!(" {} {}", style.plus_minus(), significant(std_error, 1));
        }
        line += " (clones: -0.5)";
    }
    Some(line)
}
