//! Shows the report of `repgeo dynamics`: its page and its pictures.

use super::axes::{axis, depth, point, share};
use super::dynamics_records::{leading, rows};
use super::dynamics_words::{context, meaning, of, quantity};
use super::runs_read::read_lines;
use super::warned::warnings;
use crate::geometry::Known;
use crate::profile::dynamics::{
    DynamicsProfile, DynamicsQuantity, DynamicsRange, DynamicsValue, Parted, Presence, RunEvents,
    SeriesKey,
};
use crate::profile::events::EventName;
use crate::report::page::{
    Axis, Cell, Column, Curve, Curves, Grid, Matrix, Note, Page, Part, Phrase, Piece, Scale, count,
    decimal, known, name, number, phrase,
};
use crate::report::{Leading, Printable, Record};

/// More runs than this have no columns of their own.
const MANY_RUNS: usize = 8;

/// Quantities of peaks that a page shows; the others are in JSON and CSV, or shown where they were
/// asked for.
const OF_PEAKS: [&str; 4] = ["n_peaks", "core_fraction", "ari", "ami"];

/// Quantities that count.
const COUNTS: [&str; 2] = ["n_peaks", "critical_width"];

impl Printable for DynamicsProfile {
    fn records(&self) -> Vec<Record<'_>> {
        rows(self).into_iter().map(|(_, record)| record).collect()
    }

    fn leading(&self) -> Leading {
        leading(self)
    }

    fn page(&self) -> Page {
        let mut parts: Vec<Part> = Vec::new();
        for key in shown(self) {
            if !of_chunks(self) {
                parts.push(Part::Matrix(matrix(self, &key)));
                parts.push(grid(self, &key).into());
            }
        }
        if of_chunks(self) {
            parts.extend(widths(self).into_iter().map(Part::from));
        }
        parts.extend(events(self).map(Part::from));
        parts.extend(phases(self).map(Part::from));
        let changes = self.shape_changes.iter().map(|change| {
            let series = of(self, &change.series);
            let shape = change.shape.name().replace('_', " ");
            let verb = if change.present { " appears" } else { " goes" };
            phrase![
                series,
                ": ",
                shape,
                verb,
                " between ",
                name(&change.from),
                " and ",
                name(&change.to)
            ]
        });
        let mut closing: Vec<Note> = changes.map(Note::Line).collect();
        closing.extend(failed(self).map(Note::Line));
        closing.extend(read_lines(&self.runs));
        closing.push(Note::Context(context(self)));
        let rows = || self.runs.iter().filter_map(|run| run.n_rows);
        if let (Some(least), Some(most)) = (rows().min(), rows().max())
            && least != most
        {
            closing.push(Note::Line(phrase![
                "runs have ",
                count(least),
                " to ",
                count(most),
                " rows: values at other numbers of rows stand at other scales",
            ]));
        }
        let runs = self.runs.iter();
        closing.extend(warnings(
            &self.warnings,
            runs.map(|run| (run.run.as_str(), run.warnings.as_slice())),
        ));
        let title = phrase![quantity(self), " over runs"];
        Page::new(title, parts, closing.into())
    }

    fn figures(&self) -> Vec<Part> {
        let all = shown(self).into_iter().filter(|_| !of_chunks(self));
        all.map(|key| Part::Curves(curves(self, &key))).collect()
    }
}

/// The series of the page, in the order of the values.
fn shown(profile: &DynamicsProfile) -> Vec<SeriesKey> {
    let parameters = &profile.parameters;
    let followed = parameters.options.quantity;
    let all = parameters.options.kept.len() == followed.quantities().len();
    let mut keys: Vec<SeriesKey> = Vec::new();
    for range in &profile.ranges {
        let key = &range.series;
        let left_out =
            followed == DynamicsQuantity::Peaks && all && !OF_PEAKS.contains(&key.quantity);
        if !key.is_beside() && !left_out && !keys.contains(key) {
            keys.push(key.clone());
        }
    }
    keys
}

/// The values of one series: a list a run, in the order of layers.
fn by_run<'a>(profile: &'a DynamicsProfile, key: &SeriesKey) -> Vec<Vec<&'a DynamicsValue>> {
    let is_it = |value: &&DynamicsValue| key.is_of(value, profile.parameters.options.quantity);
    let all: Vec<&DynamicsValue> = profile.values.iter().filter(is_it).collect();
    let runs = profile.runs.iter();
    runs.map(|run| {
        let own = all.iter().copied();
        own.filter(|value| value.run == run.run).collect()
    })
    .collect()
}

/// What is shown of a value: smoothed where that was asked for.
fn drawn(value: &DynamicsValue) -> Option<f64> {
    value.smoothed.or(value.value())
}

/// The extremes of one series, layer by layer.
fn ranges<'a>(
    profile: &'a DynamicsProfile,
    key: &SeriesKey,
) -> impl Iterator<Item = &'a DynamicsRange> {
    let key = key.clone();
    profile
        .ranges
        .iter()
        .filter(move |range| range.series == key)
}

