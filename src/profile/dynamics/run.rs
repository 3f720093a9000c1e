//! Goes through the runs one after the other and lays their values side by side.

use std::path::Path;

use super::layers::merged;
use super::options::DynamicsOptions;
use super::shape::{
    DynamicsColumn, DynamicsExtreme, DynamicsLayer, DynamicsProfile, DynamicsRange, DynamicsRun,
    DynamicsValue,
};
use crate::error::{Error, Result};
use crate::geometry::Reason;
use crate::input::{Dump, RunSource};
use crate::profile::bench::Bench;
use crate::profile::compare::{ComparedLayer, Comparison, Side};
use crate::profile::id::{IdOptions, id_profile};
use crate::profile::imbalance::imbalance;
use crate::profile::layers::LayerOptions;
use crate::profile::overlap::overlap;
use crate::progress::{Phase, Within};
use crate::warning::Warning;

/// How a run is opened: its layers, and how they become points.
pub type Opening<'a> = &'a dyn Fn(&Path) -> Result<(Dump, LayerOptions)>;

/// The quantity of `options` in every layer of every run, each by the analysis of a single dump.
///
/// One dump is open at a time. All are opened once before any work begins, so that a run that is not
/// there costs no hours.
///
/// # Errors
/// [`Error::Usage`] without runs or for a target that gives a layer no single partner; whatever
/// opening and analysing a run gives, with its name.
pub fn dynamics(
    runs: &[RunSource],
    open: Opening<'_>,
    options: &DynamicsOptions,
    bench: &Bench<'_>,
) -> Result<DynamicsProfile> {
    options.check()?;
    let mut parameters = None;
    let mut names: Vec<Vec<String>> = Vec::new();
    for run in runs {
        let (dump, layers) = open(&run.path).map_err(|error| of_run(run, error))?;
        parameters.get_or_insert_with(|| options.parameters(&layers, bench));
        names.push(
            dump.layers()
                .iter()
                .map(|layer| layer.name.clone())
                .collect(),
        );
    }
    let parameters =
        parameters.ok_or_else(|| Error::Usage("there are no runs; name some".into()))?;
    let mut reported = Vec::new();
    let mut found: Vec<Vec<DynamicsValue>> = Vec::new();
    let phase = Phase::new("runs", runs.len());
    bench.progress.plan(&[phase]);
    let within = Within(bench.progress);
    let inner = Bench {
        progress: &within,
        ..*bench
    };
    for run in runs {
        bench.progress.step(phase.name, &run.name);
        let one = analyse(run, open, options, &inner).map_err(|error| of_run(run, error))?;
        reported.push(one.0);
        found.push(one.1);
    }
    let layers = placed(&names);
    let values = aligned(&reported, &layers, &found);
    Ok(DynamicsProfile {
        parameters,
        ranges: ranges(&values),
        runs: reported,
        layers,
        values,
        warnings: Vec::new(),
    })
}

/// The error, which names the run if it did not.
fn of_run(run: &RunSource, source: Error) -> Error {
    let path = run.path.display().to_string();
    match source {
        Error::Usage(fact) if !fact.contains(&path) => Error::Usage(format!("{path}: {fact}")),
        other if other.to_string().contains(&path) => other,
        other => Error::Run {
            path: run.path.clone(),
            source: Box::new(other),
        },
    }
}

/// One run alone: what is said of it, and its values.
fn analyse(
    run: &RunSource,
    open: Opening<'_>,
    options: &DynamicsOptions,
    bench: &Bench<'_>,
) -> Result<(DynamicsRun, Vec<DynamicsValue>)> {
    let (dump, layers) = open(&run.path)?;
    let (warnings, values) = match options {
        DynamicsOptions::Id(options) => {
            let options = IdOptions {
                layers,
                ..options.clone()
            };
            dimensions(run, &dump, &options, bench)?
        }
        _ => {
            let side = Side {
                dump: &dump,
                options: layers,
            };
            compared(
                run,
                &Comparison::new(side, None, bench.progress)?,
                options,
                bench,
            )?
        }
    };
    let mut all = match options {
        // The profile holds those of the dump already.
        DynamicsOptions::Id(_) => Vec::new(),
        _ => dump.warnings().to_vec(),
    };
    all.extend(warnings);
    let columns = run.columns.iter().map(|(column, words)| DynamicsColumn {
        column: column.clone(),
        words: words.clone(),
    });
    let reported = DynamicsRun {
        run: run.name.clone(),
        x: run.x,
        columns: columns.collect(),
        n_rows: dump.n_rows(),
        n_layers: dump.layers().len(),
        warnings: all,
    };
    Ok((reported, values))
}

type Found = (Vec<Warning>, Vec<DynamicsValue>);

fn dimensions(
    run: &RunSource,
    dump: &Dump,
    options: &IdOptions,
    bench: &Bench<'_>,
) -> Result<Found> {
    let profile = id_profile(dump, options, bench)?;
    let mut warnings = profile.warnings;
    let mut values = Vec::new();
    for layer in profile.layers {
        let name = &layer.layer;
        warnings.extend(layer.warnings.into_iter().map(|warning| warning.of(name)));
        values.extend(layer.estimates.iter().map(|estimate| DynamicsValue {
            run: run.name.clone(),
            layer: name.clone(),
            other: None,
            variant: estimate.variant(),
            scale: estimate.scale(),
            value: estimate.id(),
            std_error: estimate.std_error(),
            n: Some(estimate.n),
            reason: estimate.outcome.reason(),
        }));
    }
    Ok((warnings, values))
}

