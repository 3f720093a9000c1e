//! The figures of `repgeo correlate`: numbers against a column of the table, and correlations over
//! layers.

use super::axes::axis;
use super::correlate_words::words;
use crate::profile::correlate::{CorrelateProfile, NumberCorrelation};
use crate::report::page::{
    Axis, Band, Curve, Curves, Mark, Part, Phrase, Plane, PlanePoint, Point, name, number, phrase,
};

/// More correlations than this have no plane each: what they say together is what counts.
const PLANES: usize = 6;

/// A plane a correlation where they are few; curves over layers where there are several.
pub(super) fn figures(profile: &CorrelateProfile) -> Vec<Part> {
    let known = profile
        .correlations
        .iter()
        .filter(|one| !one.pairs.is_empty());
    let known: Vec<&NumberCorrelation> = known.collect();
    let mut parts = over_layers(profile);
    if known.len() <= PLANES {
        parts.extend(known.into_iter().map(|one| Part::Plane(plane(one))));
    }
    parts
}

/// The joined values of one number.
fn plane(one: &NumberCorrelation) -> Plane {
    let layer = &one.number.layer;
    let layer = (!layer.is_empty()).then(|| phrase![" at ", name(layer)]);
    let found = one.outcome.ok();
    let found = found.map(|found| {
        phrase![
            ": ",
            number(found.value, 2),
            ", p ",
            number(found.p_value, 2)
        ]
    });
    let of = phrase![words(&one.number), layer];
    let points = one.pairs.iter().map(|pair| PlanePoint {
        at: [pair.x, pair.y],
        label: name(&pair.key).into(),
        ..PlanePoint::default()
    });
    Plane {
        title: phrase![of.clone(), found],
        caption: None,
        x: axis(of),
        y: axis(name(&one.column)),
        isometric: false,
        groups: Vec::new(),
        points: points.collect(),
        segments: Vec::new(),
    }
}

/// Correlations of every number by layer, a picture a column of the table; none where no number
/// stands in two layers.
fn over_layers(profile: &CorrelateProfile) -> Vec<Part> {
    let mut layers: Vec<&str> = Vec::new();
    let mut columns: Vec<&str> = Vec::new();
    let mut numbers: Vec<Phrase> = Vec::new();
    for one in &profile.correlations {
        let layer = one.number.layer.as_str();
        if !layer.is_empty() && !layers.contains(&layer) {
            layers.push(layer);
        }
        if !columns.contains(&one.column.as_str()) {
            columns.push(&one.column);
        }
        let words = words(&one.number);
        if !numbers.contains(&words) {
            numbers.push(words);
        }
    }
    if layers.len() < 2 {
        return Vec::new();
    }
    let point = |at: usize, one: &NumberCorrelation| Point {
        x: at as f64,
        y: one.outcome.ok().map(|found| found.value),
        band: one.interval.map(|ends| Band::Range(ends.lower, ends.upper)),
    };
    let curve = |column: &str, of: &Phrase| Curve {
        name: of.clone(),
        points: (layers.iter().enumerate())
            .filter_map(|(at, layer)| {
                let own = |one: &&NumberCorrelation| {
                    one.column == column && one.number.layer == *layer && words(&one.number) == *of
                };
                Some(point(at, profile.correlations.iter().find(own)?))
            })
            .collect(),
        ..Curve::default()
    };
    let pictures = columns.iter().map(|column| Curves {
        title: phrase!["Correlation with ", name(*column)],
        x: Axis {
            names: (layers.iter().enumerate())
                .map(|(at, layer)| (at as f64, (*layer).to_owned()))
                .collect(),
            ..axis("layer")
        },
        y: Axis {
            range: Some([-1.0, 1.0]),
            ..axis(profile.parameters.options.correlation.name())
        },
        // What stands in one layer only is no curve: extremes, events.
        curves: numbers
            .iter()
            .map(|of| curve(column, of))
            .filter(|curve| curve.points.len() > 1)
            .collect(),
        marks: vec![Mark::Level {
            y: 0.0,
            label: Phrase::default(),
        }],
    });
    pictures.map(Part::Curves).collect()
}
