//! Axes and matrices that pictures of several commands share.

use crate::profile::compare::{ComparedLayer, LayerMatrix, LayerRef};
use crate::report::page::{Axis, Band, Matrix, Phrase, Point, Scale};

/// The axis of layers: their depth, with their names.
pub(super) fn depth<'a>(layers: impl IntoIterator<Item = (f64, &'a str)>) -> Axis {
    let layers = layers.into_iter();
    Axis {
        label: "layer, at its relative depth".into(),
        names: layers
            .map(|(depth, name)| (depth, name.to_owned()))
            .collect(),
        range: Some([0.0, 1.0]),
        ..Axis::default()
    }
}

/// The axis of the layers that were compared.
pub(super) fn compared(layers: &[ComparedLayer]) -> Axis {
    depth(
        layers
            .iter()
            .map(|layer| (layer.relative_depth, layer.layer.as_str())),
    )
}

/// An axis of plain numbers.
pub(super) fn axis(label: impl Into<Phrase>) -> Axis {
    Axis {
        label: label.into(),
        ..Axis::default()
    }
}

/// An axis of shares, from 0 to 1.
pub(super) fn share(label: impl Into<Phrase>) -> Axis {
    Axis {
        range: Some([0.0, 1.0]),
        ..axis(label)
    }
}

/// A value with its standard error.
pub(super) fn point(x: f64, y: Option<f64>, error: Option<f64>) -> Point {
    Point {
        x,
        y,
        band: error.map(Band::Error),
    }
}

/// A value at the depth of a layer.
pub(super) fn at(layer: &LayerRef, y: Option<f64>, error: Option<f64>) -> Point {
    point(layer.relative_depth, y, error)
}

/// A matrix of pairs of layers.
pub(super) fn matrix(of: &LayerMatrix, meaning: impl Into<Phrase>, scale: Scale) -> Matrix {
    Matrix {
        title: None,
        meaning: meaning.into(),
        row_label: "layer".into(),
        column_label: "layer".into(),
        rows: of.rows.clone(),
        columns: of.columns.clone(),
        values: of.values.clone(),
        scale,
    }
}
