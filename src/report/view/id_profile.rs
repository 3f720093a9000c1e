//! Shows the report of `repgeo id-profile`: its page.

use std::collections::BTreeSet;

use super::event_lines::event_summary;
use super::few_parts::few_parts;
use super::id_estimates::{control_estimate, estimate_of};
use super::id_figures::figures;
use super::id_records::id_records;
use super::warned::warnings;
use crate::geometry::id::{FitRule, RATIO, Reads};
use crate::neighbours::Metric;
use crate::profile::Resampling;
use crate::profile::id::{Extremum, IdEstimate, IdProfile, LayerId, OrderKind, Resampled};
use crate::report::page::{
    Cell, Column, Grid, Note, Page, Part, Phrase, Piece, count, decimal, error, known, name,
    number, phrase, series,
};
use crate::report::{Printable, Record};

/// Columns of estimates side by side; more go below, in a table of their own.
const BLOCK_COLUMNS: usize = 12;

impl Printable for IdProfile {
    fn records(&self) -> Vec<Record<'_>> {
        id_records(self)
    }

    fn page(&self) -> Page {
        let variants = variants(self);
        let is_only_one = variants.len() == 1;
        let mut blocks: Vec<&[Variant]> = Vec::new();
        let (mut first, mut width) = (0, 0);
        for (at, variant) in variants.iter().enumerate() {
            let columns = estimate_columns(self, variant, is_only_one).len();
            if width > 0 && width + columns > BLOCK_COLUMNS {
                blocks.push(&variants[first..at]);
                (first, width) = (at, 0);
            }
            width += columns;
        }
        blocks.push(&variants[first..]);
        let grids = blocks
            .iter()
            .enumerate()
            .map(|(at, block)| Part::Grid(estimate_grid(self, block, is_only_one, at == 0)));
        Page::new(
            "Intrinsic dimension",
            grids.collect(),
            closing(self, &variants).into(),
        )
    }

    fn figures(&self) -> Vec<Part> {
        figures(self)
    }
}

fn closing(profile: &IdProfile, variants: &[Variant]) -> Vec<Note> {
    let mut closing: Vec<Note> = profile_line(profile, variants).into_iter().collect();
    let events = profile.events.as_ref().map(event_summary);
    if let Some(events) = events.filter(|events| !events.is_empty()) {
        closing.push(Note::Line(phrase!["events: ", events]));
    }
    let is_only_one = variants.len() == 1;
    let columns = variants
        .iter()
        .map(|variant| context(profile, variant, is_only_one));
    let columns = Phrase::join(columns, "; ");
    if !columns.is_empty() {
        closing.push(Note::Context(columns));
    }
    let layers = profile.layers.iter();
    let layers = layers.map(|layer| (layer.layer.as_str(), layer.warnings.as_slice()));
    closing.extend(warnings(&profile.warnings, layers));
    closing
}

/// A kind of estimate, and what its column must hold for the sake of any layer.
struct Variant {
    /// `two_nn_base`, `gride`, …
    name: String,
    /// Whether it can have an error; counts, spectra and most local dimensions have none.
    has_errors: bool,
    /// Whether a rule chose the order of each layer, so that the table must show it.
    order_was_chosen: bool,
    /// How it was resampled, if it was.
    rule: Option<Resampling>,
}

/// The kinds of estimate that occur, in order of appearance.
fn variants(profile: &IdProfile) -> Vec<Variant> {
    let mut variants: Vec<Variant> = Vec::new();
    for estimate in profile.layers.iter().flat_map(|layer| &layer.estimates) {
        let name = estimate.variant();
        let at = variants.iter().position(|variant| variant.name == name);
        let at = at.unwrap_or_else(|| {
            variants.push(Variant {
                name,
                has_errors: false,
                order_was_chosen: false,
                rule: None,
            });
            variants.len() - 1
        });
        let variant = &mut variants[at];
        variant.has_errors |=
            matches!(estimate.estimator.reads, Reads::Ratios) || estimate.std_error().is_some();
        variant.order_was_chosen |= estimate
            .order_rule
            .is_some_and(|rule| rule != OrderKind::Fixed);
        let rule = estimate.resampled.as_ref().map(|resampled| resampled.rule);
        variant.rule = variant.rule.or(rule);
    }
    variants
}

