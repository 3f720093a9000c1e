//! How `repgeo id-profile` looks: its records, its table and its last lines.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::csv::Record;
use super::event_lines::event_summary;
use super::number::{grouped, significant};
use super::sparkline::sparkline;
use super::style::{Emphasis, Style};
use super::table::{Cell, Column, Grid};
use super::{Printable, text, warnings};
use crate::geometry::id::Reads;
use crate::profile::id::{
    ControlId, Extremum, IdEstimate, IdProfile, IdSummary, LayerId, Plateau, Resampled, ScalePoint,
};

/// Columns of estimates side by side; more go below, in a table of their own.
const BLOCK_COLUMNS: usize = 12;

impl Printable for IdProfile {
    fn records(&self) -> Vec<Record<'_>> {
        let decimated = format!("two_nn_{}_decimation_scaling", self.parameters.fit);
        let mut records = Vec::new();
        for layer in &self.layers {
            estimate_records(layer, &layer.estimates, "", &mut records);
            scaling_records(layer, &layer.estimates, &layer.scaling, "", &mut records);
            for control in &layer.controls {
                let suffix = format!("_control_{}", control.control);
                let (estimates, scaling) = (&control.estimates, &control.scaling);
                estimate_records(layer, estimates, &suffix, &mut records);
                scaling_records(layer, estimates, scaling, &suffix, &mut records);
            }
            for point in &layer.decimation_scaling {
                resampled_records(layer, &decimated, Some(1), &point.resampled, &mut records);
            }
            if let Some(plateau) = &layer.plateau {
                plateau_records(layer, plateau, &mut records);
            }
        }
        records
    }

    fn table(&self, style: &Style) -> String {
        let variants = variants(self);
        let is_only_one = variants.len() == 1;
        let mut blocks: Vec<Vec<&str>> = vec![Vec::new()];
        let mut width = 0;
        for variant in &variants {
            let columns = estimate_columns(self, variant, is_only_one, *style).len();
            if width > 0 && width + columns > BLOCK_COLUMNS {
                blocks.push(Vec::new());
                width = 0;
            }
            width += columns;
            blocks
                .last_mut()
                .expect("there is a first block")
                .push(variant);
        }
        let grids: Vec<String> = blocks
            .iter()
            .enumerate()
            .map(|(at, block)| estimate_grid(self, block, is_only_one, at == 0, *style))
            .collect();
        grids.join("\n")
    }

    fn closing(&self, style: &Style) -> String {
        let mut lines = profile_lines(self, *style);
        let events = self
            .events
            .as_ref()
            .map(|events| event_summary(events, *style));
        if let Some(events) = events.filter(|events| !events.is_empty()) {
            lines.extend(text::wrap(&format!("events: {events}"), style.width));
        }
        let columns: Vec<String> = variants(self)
            .iter()
            .map(|variant| context(self, variant, *style))
            .collect();
        if !columns.is_empty() {
            let faint = |line: String| style.paint(&line, Emphasis::Faint);
            let context = text::wrap(&columns.join("; "), style.width);
            lines.extend(context.into_iter().map(faint));
        }
        let layers = self
            .layers
            .iter()
            .map(|layer| (layer.layer.as_str(), layer.warnings.as_slice()));
        let closing: String = lines.into_iter().map(|line| line + "\n").collect();
        closing + &warnings::lines(&self.warnings, layers, *style)
    }
}

/// The estimates of a layer, or of a control of it, which the `suffix` of the variant names.
fn estimate_records<'a>(
    layer: &'a LayerId,
    estimates: &'a [IdEstimate],
    suffix: &str,
    records: &mut Vec<Record<'a>>,
) {
    for estimate in estimates {
        let variant = estimate.variant() + suffix;
        let record = |quantity, value| Record {
            variant: Cow::Owned(variant.clone()),
            scale: estimate.scale(),
            n: Some(estimate.n),
            ..Record::new(&layer.layer, quantity, value)
        };
        records.push(Record {
            std_error: estimate.std_error,
            ..record("id", estimate.id)
        });
        if estimate.distance.is_some() {
            records.push(record("distance", estimate.distance));
        }
        if estimate.mode.is_some() {
            records.push(Record {
                variant: format!("{variant}_mode").into(),
                ..record("id", estimate.mode)
            });
        }
        if let Some(resampled) = &estimate.resampled {
            let variant = format!("{variant}_{}", resampled.rule);
            resampled_records(layer, &variant, estimate.order, resampled, records);
        }
    }
}

