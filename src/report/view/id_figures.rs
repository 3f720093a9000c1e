//! The pictures of `repgeo id-profile`: the profile, the dimension against scale, the spectra.

use super::axes::{axis, depth, point};
use super::event_lines::event_marks;
use super::id_estimates::{control_estimate, estimate_of};
use crate::profile::id::{IdEstimate, IdProfile, LayerId};
use crate::report::page::{Axis, Curve, CurveRole, Curves, Mark, Part, Phrase, name, phrase};

/// The profile, then per layer the dimension against order and sample size, then the spectra.
pub(super) fn figures(profile: &IdProfile) -> Vec<Part> {
    let mut figures = vec![over_layers(profile)];
    let layers = || profile.layers.iter();
    let scaled: Vec<&LayerId> = layers().filter(|l| !l.scaling.is_empty()).collect();
    if !scaled.is_empty() {
        figures.push(by_scale(&scaled));
    }
    let decimated = layers().filter(|layer| !layer.decimation_scaling.is_empty());
    figures.extend(decimated.map(by_sample_size));
    figures.extend(spectra(profile));
    figures.into_iter().map(Part::Curves).collect()
}

/// Every estimate over layers, with its parts, controls and the events of the headline.
fn over_layers(profile: &IdProfile) -> Curves {
    let mut variants: Vec<String> = Vec::new();
    for estimate in profile.layers.iter().flat_map(|layer| &layer.estimates) {
        if !variants.contains(&estimate.variant()) {
            variants.push(estimate.variant());
        }
    }
    let curve = |name: Phrase, role, value: &dyn Fn(&LayerId) -> [Option<f64>; 2]| Curve {
        name,
        role,
        points: profile
            .layers
            .iter()
            .map(|layer| {
                let [value, error] = value(layer);
                point(layer.relative_depth, value, error)
            })
            .collect(),
    };
    let of = |estimate: Option<&IdEstimate>| {
        [
            estimate.and_then(IdEstimate::id),
            estimate.and_then(IdEstimate::std_error),
        ]
    };
    let mut curves = Vec::new();
    for variant in &variants {
        let named = |what: &str| Phrase::from(format!("{variant}{what}"));
        curves.push(curve(named(""), CurveRole::Measured, &|layer| {
            of(estimate_of(layer, variant))
        }));
        let parts = curve(named(", parts"), CurveRole::Part, &|layer| {
            let parts = estimate_of(layer, variant).and_then(|e| e.resampled.as_ref());
            [
                parts.and_then(|r| r.mean),
                parts.and_then(|r| r.std_error.or(r.std)),
            ]
        });
        curves.extend(Some(parts).filter(|curve| curve.points.iter().any(|p| p.y.is_some())));
        for control in &profile.parameters.options.controls {
            curves.push(curve(
                named(&format!(", {control}")),
                CurveRole::Control,
                &|layer| {
                    let mut controls = layer.controls.iter();
                    let control = controls.find(|found| found.control == *control);
                    of(control.and_then(|control| control_estimate(control, variant)))
                },
            ));
        }
    }
    let layers = profile.layers.iter();
    Curves {
        title: "Intrinsic dimension over layers".into(),
        x: depth(layers.map(|layer| (layer.relative_depth, layer.layer.as_str()))),
        y: axis("intrinsic dimension"),
        curves,
        marks: profile.events.as_ref().map(event_marks).unwrap_or_default(),
    }
}

/// Gride against the mean distance of its neighbours, a curve a layer; the plateau of a single one
/// as a span of that distance.
fn by_scale(layers: &[&LayerId]) -> Curves {
    let curve = |layer: &&LayerId| {
        let points = layer
            .scaling
            .iter()
            .filter_map(|found| Some(point(found.distance?, found.id(), found.std_error())));
        let whole = Curve {
            name: name(&layer.layer).into(),
            points: points.collect(),
            ..Curve::default()
        };
        let samples = layer.scaling.iter().filter_map(|found| {
            let sample = found.resampled.as_ref()?;
            let error = sample.std_error.or(sample.std);
            Some(point(sample.distance?, sample.mean, error))
        });
        let parts = Curve {
            name: phrase![name(&layer.layer), ", parts"],
            role: CurveRole::Part,
            points: samples.collect(),
        };
        let parts = Some(parts).filter(|parts| !parts.points.is_empty());
        std::iter::once(whole).chain(parts)
    };
    let (title, marks) = match layers {
        [layer] => (
            phrase!["Intrinsic dimension against scale, ", name(&layer.layer)],
            plateau(layer),
        ),
        _ => ("Intrinsic dimension against scale".into(), Vec::new()),
    };
    Curves {
        title,
        x: Axis {
            logarithmic: true,
            ..axis("mean distance of neighbours")
        },
        y: axis("intrinsic dimension"),
        curves: layers.iter().flat_map(curve).collect(),
        marks,
    }
}

fn plateau(layer: &LayerId) -> Vec<Mark> {
    let distance = |order: usize| {
        let mut points = layer.scaling.iter();
        points.find(|point| point.order == order)?.distance
    };
    let plateau = layer.plateau.as_ref().and_then(|all| all.outcome.ok());
    let span = plateau.and_then(|plateau| {
        Some(Mark::Span {
            from: distance(plateau.first_order)?,
            to: distance(plateau.last_order)?,
            label: "plateau".into(),
        })
    });
    let level = plateau.map(|plateau| Mark::Level {
        y: plateau.id,
        label: "at its centre".into(),
    });
    span.into_iter().chain(level).collect()
}

/// TwoNN on ever smaller samples.
fn by_sample_size(layer: &LayerId) -> Curves {
    let points = layer.decimation_scaling.iter().map(|found| {
        let sample = &found.resampled;
        point(found.n as f64, sample.mean, sample.std)
    });
    Curves {
        title: phrase!["Intrinsic dimension by decimation, ", name(&layer.layer)],
        x: Axis {
            logarithmic: true,
            ..axis("rows of a sample")
        },
        y: axis("intrinsic dimension"),
        curves: vec![Curve {
            name: "two_nn".into(),
            points: points.collect(),
            ..Curve::default()
        }],
        marks: Vec::new(),
    }
}

/// The share of variance in every eigenvalue, a curve a layer.
fn spectra(profile: &IdProfile) -> Option<Curves> {
    let curves: Vec<Curve> = profile
        .layers
        .iter()
        .filter_map(|layer| {
            let spectrum = layer.spectrum.as_ref()?;
            let values = spectrum.eigenvalues.iter().enumerate();
            let points = values.map(|(at, value)| {
                let share = (spectrum.total > 0.0).then(|| value / spectrum.total);
                point((at + 1) as f64, share, None)
            });
            Some(Curve {
                name: name(&layer.layer).into(),
                points: points.collect(),
                ..Curve::default()
            })
        })
        .collect();
    (!curves.is_empty()).then(|| Curves {
        title: "Spectrum of the covariance".into(),
        x: Axis {
            logarithmic: true,
            ..axis("eigenvalue, the largest first")
        },
        y: Axis {
            logarithmic: true,
            ..axis("share of variance")
        },
        curves,
        marks: Vec::new(),
    })
}
