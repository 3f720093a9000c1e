//! The pictures of `repgeo imbalance`: profiles, the plane of both directions, R.

use super::axes::{at, axis, compared, point, share};
use super::imbalance_words::{direction, relation_words};
use crate::profile::imbalance::{ImbalancePair, ImbalanceProfile, Steps};
use crate::report::page::{
    Axis, Curve, CurveRole, Curves, Mark, Part, Phrase, Plane, PlanePoint, Segment, name, phrase,
};

/// For each k: both directions over layers where each has one partner, the plane, and R.
pub(super) fn figures(profile: &ImbalanceProfile) -> Vec<Part> {
    let mut figures = Vec::new();
    for &k in &profile.parameters.options.k {
        let pairs: Vec<&ImbalancePair> = profile.pairs.iter().filter(|pair| pair.k == k).collect();
        if profile.matrices.is_empty() && pairs.len() > 1 {
            figures.push(Part::Curves(directions(profile, &pairs, k)));
        }
        if !pairs.is_empty() {
            figures.push(Part::Plane(plane(&pairs, k)));
        }
    }
    let steps = profile.steps.iter();
    figures.extend(steps.map(|steps| Part::Curves(relative(profile, steps))));
    figures
}

fn directions(profile: &ImbalanceProfile, pairs: &[&ImbalancePair], k: usize) -> Curves {
    let to = || name(profile.parameters.options.target.to_string());
    let curve = |name: Phrase, role, point: fn(&ImbalancePair) -> [Option<f64>; 2]| Curve {
        name,
        role,
        points: pairs
            .iter()
            .map(|pair| {
                let [value, error] = point(pair);
                at(&pair.a, value, error)
            })
            .collect(),
    };
    let mut curves = vec![
        curve(
            phrase!["Δ(layer→", to(), ")"],
            CurveRole::Measured,
            ImbalancePair::forward,
        ),
        curve(
            phrase!["Δ(", to(), "→layer)"],
            CurveRole::Measured,
            ImbalancePair::backward,
        ),
    ];
    if pairs.iter().any(|pair| pair.partitions.is_some()) {
        curves.push(curve("parts, forward".into(), CurveRole::Part, |pair| {
            let parts = pair.partitions.as_ref();
            [
                parts.and_then(|p| p.forward),
                parts.and_then(|p| p.std_forward),
            ]
        }));
        curves.push(curve("parts, backward".into(), CurveRole::Part, |pair| {
            let parts = pair.partitions.as_ref();
            [
                parts.and_then(|p| p.backward),
                parts.and_then(|p| p.std_backward),
            ]
        }));
    }
    if pairs.iter().any(|pair| pair.shuffle.is_some()) {
        curves.push(curve("shuffled, forward".into(), CurveRole::Null, |pair| {
            let null = pair.shuffle.as_ref().map(|nulls| &nulls[0]);
            [null.map(|null| null.mean), null.and_then(|null| null.std)]
        }));
        curves.push(curve(
            "shuffled, backward".into(),
            CurveRole::Null,
            |pair| {
                let null = pair.shuffle.as_ref().map(|nulls| &nulls[1]);
                [null.map(|null| null.mean), null.and_then(|null| null.std)]
            },
        ));
    }
    let floor = pairs.first().and_then(|pair| {
        Some(Mark::Level {
            y: pair.floor?,
            label: "floor".into(),
        })
    });
    let independent = Mark::Level {
        y: 1.0,
        label: "independent".into(),
    };
    Curves {
        title: format!("Information imbalance, k {k}").into(),
        x: compared(&profile.layers),
        y: Axis {
            logarithmic: true,
            ..axis("information imbalance Δ")
        },
        curves,
        marks: floor.into_iter().chain([independent]).collect(),
    }
}

/// Both directions of every pair against each other; on the diagonal neither predicts more.
fn plane(pairs: &[&ImbalancePair], k: usize) -> Plane {
    let points = pairs.iter().filter_map(|pair| {
        let both = pair.outcome.ok()?;
        Some(PlanePoint {
            at: [both.forward, both.backward],
            errors: [Some(both.std_error_forward), Some(both.std_error_backward)],
            label: phrase![name(&pair.a.layer), " → ", name(&pair.b.layer)],
            group: relation_words(both.relation).to_owned(),
            size: None,
        })
    });
    Plane {
        title: format!("Information imbalance plane, k {k}").into(),
        caption: None,
        x: share("Δ(a→b)"),
        y: share("Δ(b→a)"),
        isometric: true,
        groups: Vec::new(),
        points: points.collect(),
        segments: vec![Segment {
            from: [0.0, 0.0],
            to: [1.0, 1.0],
            label: "equal".into(),
        }],
    }
}

/// R between each layer and the next, at the middle of both.
fn relative(profile: &ImbalanceProfile, steps: &Steps) -> Curves {
    let middle = |step: usize| {
        let depth = |at: usize| {
            profile
                .layers
                .get(at)
                .map_or(0.0, |layer| layer.relative_depth)
        };
        f64::midpoint(depth(step), depth(step + 1))
    };
    let values = steps.steps.iter().enumerate();
    Curves {
        title: format!("Relative difference of imbalances, k {}", steps.k).into(),
        x: compared(&profile.layers),
        y: axis("R = (Δ(l→l+1) − Δ(l+1→l)) / mean"),
        curves: vec![Curve {
            name: "R".into(),
            points: values
                .map(|(step, found)| {
                    point(middle(step), found.relative_difference, found.std_error)
                })
                .collect(),
            ..Curve::default()
        }],
        marks: steps
            .runs
            .iter()
            .map(|run| Mark::Span {
                from: middle(run.first),
                to: middle(run.last),
                label: direction(run.direction).into(),
            })
            .collect(),
    }
}