/// The points of the scaling that no estimate has given already.
fn scaling_records<'a>(
    layer: &'a LayerId,
    estimates: &[IdEstimate],
    scaling: &[ScalePoint],
    suffix: &str,
    records: &mut Vec<Record<'a>>,
) {
    let given: Vec<Option<usize>> = estimates
        .iter()
        .filter(|estimate| estimate.variant() == "gride")
        .map(|estimate| estimate.order)
        .collect();
    for point in scaling {
        if given.contains(&Some(point.order)) {
            continue;
        }
        let record = |quantity, value| Record {
            variant: format!("gride{suffix}").into(),
            scale: Some(point.order),
            n: Some(point.n),
            ..Record::new(&layer.layer, quantity, value)
        };
        records.push(Record {
            std_error: point.std_error,
            ..record("id", point.id)
        });
        if point.distance.is_some() {
            records.push(record("distance", point.distance));
        }
    }
}

fn resampled_records<'a>(
    layer: &'a LayerId,
    variant: &str,
    scale: Option<usize>,
    resampled: &Resampled,
    records: &mut Vec<Record<'a>>,
) {
    let record = |quantity, statistic, value| Record {
        variant: format!("{variant}_{statistic}").into(),
        scale,
        n: Some(resampled.n),
        ..Record::new(&layer.layer, quantity, value)
    };
    records.push(Record {
        std_error: resampled.std_error,
        ..record("id", "mean", resampled.mean)
    });
    records.push(record("id", "std", resampled.std));
    if resampled.distance.is_some() {
        records.push(record("distance", "mean", resampled.distance));
    }
}

fn plateau_records<'a>(layer: &'a LayerId, plateau: &Plateau, records: &mut Vec<Record<'a>>) {
    let order = |order: Option<usize>| order.map(|order| order as f64);
    for (part, value) in [
        ("first_order", order(plateau.first_order)),
        ("last_order", order(plateau.last_order)),
        ("order", order(plateau.order)),
        ("spread", plateau.spread),
        ("id", plateau.id),
    ] {
        records.push(Record {
            variant: part.into(),
            scale: plateau.order,
            ..Record::new(&layer.layer, "plateau", value)
        });
    }
}

/// A line a layer with the estimates `variants`, and Gride over its scales where that is wanted.
fn estimate_grid(
    profile: &IdProfile,
    variants: &[&str],
    is_only_one: bool,
    with_scaling: bool,
    style: Style,
) -> String {
    let orders = if with_scaling {
        scaling_orders(profile)
    } else {
        BTreeSet::new()
    };
    let mut columns = vec![Column::text("layer"), Column::number("n")];
    for variant in variants {
        columns.extend(estimate_columns(profile, variant, is_only_one, style));
    }
    columns.push(Column::text(match (orders.first(), orders.last()) {
        (Some(first), Some(last)) => format!("gride n={first}..{last}"),
        _ => String::new(),
    }));

    let mut grid = Grid::new(columns);
    for layer in &profile.layers {
        let mut row = vec![
            text::safe(&layer.layer, style).into(),
            grouped(layer.n_rows, style).into(),
        ];
        for variant in variants {
            row.extend(estimate_cells(profile, layer, variant, style));
        }
        let scaling = scaling_line(layer, &orders, style);
        let missing = missing(layer, variants, is_only_one);
        // Where nothing could be drawn, the reason takes the place of the drawing.
        row.push(match scaling.trim() {
            "" => missing.into(),
            _ => format!("{scaling}   {missing}").into(),
        });
        grid.push(row);
    }
    grid.render(style)
}

/// The kinds of estimate that occur, in order of appearance.
fn variants(profile: &IdProfile) -> Vec<String> {
    let mut variants = Vec::new();
    for estimate in profile.layers.iter().flat_map(|layer| &layer.estimates) {
        let variant = estimate.variant();
        if !variants.contains(&variant) {
            variants.push(variant);
        }
    }
    variants
}

fn estimate_of<'a>(layer: &'a LayerId, variant: &str) -> Option<&'a IdEstimate> {
    layer
        .estimates
        .iter()
        .find(|estimate| estimate.variant() == variant)
}