/// A line a layer with the estimates `variants`, and Gride over its scales where that is wanted.
fn estimate_grid(
    profile: &IdProfile,
    variants: &[Variant],
    is_only_one: bool,
    with_scaling: bool,
) -> Grid {
    let orders = if with_scaling {
        scaling_orders(profile)
    } else {
        BTreeSet::new()
    };
    let mut columns = vec![Column::words("layer"), Column::number("n")];
    for variant in variants {
        columns.extend(estimate_columns(profile, variant, is_only_one));
    }
    columns.push(Column::words(match (orders.first(), orders.last()) {
        (Some(first), Some(last)) => format!("gride n={first}..{last}"),
        _ => String::new(),
    }));

    let mut grid = Grid::new(columns);
    for layer in &profile.layers {
        let mut row: Vec<Cell> = vec![name(&layer.layer).into(), count(layer.n_rows).into()];
        for variant in variants {
            row.extend(estimate_cells(profile, layer, variant));
        }
        let ids = scaling(layer, &orders);
        let missing = missing(layer, variants, is_only_one);
        // Where nothing could be drawn, the reason takes the place of the drawing.
        row.push(match ids.iter().any(Option::is_some) {
            false => missing.into(),
            true => phrase![series(ids), "   ", missing].into(),
        });
        grid.push(row);
    }
    grid
}

fn estimate_columns(profile: &IdProfile, variant: &Variant, is_only_one: bool) -> Vec<Column> {
    let mut columns = vec![match is_only_one {
        true => Column::number("id"),
        false => Column::number(variant.name.clone()),
    }];
    if variant.has_errors {
        columns.push(Column::error());
    }
    if variant.order_was_chosen {
        columns.push(Column::number("order").near());
    }
    if let Some(rule) = variant.rule {
        // Parts that share rows have a spread but no standard error.
        columns.push(Column::number(rule.name()));
        columns.push(match overlapping(profile, variant) {
            true => Column::spread(),
            false => Column::error(),
        });
    }
    for &control in &profile.parameters.options.controls {
        columns.push(Column::number(control.name()));
        if variant.has_errors {
            columns.push(Column::error());
        }
    }
    columns
}

fn estimate_cells(profile: &IdProfile, layer: &LayerId, variant: &Variant) -> Vec<Cell> {
    let estimate = estimate_of(layer, &variant.name);
    let mut cells = vec![Cell {
        marked: is_peak(profile, layer, &variant.name),
        ..known(estimate.and_then(IdEstimate::id), 3).into()
    }];
    if variant.has_errors {
        cells.push(error(estimate.and_then(IdEstimate::std_error)).into());
    }
    if variant.order_was_chosen {
        cells.push(estimate.and_then(|e| e.order).map(count).into());
    }
    if variant.rule.is_some() {
        let resampled = estimate.and_then(|e| e.resampled.as_ref());
        cells.push(known(resampled.and_then(|r| r.mean), 3).into());
        let overlapping = overlapping(profile, variant);
        let width = |r: &Resampled| if overlapping { r.std } else { r.std_error };
        cells.push(error(resampled.and_then(width)).into());
    }
    for name in &profile.parameters.options.controls {
        let mut controls = layer.controls.iter().filter(|c| c.control == *name);
        let control = controls
            .next()
            .and_then(|control| control_estimate(control, &variant.name));
        cells.push(known(control.and_then(IdEstimate::id), 3).into());
        if variant.has_errors {
            cells.push(error(control.and_then(IdEstimate::std_error)).into());
        }
    }
    cells
}

/// Whether the parts of some layer share rows.
fn overlapping(profile: &IdProfile, variant: &Variant) -> bool {
    let layers = profile.layers.iter();
    let estimates = layers.filter_map(|layer| estimate_of(layer, &variant.name));
    let mut resampled = estimates.filter_map(|estimate| estimate.resampled.as_ref());
    resampled.any(|r| r.overlapping)
}

fn is_peak(profile: &IdProfile, layer: &LayerId, variant: &str) -> bool {
    let summary = profile.summary.as_ref();
    summary.is_some_and(|s| s.variant == variant && s.peak.index == layer.index)
}

/// Every order at which some layer has a point of its scaling.
fn scaling_orders(profile: &IdProfile) -> BTreeSet<usize> {
    let points = profile.layers.iter().flat_map(|layer| &layer.scaling);
    points.map(|point| point.order).collect()
}

fn scaling(layer: &LayerId, orders: &BTreeSet<usize>) -> Vec<Option<f64>> {
    let id = |order: &usize| layer.scaling.iter().find(|p| p.order == *order)?.id();
    orders.iter().map(id).collect()
}