/// Runs against layers, as shades.
fn matrix(profile: &DynamicsProfile, key: &SeriesKey) -> Matrix {
    let rows = by_run(profile, key);
    let columns = ranges(profile, key).map(|range| range.layer.clone());
    let values: Vec<Vec<Option<f64>>> = rows
        .iter()
        .map(|row| row.iter().map(|value| drawn(value)).collect())
        .collect();
    let found = || values.iter().flatten().flatten().copied();
    let least = found().reduce(f64::min);
    let most = found().reduce(f64::max);
    let share = profile.parameters.options.quantity == DynamicsQuantity::Overlap
        || profile.parameters.options.quantity == DynamicsQuantity::Labels;
    let scale = match (key.quantity, least, most) {
        ("information_imbalance", Some(least), _) if least > 0.0 => {
            Scale::logarithmic(least.min(0.5), 1.0)
        }
        ("relative_difference", ..) => Scale::diverging(&values),
        (_, Some(least), Some(most)) if !share => Scale::linear(least, most),
        _ => Scale::linear(0.0, 1.0),
    };
    Matrix {
        title: None,
        meaning: meaning(profile, key),
        row_label: "run".into(),
        column_label: "layer".into(),
        rows: profile.runs.iter().map(|run| run.run.clone()).collect(),
        columns: columns.collect(),
        values,
        scale,
    }
}

/// A line a layer: its values, where the runs are few, and the runs of its extremes.
fn grid(profile: &DynamicsProfile, key: &SeriesKey) -> Grid {
    let rows = by_run(profile, key);
    let shown = match profile.runs.len() <= MANY_RUNS {
        true => profile.runs.as_slice(),
        false => &[],
    };
    let mut columns = vec![Column::words("layer")];
    columns.extend(shown.iter().map(|run| Column::number(name(&run.run))));
    // The extremes are those of the values themselves.
    let with_extremes = profile.parameters.events.smooth == 1;
    if with_extremes {
        columns.extend([
            Column::number("lowest"),
            Column::words("in").near(),
            Column::number("highest"),
            Column::words("in").near(),
        ]);
    }
    let mut grid = Grid::new(columns);
    grid.title = Some(meaning(profile, key));
    for (at, range) in ranges(profile, key).enumerate() {
        let mut row = vec![name(&range.layer).into()];
        let values = rows.iter().take(shown.len());
        row.extend(values.map(|values| {
            let value = values.get(at).and_then(|value| drawn(value));
            figure(key.quantity, value).into()
        }));
        let extremes = [&range.argmin, &range.argmax].into_iter();
        for extreme in extremes.filter(|_| with_extremes) {
            let value = extreme.as_ref().map(|one| one.value);
            row.push(figure(key.quantity, value).into());
            row.push(extreme.as_ref().map(|one| name(&one.run)).into());
        }
        grid.push(row);
    }
    grid
}

/// A value as its quantity is written: a count without decimals, unless it is a mean.
fn figure(quantity: &str, value: Option<f64>) -> Piece {
    match value {
        Some(value) if COUNTS.contains(&quantity) && value.fract().abs() <= 0.0 => {
            decimal(value, 0)
        }
        other => known(other, 3),
    }
}

/// Whether each run has one layer and a number a chunk width.
fn of_chunks(profile: &DynamicsProfile) -> bool {
    profile.parameters.options.quantity == DynamicsQuantity::Clones
}

