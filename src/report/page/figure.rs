//! Parts that are pictures: curves, matrices, trees and planes, in data and not in ink.

use super::Phrase;
use crate::geometry::Reason;

/// An axis: what it measures, in which unit, and where it has names.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Axis {
    /// What it measures, e.g. `relative depth`.
    pub label: Phrase,
    /// The unit, where it has one, e.g. `nats`.
    pub unit: Option<&'static str>,
    /// Equal steps or equal ratios.
    pub logarithmic: bool,
    /// Positions with names: layers at their depth. Empty for plain numbers.
    pub names: Vec<(f64, String)>,
    /// The range that is meaningful whatever the data, e.g. 0 to 1 of a share.
    pub range: Option<[f64; 2]>,
}

/// Quantities along one axis.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Curves {
    /// What is shown.
    pub title: Phrase,
    /// The axis along which they run.
    pub x: Axis,
    /// What they measure.
    pub y: Axis,
    /// The curves, the main one first.
    pub curves: Vec<Curve>,
    /// Events, spans and levels that are marked.
    pub marks: Vec<Mark>,
}

/// One quantity along an axis.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Curve {
    /// Its name in the legend.
    pub name: Phrase,
    /// Measured, or what it is compared with.
    pub role: CurveRole,
    /// Its points, gaps included.
    pub points: Vec<Point>,
}

/// What a curve is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CurveRole {
    /// What was measured.
    #[default]
    Measured,
    /// The same on parts of the rows.
    Part,
    /// The same on a control.
    Control,
    /// What chance, or no relation at all, would give.
    Null,
}

/// One point of a curve.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Point {
    /// Its place along the axis.
    pub x: f64,
    /// The value; a gap where it does not exist.
    pub y: Option<f64>,
    /// How sure it is.
    pub band: Option<Band>,
}

/// How sure a value is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Band {
    /// A standard error, or a spread, to both sides.
    Error(f64),
    /// From where to where.
    Range(f64, f64),
}

/// Something that is pointed out on an axis.
#[derive(Debug, Clone, PartialEq)]
pub enum Mark {
    /// An event at one place.
    At {
        /// Where.
        x: f64,
        /// What it is.
        label: Phrase,
    },
    /// Something that lasts.
    Span {
        /// Where it begins.
        from: f64,
        /// Where it ends.
        to: f64,
        /// What it is.
        label: Phrase,
    },
    /// A level of the quantity: chance, a floor, a limit.
    Level {
        /// The value.
        y: f64,
        /// What it is.
        label: Phrase,
    },
}

/// Numbers by row and column.
#[derive(Debug, Clone, PartialEq)]
pub struct Matrix {
    /// What tells it from others of the same page.
    pub title: Option<Phrase>,
    /// What a shade stands for, e.g. `neighbour overlap, k 30`.
    pub meaning: Phrase,
    /// What its rows are, e.g. `layer`.
    pub row_label: Phrase,
    /// What its columns are.
    pub column_label: Phrase,
    /// Names of the rows.
    pub rows: Vec<String>,
    /// Names of the columns; those of the rows for a matrix of pairs within one dump.
    pub columns: Vec<String>,
    /// The numbers; `None` where one does not exist.
    pub values: Vec<Vec<Option<f64>>>,
    /// From the lightest shade to the darkest.
    pub scale: Scale,
}

/// How numbers become shades.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    /// The lightest.
    pub low: f64,
    /// The darkest.
    pub high: f64,
    /// How shades are divided between them.
    pub shade: Shade,
}

/// How shades are divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shade {
    /// By equal steps.
    Linear,
    /// By equal ratios; both ends are above 0.
    Logarithmic,
    /// To both sides of 0, which has no shade.
    Diverging,
}

impl Scale {
    /// Equal steps from `low` to `high`.
    pub fn linear(low: f64, high: f64) -> Self {
        let shade = Shade::Linear;
        Self { low, high, shade }
    }

    /// Equal ratios from `low` to `high`, both above 0.
    pub fn logarithmic(low: f64, high: f64) -> Self {
        let shade = Shade::Logarithmic;
        Self { low, high, shade }
    }

    /// As far to both sides of 0 as the largest of `values` reaches.
    pub fn diverging(values: &[Vec<Option<f64>>]) -> Self {
        let known = values.iter().flatten().flatten();
        let high = known.fold(0.0, |high: f64, value| high.max(value.abs()));
        Self {
            low: -high,
            high,
            shade: Shade::Diverging,
        }
    }
}

/// Groups that join at heights.
#[derive(Debug, Clone, PartialEq)]
pub struct Tree {
    /// What it is, e.g. `tree`.
    pub title: Phrase,
    /// How groups join, e.g. `single linkage`.
    pub kind: Phrase,
    /// How to read it.
    pub reading: Phrase,
    /// What its leaves are, e.g. `peaks`.
    pub leaves: &'static str,
    /// The field of the JSON that holds it whole.
    pub field: &'static str,
    /// What heights measure.
    pub height: Axis,
    /// Every name that shares have, in the order of their colours; those not listed come after.
    pub groups: Vec<String>,
    /// Leaves, then forks, each after its children; the last is the root.
    pub branches: Vec<Branch>,
    /// Why there is no tree.
    pub reason: Option<Reason>,
}

/// A leaf or a fork of a [`Tree`].
#[derive(Debug, Clone, PartialEq)]
pub struct Branch {
    /// What is said of it.
    pub label: Phrase,
    /// Where a leaf begins or a fork joins; `None` where its groups do not meet.
    pub height: Option<f64>,
    /// The two that a fork joins; `None` for a leaf.
    pub children: Option<[usize; 2]>,
    /// What a leaf holds, the largest share first.
    pub shares: Vec<Share>,
}

/// A share of a whole.
#[derive(Debug, Clone, PartialEq)]
pub struct Share {
    /// Of what.
    pub name: String,
    /// From 0 to 1.
    pub share: f64,
}

/// Points on a plane.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Plane {
    /// What is shown.
    pub title: Phrase,
    /// What text says in its place; nothing where it says the same elsewhere.
    pub caption: Option<Phrase>,
    /// To the right.
    pub x: Axis,
    /// Upwards.
    pub y: Axis,
    /// Whether both axes share a unit, so that distances mean something.
    pub isometric: bool,
    /// Every group that points have, in the order of their colours; those not listed come after.
    pub groups: Vec<String>,
    /// The points.
    pub points: Vec<PlanePoint>,
    /// Lines between points of the plane: saddles, cuts, the diagonal.
    pub segments: Vec<Segment>,
}

/// One point of a [`Plane`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PlanePoint {
    /// To the right, upwards.
    pub at: [f64; 2],
    /// Standard errors of both; `None` where there is none.
    pub errors: [Option<f64>; 2],
    /// What it is.
    pub label: Phrase,
    /// Its group, which decides its colour; empty for none.
    pub group: String,
    /// How much it stands for, e.g. the rows of a peak; `None` where all are alike.
    pub size: Option<f64>,
}

/// A line on a [`Plane`].
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    /// Where it begins.
    pub from: [f64; 2],
    /// Where it ends.
    pub to: [f64; 2],
    /// What it is; may be empty.
    pub label: Phrase,
}