/// Why those estimates of this layer that are among `variants` do not exist.
fn missing(layer: &LayerId, variants: &[Variant], is_only_one: bool) -> Phrase {
    let reasons = layer.estimates.iter().filter_map(|estimate| {
        let (code, name) = (Piece::Code(estimate.outcome.reason()?), estimate.variant());
        let shown = variants.iter().any(|variant| variant.name == name);
        shown.then(|| match is_only_one {
            true => code.into(),
            false => phrase![name, ": ", code],
        })
    });
    Phrase::join(reasons, ", ")
}

/// The profile over layers drawn small, and where it is highest and lowest.
fn profile_line(profile: &IdProfile, variants: &[Variant]) -> Option<Note> {
    let summary = profile.summary.as_ref();
    let first = variants.first().map(|variant| &variant.name);
    let variant = summary.map(|s| &s.variant).or(first)?;
    let layers = profile.layers.iter();
    let values: Vec<Option<f64>> = layers
        .map(|layer| estimate_of(layer, variant)?.id())
        .collect();
    (values.iter().flatten().count() >= 2).then(|| Note::Series {
        label: "id".into(),
        values,
        words: summary.map_or_else(Phrase::default, |summary| {
            phrase![
                "max ",
                extremum(&summary.peak),
                "   min ",
                extremum(&summary.minimum)
            ]
        }),
    })
}

fn extremum(extremum: &Extremum) -> Phrase {
    phrase![
        number(extremum.id, 3),
        " at ",
        name(&extremum.layer),
        " (depth ",
        decimal(extremum.relative_depth, 2),
        ")",
    ]
}

/// What a column of IDs is: its variant, parameters, and what the error bar includes; what it reads
/// where it is the only one, for then no heading says which it is.
fn context(profile: &IdProfile, variant: &Variant, is_only_one: bool) -> Phrase {
    let layers = profile.layers.iter();
    let estimates: Vec<&IdEstimate> = layers
        .filter_map(|layer| estimate_of(layer, &variant.name))
        .collect();
    let first = estimates.first();
    let reads = first.filter(|_| is_only_one).and_then(|e| reads(e));
    let mut facts: Vec<Phrase> = vec![match reads {
        Some(reads) => format!("{} ({reads})", variant.name).into(),
        None => variant.name.clone().into(),
    }];
    let mut add = |fact: Option<String>| facts.extend(fact.map(Phrase::from));
    add(first.and_then(|e| left_out(e)));
    if first.is_some_and(|e| e.fit.is_none()) && !variant.order_was_chosen {
        add(first
            .and_then(|e| e.order)
            .map(|order| format!("order {order}")));
    }
    add(first.and_then(|e| e.k).map(|k| format!("k {k}")));
    let share = profile.parameters.options.variance;
    let counts_to_it = first.is_some_and(|e| e.fit == Some(RATIO));
    add(share
        .filter(|_| counts_to_it)
        .map(|share| format!("share {share}")));
    let kind = estimates.iter().find_map(|e| e.outcome.ok()?.error_kind);
    add(kind.map(|kind| format!("± {}", kind.name())));
    if let Some(rule) = variant.rule {
        let mut resampled = estimates.iter().filter_map(|e| e.resampled.as_ref());
        add(Some(match overlapping(profile, variant) {
            true => format!("{rule} sd of overlapping parts"),
            false => format!("{rule} ± of disjoint parts"),
        }));
        add(resampled.next().and_then(|r| few_parts(r.values.len())));
    }
    if profile.parameters.metric != Metric::Euclidean {
        facts.push(name(profile.parameters.metric.name()).into());
    }
    Phrase::join(facts, ", ")
}

/// What an estimate is made from, as `--explain` says it.
fn reads(estimate: &IdEstimate) -> Option<&'static str> {
    let variant = estimate.variant();
    let explained = estimate.estimator.explained.iter();
    let found = explained.clone().find(|one| one.variant == variant);
    Some(found?.reads)
}

/// Which ratios a fit to a share of them leaves out, in words.
fn left_out(estimate: &IdEstimate) -> Option<String> {
    let share = estimate.fraction?;
    let left = 100.0 * (1.0 - share);
    let done = match estimate.fit == Some(FitRule::Base.name()) {
        true => "left out",
        false => "censored",
    };
    Some(match left > 0.0 {
        true => format!("largest {} % of ratios {done}", (1e6 * left).round() / 1e6),
        false => "all ratios".to_owned(),
    })
}