/// Of chunks: the critical width of every run, then a grid a quantity, runs against widths.
fn widths(profile: &DynamicsProfile) -> Vec<Grid> {
    let mut grids = Vec::new();
    let whole = shown(profile).into_iter().filter(|key| key.width.is_none());
    let whole: Vec<SeriesKey> = whole.collect();
    if !whole.is_empty() {
        let mut columns = vec![Column::words("run")];
        columns.extend(
            whole
                .iter()
                .map(|key| Column::number(key.quantity.replace('_', " "))),
        );
        let mut grid = Grid::new(columns);
        for (at, run) in profile.runs.iter().enumerate() {
            let mut row: Vec<Cell> = vec![name(&run.run).into()];
            for key in &whole {
                let own = &by_run(profile, key)[at];
                let value = own.iter().find_map(|value| value.value());
                row.push(figure(key.quantity, value).into());
            }
            grid.push(row);
        }
        grids.push(grid);
    }
    let mut series: Vec<(&'static str, String)> = Vec::new();
    let sized = || shown(profile).into_iter().filter(|key| key.width.is_some());
    for key in sized() {
        let one = (key.quantity, key.variant);
        if !series.contains(&one) {
            series.push(one);
        }
    }
    for (quantity, variant) in series {
        let keys: Vec<SeriesKey> = sized()
            .filter(|key| key.quantity == quantity && key.variant == variant)
            .collect();
        let mut columns = vec![Column::words("run")];
        let sizes = keys.iter().filter_map(|key| key.width);
        columns.extend(sizes.map(|width| Column::number(format!("w {width}"))));
        let mut grid = Grid::new(columns);
        grid.title = Some(phrase![quantity.replace('_', " "), ", ", name(variant)]);
        for (at, run) in profile.runs.iter().enumerate() {
            let mut row: Vec<Cell> = vec![name(&run.run).into()];
            for key in &keys {
                let own = by_run(profile, key);
                let value = own[at].iter().find_map(|value| value.value());
                row.push(known(value, 3).into());
            }
            grid.push(row);
        }
        grids.push(grid);
    }
    grids
}

/// The events of every run over its layers: a line a run and series.
fn events(profile: &DynamicsProfile) -> Option<Grid> {
    let keys = shown(profile);
    let found = profile
        .events
        .iter()
        .filter(|found| keys.contains(&found.series));
    let found: Vec<&RunEvents> = found.collect();
    // Two layers have no shape.
    if found.is_empty() || profile.layers.len() < 3 {
        return None;
    }
    let mut columns = vec![Column::words("run"), Column::words("of")];
    for event in ["peak", "minimum", "onset", "relative minimum"] {
        columns.push(Column::number(event));
        columns.push(Column::words("at").near());
    }
    columns.push(Column::number("humps"));
    let mut grid = Grid::new(columns);
    grid.title = Some("events over layers".into());
    for one in found {
        let mut row: Vec<Cell> = vec![name(&one.run).into(), of(profile, &one.series).into()];
        let wanted = [
            EventName::Peak,
            EventName::Minimum,
            EventName::Onset,
            EventName::RelativeMinimum,
        ];
        for event in wanted {
            let at = one.events.iter().find(|at| at.event == event);
            let place = at.and_then(|at| at.outcome.ok());
            let value = place.map(|place| place.value);
            row.push(figure(one.series.quantity, value).into());
            row.push(place.map(|place| name(&place.layer)).into());
        }
        let is_there = |shape: &Known<Presence>| shape.ok().map(|one| one.present);
        let humps = match (is_there(&one.double_hunchback), is_there(&one.hunchback)) {
            (Some(true), _) => Some(2),
            (_, Some(one)) => Some(usize::from(one)),
            (Some(false), None) => Some(0),
            (None, None) => None,
        };
        row.push(humps.map(count).into());
        grid.push(row);
    }
    Some(grid)
}

/// The layers that fall over the first runs and rise over the later ones.
fn phases(profile: &DynamicsProfile) -> Option<Grid> {
    let keys = shown(profile);
    let mut grid = Grid::new(vec![
        Column::words("layer"),
        Column::words("of"),
        Column::number("first"),
        Column::words("in").near(),
        Column::number("lowest"),
        Column::words("in").near(),
        Column::number("last"),
        Column::words("in").near(),
    ]);
    grid.title = Some("two phases over runs: a fall, then a rise".into());
    for range in &profile.ranges {
        let Some(Parted { phases }) = range.parted.ok().filter(|_| keys.contains(&range.series))
        else {
            continue;
        };
        let mut row: Vec<Cell> = vec![name(&range.layer).into(), of(profile, &range.series).into()];
        for extreme in [&phases.first, &phases.split, &phases.last] {
            row.push(number(extreme.value, 3).into());
            row.push(name(&extreme.run).into());
        }
        grid.push(row);
    }
    (!grid.rows.is_empty()).then_some(grid)
}

/// A curve a run, along the layers of all runs.
fn curves(profile: &DynamicsProfile, key: &SeriesKey) -> Curves {
    let place = |value: &DynamicsValue| {
        let mut layers = profile.layers.iter();
        let layer = layers.find(|layer| layer.layer == value.layer);
        layer.map_or(0.0, |layer| layer.relative_depth)
    };
    let rows = by_run(profile, key);
    let curves = profile.runs.iter().zip(&rows);
    let layers = profile.layers.iter();
    Curves {
        title: meaning(profile, key),
        x: depth(layers.map(|layer| (layer.relative_depth, layer.layer.as_str()))),
        y: height(profile, key),
        curves: curves
            .map(|(run, values)| Curve {
                name: name(&run.run).into(),
                points: values
                    .iter()
                    .map(|value| point(place(value), drawn(value), value.std_error()))
                    .collect(),
                ..Curve::default()
            })
            .collect(),
        marks: Vec::new(),
    }
}

fn height(profile: &DynamicsProfile, key: &SeriesKey) -> Axis {
    match profile.parameters.options.quantity {
        DynamicsQuantity::Id => axis("intrinsic dimension"),
        DynamicsQuantity::Overlap => share("overlap"),
        _ => axis(key.quantity.replace('_', " ")),
    }
}

/// The runs that were left out, and why.
fn failed(profile: &DynamicsProfile) -> impl Iterator<Item = Phrase> {
    profile.runs.iter().filter_map(|run| {
        let error = run.error.as_ref()?;
        Some(phrase!["left out: ", name(&run.run), ": ", name(error)])
    })
}