fn control_estimate<'a>(control: &'a ControlId, variant: &str) -> Option<&'a IdEstimate> {
    let mut estimates = control.estimates.iter();
    estimates.find(|estimate| estimate.variant() == variant)
}

fn estimates_of<'a>(profile: &'a IdProfile, variant: &str) -> impl Iterator<Item = &'a IdEstimate> {
    profile
        .layers
        .iter()
        .filter_map(move |layer| estimate_of(layer, variant))
}

/// The rule of resampling, `partitions` or `decimation`, where a variant was resampled.
fn resampling_rule(profile: &IdProfile, variant: &str) -> Option<&'static str> {
    let mut resampled = estimates_of(profile, variant).filter_map(|e| e.resampled.as_ref());
    resampled.next().map(|resampled| resampled.rule)
}

/// Whether a variant can have an error; counts, spectra and most local dimensions have none.
fn has_errors(profile: &IdProfile, variant: &str) -> bool {
    estimates_of(profile, variant)
        .any(|e| matches!(e.estimator.reads, Reads::Ratios) || e.std_error.is_some())
}

/// Whether a rule chose the order of each layer, so that the table must show it.
fn order_was_chosen(profile: &IdProfile, variant: &str) -> bool {
    estimates_of(profile, variant).any(|e| e.order_rule.is_some_and(|rule| rule != "fixed"))
}

fn estimate_columns(
    profile: &IdProfile,
    variant: &str,
    is_only_one: bool,
    style: Style,
) -> Vec<Column> {
    let error = || Column::number(style.plus_minus()).after(2);
    let name = if is_only_one { "id" } else { variant };
    let mut columns = vec![Column::number(name)];
    if has_errors(profile, variant) {
        columns.push(error());
    }
    if order_was_chosen(profile, variant) {
        columns.push(Column::number("order").after(2));
    }
    if let Some(rule) = resampling_rule(profile, variant) {
        columns.extend([Column::number(rule), error()]);
    }
    for &control in &profile.parameters.controls {
        columns.push(Column::number(control));
        if has_errors(profile, variant) {
            columns.push(error());
        }
    }
    columns
}

fn estimate_cells(profile: &IdProfile, layer: &LayerId, variant: &str, style: Style) -> Vec<Cell> {
    let estimate = estimate_of(layer, variant);
    let number = |value: Option<f64>| value.map_or(style.dash().into(), |v| significant(v, 3));
    let error = |value: Option<f64>| value.map(|v| significant(v, 2)).unwrap_or_default();

    let id = number(estimate.and_then(|e| e.id));
    let mut cells = vec![if is_peak(profile.summary.as_ref(), layer, variant) {
        Cell::bold(id)
    } else {
        id.into()
    }];
    if has_errors(profile, variant) {
        cells.push(error(estimate.and_then(|e| e.std_error)).into());
    }
    if order_was_chosen(profile, variant) {
        let order = estimate.and_then(|e| e.order);
        cells.push(order.map(|n| grouped(n, style)).unwrap_or_default().into());
    }
    if resampling_rule(profile, variant).is_some() {
        let resampled = estimate.and_then(|e| e.resampled.as_ref());
        cells.push(number(resampled.and_then(|r| r.mean)).into());
        // Parts that share rows have a spread but no standard error.
        cells.push(error(resampled.and_then(|r| r.std_error.or(r.std))).into());
    }
    for name in &profile.parameters.controls {
        let mut controls = layer.controls.iter().filter(|c| c.control == *name);
        let control = controls.next().and_then(|c| control_estimate(c, variant));
        cells.push(number(control.and_then(|e| e.id)).into());
        if has_errors(profile, variant) {
            cells.push(error(control.and_then(|e| e.std_error)).into());
        }
    }
    cells
}

fn is_peak(summary: Option<&IdSummary>, layer: &LayerId, variant: &str) -> bool {
    summary.is_some_and(|s| s.variant == variant && s.peak.index == layer.index)
}

/// Every order at which some layer has a point of its scaling.
fn scaling_orders(profile: &IdProfile) -> BTreeSet<usize> {
    let points = profile.layers.iter().flat_map(|layer| &layer.scaling);
    points.map(|point| point.order).collect()
}

