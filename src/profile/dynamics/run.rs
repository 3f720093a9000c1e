//! Goes through the runs one after the other and lays their values side by side.

use super::layers::merged;
use super::options::DynamicsOptions;
use super::over_layers::{changes, events_of_runs, smooth};
use super::over_runs::ranges;
use super::partners::different_partners;
use super::series::{SeriesOf, keys};
use super::shape::{
    DynamicsColumn, DynamicsLayer, DynamicsParameters, DynamicsProfile, DynamicsRun, DynamicsValue,
    RunParameters, SeriesKey,
};
use crate::error::{Error, Result};
use crate::geometry::{Known, Reason};
use crate::input::{RunSource, Series};
use crate::profile::events::EventOptions;
use crate::progress::{Phase, Progress};
use crate::warning::Warning;

/// The analysis that every run gets: the one of the command for a single dump.
pub trait RunAnalysis {
    /// The names of the layers of a run, from its headers alone.
    ///
    /// # Errors
    /// Whatever opening it gives.
    fn layers(&self, run: &RunSource) -> Result<Vec<String>>;

    /// Every number of a run; the dump is closed when it returns.
    ///
    /// # Errors
    /// Whatever the analysis gives.
    fn analyse(&self, run: &RunSource) -> Result<RunFound>;
}

/// What the analysis of one run gave.
pub struct RunFound {
    /// Rows of its dump.
    pub n_rows: usize,
    /// What its dump was understood to be.
    pub understood: String,
    /// The options of the analysis, echoed.
    pub parameters: RunParameters,
    /// Warnings about it.
    pub warnings: Vec<Warning>,
    /// Its numbers, those of any quantity; `run` is filled in later.
    pub values: Vec<DynamicsValue>,
}

/// A run on the way through: its layers and what was found, or why there is nothing.
struct Passage<'a> {
    run: &'a RunSource,
    outcome: Result<(Vec<String>, RunFound)>,
}

/// How events are sought over the layers of all runs, whose names it is given.
pub type EventsOf<'a> = &'a dyn Fn(&Series) -> Result<EventOptions>;

/// The quantity of `options` in every layer of every run, each by the analysis of a single dump.
///
/// One dump is open at a time, beside that of the run that all are compared with. All are opened once
/// before any work begins, so that a run that is not there costs no hours. `progress` is told which run
/// is at work.
///
/// # Errors
/// [`Error::Usage`] without runs; whatever opening and analysing a run gives, with its name. With `keep_going` only where no run is left.
pub fn dynamics(
    runs: &[RunSource],
    analysis: &dyn RunAnalysis,
    options: &DynamicsOptions,
    events: EventsOf<'_>,
    progress: &dyn Progress,
) -> Result<DynamicsProfile> {
    let mut looked = Vec::new();
    for run in runs {
        let layers = analysis.layers(run).map_err(|error| run.named(error));
        if !options.keep_going {
            looked.push((run, Ok(layers?)));
        } else {
            looked.push((run, layers));
        }
    }
    let names = |looked: &[(&RunSource, Result<Vec<String>>)]| -> Vec<Vec<String>> {
        let names = looked.iter().map(|(_, layers)| layers.as_ref().ok());
        names.flatten().cloned().collect()
    };
    // A bottleneck that no run has is told before the work, too.
    let events_of = |layers: &[DynamicsLayer]| {
        let gaps = layers.iter().map(|layer| (layer.layer.as_str(), None));
        events(&Series::new(gaps))
    };
    events_of(&placed(&names(&looked)))?;

    let phase = Phase::new("runs", runs.len());
    progress.plan(&[phase]);
    let mut passages = Vec::new();
    for (run, layers) in looked {
        progress.step(phase.name, &run.name);
        let outcome = layers.and_then(|layers| {
            let found = analysis.analyse(run).map_err(|error| run.named(error))?;
            Ok((layers, found))
        });
        match outcome {
            Err(error) if !options.keep_going => return Err(error),
            outcome => passages.push(Passage { run, outcome }),
        }
    }
    assemble(passages, options, events_of)
}

