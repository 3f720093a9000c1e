//! Follows a layer over runs: its extremes, and the two phases that its smallest value parts.

use std::collections::HashMap;

use super::series::SeriesOf;
use super::shape::{
    DynamicsExtreme, DynamicsPhases, DynamicsRange, DynamicsRun, DynamicsValue, Parted,
};
use crate::geometry::Reason;
use crate::geometry::phases::{Phases, phases};

/// The extremes and phases of every layer and series over runs.
pub(super) fn ranges(series: &SeriesOf<'_>, values: &[DynamicsValue]) -> Vec<DynamicsRange> {
    let mut ranges = Vec::new();
    let runs: HashMap<&str, &DynamicsRun> = series
        .runs
        .iter()
        .map(|run| (run.run.as_str(), run))
        .collect();
    let mut of_layers: HashMap<&str, Vec<&DynamicsValue>> = HashMap::new();
    for value in values {
        of_layers
            .entry(value.layer.as_str())
            .or_default()
            .push(value);
    }
    for key in series.keys {
        for layer in series.layers {
            let own = of_layers.get(layer.layer.as_str()).into_iter().flatten();
            let own: Vec<&DynamicsValue> = own
                .copied()
                .filter(|value| key.is_of(value, series.quantity))
                .collect();
            if own.is_empty() {
                continue;
            }
            let known: Vec<(DynamicsExtreme, Option<f64>)> = own
                .iter()
                .filter_map(|value| {
                    let run = runs.get(value.run.as_str())?;
                    let here = DynamicsExtreme {
                        run: run.run.clone(),
                        x: run.x,
                        value: value.value()?,
                    };
                    Some((here, value.std_error()))
                })
                .collect();
            let here = known.iter().map(|(here, _)| here);
            ranges.push(DynamicsRange {
                layer: layer.layer.clone(),
                series: key.clone(),
                n_runs: known.len(),
                argmin: here
                    .clone()
                    .reduce(|best, one| if one.value < best.value { one } else { best })
                    .cloned(),
                argmax: here
                    .reduce(|best, one| if one.value > best.value { one } else { best })
                    .cloned(),
                parted: parted(&known).map(|phases| Parted { phases }).into(),
            });
        }
    }
    ranges
}

fn parted(known: &[(DynamicsExtreme, Option<f64>)]) -> Result<DynamicsPhases, Reason> {
    let values: Vec<f64> = known.iter().map(|(here, _)| here.value).collect();
    let errors: Vec<Option<f64>> = known.iter().map(|(_, error)| *error).collect();
    let Phases { split, fall, rise } = phases(&values, &errors)?;
    let place = |at: usize| known[at].0.clone();
    Ok(DynamicsPhases {
        first: place(0),
        split: place(split),
        last: place(known.len() - 1),
        fall,
        rise,
    })
}
