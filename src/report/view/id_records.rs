//! Intrinsic dimensions as CSV rows.

use std::borrow::Cow;

use crate::profile::id::{IdEstimate, IdProfile, LayerId, Plateau, Resampled, ScalePoint};
use crate::report::Record;

/// Every estimate of every layer and control, then the scaling, samples and plateau.
pub(super) fn id_records(profile: &IdProfile) -> Vec<Record<'_>> {
    let decimated = format!(
        "two_nn_{}_decimation_scaling",
        profile.parameters.options.fit.name()
    );
    let mut records = Vec::new();
    for layer in &profile.layers {
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
            std_error: estimate.std_error(),
            reason: estimate.outcome.reason(),
            ..record("id", estimate.id())
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
            std_error: point.std_error(),
            ..record("id", point.id())
        });
        if point.distance.is_some() {
            records.push(record("distance", point.distance));
        }
        if let Some(resampled) = &point.resampled {
            let variant = format!("gride{suffix}_{}", resampled.rule);
            resampled_records(layer, &variant, Some(point.order), resampled, records);
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
    let window = plateau.outcome.ok();
    for (part, value) in [
        (
            "first_order",
            window.map(|window| window.first_order as f64),
        ),
        ("last_order", window.map(|window| window.last_order as f64)),
        ("order", window.map(|window| window.order as f64)),
        ("spread", window.map(|window| window.spread)),
        ("id", window.map(|window| window.id)),
    ] {
        records.push(Record {
            variant: part.into(),
            scale: window.map(|window| window.order),
            ..Record::new(&layer.layer, "plateau", value)
        });
    }
}