fn scaling_line(layer: &LayerId, orders: &BTreeSet<usize>, style: Style) -> String {
    let id = |order: &usize| layer.scaling.iter().find(|p| p.order == *order)?.id;
    let ids: Vec<Option<f64>> = orders.iter().map(id).collect();
    sparkline(&ids, &style)
}

/// Why those estimates of this layer that are among `variants` do not exist.
fn missing(layer: &LayerId, variants: &[&str], is_only_one: bool) -> String {
    let reasons = layer.estimates.iter().filter_map(|estimate| {
        let (code, variant) = (estimate.reason?.code(), estimate.variant());
        let named = || {
            if is_only_one {
                code.to_owned()
            } else {
                format!("{variant}: {code}")
            }
        };
        variants.contains(&variant.as_str()).then(named)
    });
    reasons.collect::<Vec<_>>().join(", ")
}

/// The profile over layers as a sparkline, and where it is highest and lowest.
fn profile_lines(profile: &IdProfile, style: Style) -> Vec<String> {
    let variants = variants(profile);
    let summary = profile.summary.as_ref();
    let Some(variant) = summary.map(|s| &s.variant).or(variants.first()) else {
        return Vec::new();
    };
    let ids: Vec<Option<f64>> = profile
        .layers
        .iter()
        .map(|layer| estimate_of(layer, variant)?.id)
        .collect();
    if ids.iter().flatten().count() < 2 {
        return Vec::new();
    }
    let line = format!("id  {}", sparkline(&ids, &style));
    let sentence = summary.map_or_else(String::new, |summary| {
        format!(
            "max {}   min {}",
            extremum(&summary.peak, style),
            extremum(&summary.minimum, style)
        )
    });
    let whole = format!("{line}   {sentence}");
    match style.width {
        Some(limit) if text::width(whole.trim_end()) > limit => {
            let mut lines = chunks(&line, limit);
            lines.extend(text::wrap(&sentence, style.width));
            lines
        }
        _ => vec![whole.trim_end().to_owned()],
    }
}

fn extremum(extremum: &Extremum, style: Style) -> String {
    format!(
        "{} at {} (depth {:.2})",
        significant(extremum.id, 3),
        text::safe(&extremum.layer, style),
        extremum.relative_depth
    )
}

/// A sparkline longer than the terminal goes on in the next line.
fn chunks(line: &str, limit: usize) -> Vec<String> {
    let characters: Vec<char> = line.chars().collect();
    characters
        .chunks(limit.max(1))
        .map(|chunk| String::from_iter(chunk).trim_end().to_owned())
        .collect()
}

/// What a column of IDs is: its variant, parameters, and what the error bar includes.
fn context(profile: &IdProfile, variant: &str, style: Style) -> String {
    let mut facts = vec![variant.to_owned()];
    let first = estimates_of(profile, variant).next();
    if let Some(fraction) = first.and_then(|e| e.fraction) {
        facts.push(format!("fraction {fraction}"));
    }
    if let Some(order) = first.and_then(|e| e.order)
        && first.is_some_and(|e| e.fit.is_none())
        && !order_was_chosen(profile, variant)
    {
        facts.push(format!("order {order}"));
    }
    facts.extend(first.and_then(|e| e.k).map(|k| format!("k {k}")));
    if let Some(kind) = estimates_of(profile, variant).find_map(|e| e.error_kind) {
        facts.push(format!("{} {}", style.plus_minus(), error_kind(kind)));
    }
    if let Some(rule) = resampling_rule(profile, variant) {
        let overlapping = estimates_of(profile, variant)
            .filter_map(|e| e.resampled.as_ref())
            .any(|r| r.overlapping);
        let spread = if overlapping {
            "spread of overlapping parts"
        } else {
            "error of disjoint parts"
        };
        facts.push(format!("{rule} {} {spread}", style.plus_minus()));
    }
    if profile.parameters.metric != "euclidean" {
        facts.push(text::safe(&profile.parameters.metric, style));
    }
    facts.join(", ")
}

fn error_kind(kind: crate::geometry::id::ErrorKind) -> String {
    let value = serde_json::to_value(kind).expect("a unit variant serialises to its name");
    value.as_str().unwrap_or_default().to_owned()
}