/// The report on what was found.
fn assemble(
    passages: Vec<Passage<'_>>,
    options: &DynamicsOptions,
    events_of: impl Fn(&[DynamicsLayer]) -> Result<EventOptions>,
) -> Result<DynamicsProfile> {
    let mut reported = Vec::new();
    let mut found = Vec::new();
    let mut names = Vec::new();
    let mut parameters = None;
    let mut first_error = None;
    for Passage { run, outcome } in passages {
        let mut one = named(run);
        let mut values = Vec::new();
        match outcome {
            Ok((layers, of_run)) => {
                one.n_rows = Some(of_run.n_rows);
                one.n_layers = Some(layers.len());
                one.understood = Some(of_run.understood);
                one.warnings = of_run.warnings;
                parameters.get_or_insert(of_run.parameters);
                names.push(layers);
                values = of_run.values;
                values.retain(|value| options.kept.contains(&value.quantity));
            }
            Err(error) => {
                one.error = Some(error.to_string());
                first_error.get_or_insert(error);
            }
        }
        reported.push(one);
        found.push(values);
    }
    let Some(analysis) = parameters else {
        return Err(
            first_error.unwrap_or_else(|| Error::Usage("there are no runs; name some".into()))
        );
    };
    let layers = placed(&names);
    let events = events_of(&layers)?;
    let mut values = aligned(&reported, &layers, &found, options);
    let keys = keys(&values, options.quantity);
    let series = SeriesOf {
        runs: &reported,
        layers: &layers,
        quantity: options.quantity,
        keys: &keys,
    };
    if events.smooth > 1 {
        smooth(&series, &mut values, &events);
    }
    let found_events = events_of_runs(&series, &values, &events);
    Ok(DynamicsProfile {
        parameters: DynamicsParameters {
            options: options.clone(),
            events,
            analysis,
        },
        ranges: ranges(&series, &values),
        shape_changes: changes(&series, &found_events),
        events: found_events,
        runs: reported,
        layers,
        warnings: match options.quantity.compares_layers() {
            true => different_partners(&values).into_iter().collect(),
            false => Vec::new(),
        },
        values,
    })
}

/// A run of which only its name and what stands beside it is known.
fn named(run: &RunSource) -> DynamicsRun {
    let columns = run.columns.iter().map(|(column, words)| DynamicsColumn {
        column: column.clone(),
        words: words.clone(),
    });
    DynamicsRun {
        run: run.name.clone(),
        x: run.x,
        columns: columns.collect(),
        n_rows: None,
        n_layers: None,
        understood: None,
        error: None,
        warnings: Vec::new(),
    }
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

/// The values run by run, series by series, in the order of `layers`; a gap where another run has
/// a value and this one has none. Of several numbers of one layer and series the first is kept: the
/// headline.
fn aligned(
    runs: &[DynamicsRun],
    layers: &[DynamicsLayer],
    found: &[Vec<DynamicsValue>],
    options: &DynamicsOptions,
) -> Vec<DynamicsValue> {
    let every = || found.iter().flatten();
    let keys = keys(every(), options.quantity);
    let is_it = |value: &DynamicsValue, key: &SeriesKey, layer: &DynamicsLayer| {
        value.layer == layer.layer && key.is_of(value, options.quantity)
    };
    let has_layer = |own: &[DynamicsValue], key: &SeriesKey, layer: &DynamicsLayer| {
        key.width.is_some() && own.iter().any(|value| value.layer == layer.layer)
    };
    // Which layer any run has a value of, in each series.
    let anywhere: Vec<Vec<bool>> = keys
        .iter()
        .map(|key| {
            let layers = layers.iter();
            let has = |layer| every().any(|value| is_it(value, key, layer));
            layers.map(has).collect()
        })
        .collect();
    let mut all = Vec::new();
    for (run, own) in runs.iter().zip(found) {
        for (key, anywhere) in keys.iter().zip(&anywhere) {
            for (layer, &anywhere) in layers.iter().zip(anywhere) {
                match own.iter().find(|value| is_it(value, key, layer)) {
                    Some(value) => all.push(DynamicsValue {
                        run: run.run.clone(),
                        ..value.clone()
                    }),
                    None if anywhere => all.push(DynamicsValue {
                        run: run.run.clone(),
                        layer: layer.layer.clone(),
                        other: key.labels.clone(),
                        quantity: key.quantity,
                        variant: key.variant.clone(),
                        scale: key.width,
                        outcome: Known(Err(match run.error {
                            Some(_) => Reason::MissingRun,
                            None if has_layer(own, key, layer) => Reason::MissingWidth,
                            None => Reason::MissingLayer,
                        })),
                        smoothed: None,
                        n: None,
                    }),
                    None => {}
                }
            }
        }
    }
    all
}