/// Layers of a run compared with each other.
fn compared(
    run: &RunSource,
    comparison: &Comparison<'_>,
    options: &DynamicsOptions,
    bench: &Bench<'_>,
) -> Result<Found> {
    let of_layers = |layers: &[ComparedLayer]| -> Vec<Warning> {
        let named = layers.iter().flat_map(|layer| {
            let warnings = layer.warnings.iter().cloned();
            warnings.map(|warning| warning.of(&layer.layer))
        });
        named.collect()
    };
    let blank = |a: &str, b: &str, variant: &str, k: usize, n: usize| DynamicsValue {
        run: run.name.clone(),
        layer: a.to_owned(),
        other: Some(b.to_owned()),
        variant: variant.to_owned(),
        scale: Some(k),
        value: None,
        std_error: None,
        n: Some(n),
        reason: None,
    };
    Ok(match options {
        DynamicsOptions::Id(_) => (Vec::new(), Vec::new()),
        DynamicsOptions::Imbalance(options) => {
            let profile = imbalance(comparison, options, bench)?;
            let values = profile.pairs.iter().flat_map(|pair| {
                let of = |variant| blank(&pair.a.layer, &pair.b.layer, variant, pair.k, pair.n);
                let ways = [("forward", pair.forward()), ("backward", pair.backward())];
                ways.map(|(variant, [value, std_error])| DynamicsValue {
                    value,
                    std_error,
                    reason: pair.outcome.reason(),
                    ..of(variant)
                })
            });
            let values = values.collect();
            let mut warnings = profile.warnings;
            warnings.extend(of_layers(&profile.layers));
            (warnings, values)
        }
        DynamicsOptions::Overlap(options) => {
            let profile = overlap(comparison, options, bench)?;
            let values = profile.pairs.iter().map(|pair| DynamicsValue {
                value: pair.value(),
                std_error: pair.std_error(),
                reason: pair.outcome.reason(),
                ..blank(&pair.a.layer, &pair.b.layer, "", pair.k, pair.n)
            });
            let values = values.collect();
            let mut warnings = profile.warnings;
            warnings.extend(of_layers(&profile.layers));
            (warnings, values)
        }
    })
}

/// The layers of all runs in one order.
fn placed(runs: &[Vec<String>]) -> Vec<DynamicsLayer> {
    let all = merged(runs.iter().map(Vec::as_slice));
    let last = all.len().saturating_sub(1).max(1) as f64;
    let layers = all.into_iter().enumerate();
    layers
        .map(|(index, layer)| DynamicsLayer {
            n_runs: runs.iter().filter(|names| names.contains(&layer)).count(),
            index,
            relative_depth: index as f64 / last,
            layer,
        })
        .collect()
}

/// The values run by run, variant by variant, in the order of `layers`; a gap where another run has
/// a value and this one has none.
fn aligned(
    runs: &[DynamicsRun],
    layers: &[DynamicsLayer],
    found: &[Vec<DynamicsValue>],
) -> Vec<DynamicsValue> {
    let mut variants: Vec<&str> = Vec::new();
    for value in found.iter().flatten() {
        if !variants.contains(&value.variant.as_str()) {
            variants.push(&value.variant);
        }
    }
    let mut all = Vec::new();
    for (run, own) in runs.iter().zip(found) {
        for &variant in &variants {
            for layer in layers {
                let is_it =
                    |value: &&DynamicsValue| value.layer == layer.layer && value.variant == variant;
                match own.iter().find(is_it) {
                    Some(value) => all.push(value.clone()),
                    None if found.iter().flatten().any(|value| is_it(&value)) => {
                        all.push(DynamicsValue {
                            run: run.run.clone(),
                            layer: layer.layer.clone(),
                            other: None,
                            variant: variant.to_owned(),
                            scale: None,
                            value: None,
                            std_error: None,
                            n: None,
                            reason: Some(Reason::MissingLayer),
                        });
                    }
                    None => {}
                }
            }
        }
    }
    all
}

/// The extremes of every layer and variant over runs.
fn ranges(values: &[DynamicsValue]) -> Vec<DynamicsRange> {
    let mut ranges: Vec<DynamicsRange> = Vec::new();
    for value in values {
        let is_it = |range: &&mut DynamicsRange| {
            range.layer == value.layer && range.variant == value.variant
        };
        let range = match ranges.iter_mut().find(is_it) {
            Some(range) => range,
            None => {
                ranges.push(DynamicsRange {
                    layer: value.layer.clone(),
                    variant: value.variant.clone(),
                    n_runs: 0,
                    argmin: None,
                    argmax: None,
                });
                ranges.last_mut().expect("one was pushed")
            }
        };
        let Some(number) = value.value else { continue };
        range.n_runs += 1;
        let here = || {
            Some(DynamicsExtreme {
                run: value.run.clone(),
                value: number,
            })
        };
        if range
            .argmin
            .as_ref()
            .is_none_or(|least| number < least.value)
        {
            range.argmin = here();
        }
        if range.argmax.as_ref().is_none_or(|most| number > most.value) {
            range.argmax = here();
        }
    }
    ranges
}
