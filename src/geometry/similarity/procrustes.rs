//! Procrustes distance: what is left between two layers after the best rotation.

use ndarray::{Array2, Axis};

use super::footprint::{Footprint, least};
use super::measure::{Computation, Measure, PairValue, Subject, Values};
use super::prepared::Prepared;
use crate::algebra::{Qr, product, singular_values};
use crate::geometry::Reason;
use crate::geometry::centred::Centred;
use crate::input::Matrix;

/// A centred layer scaled to unit Frobenius norm, up to a rotation of its columns.
#[derive(Debug, Clone)]
pub struct Shape {
    /// N × min(N, D).
    rows: Array2<f64>,
    /// Share of the norm that rounding to the stored type may have moved.
    rounding: f64,
}

/// Squared distances below this are rounding of the product and its singular values.
const ROUNDING: f64 = 1e-12;

impl Shape {
    /// The shape of `layer`.
    ///
    /// A layer with more columns than rows is first turned into N columns, X = Rᵀ Qᵀ, which
    /// changes no singular value of XᵀY. Reasons for none: `too_few_rows` (2), `constant_layer`.
    pub fn of(layer: &Centred<'_>) -> Result<Self, Reason> {
        let (n, d) = (layer.n_rows(), layer.n_columns());
        if n < 2 || d == 0 {
            return Err(Reason::TooFewRows);
        }
        let mut rows = layer.to_array();
        if d > n {
            let columns = rows.t().as_standard_layout().into_owned();
            rows = Qr::new(columns).r().t().as_standard_layout().into_owned();
        }
        let norm = rows.iter().map(|x| x * x).sum::<f64>().sqrt();
        if norm <= 0.0 {
            return Err(Reason::ConstantLayer);
        }
        Ok(Self {
            rows: rows / norm,
            rounding: layer.noise().norm / norm,
        })
    }

    /// The same shape with its rows in the order `rows`.
    ///
    /// # Panics
    /// If an index is not below N.
    pub fn with_rows(&self, rows: &[u32]) -> Self {
        let rows: Vec<usize> = rows.iter().map(|&row| row as usize).collect();
        Self {
            rows: self.rows.select(Axis(0), &rows),
            rounding: self.rounding,
        }
    }

    /// The squared Procrustes distance 2(1 − ‖XᵀY‖_*), from 0 (a rotation) to 2.
    ///
    /// ‖·‖_* is the sum of singular values; layers may differ in width. Its square root is a
    /// metric, so rounding that moves the shapes by e_x and e_y moves that by e_x + e_y at most;
    /// a distance within it is 0. Williams et al., NeurIPS 2021. Reasons for none: `not_converged`.
    pub fn distance(&self, other: &Self) -> Result<f64, Reason> {
        let product = product(self.rows.t(), other.rows.view());
        let values = singular_values(product.view()).ok_or(Reason::NotConverged)?;
        let distance = 2.0 * (1.0 - values.iter().sum::<f64>());
        let moved = self.rounding + other.rounding;
        let zero = distance <= (moved * moved).max(ROUNDING);
        Ok(if zero { 0.0 } else { distance })
    }

    /// Bytes that a shape takes.
    pub fn bytes(n_rows: u64, n_columns: u64) -> u64 {
        8 * n_rows * n_rows.min(n_columns)
    }
}

/// Squared Procrustes distance; as a similarity 1 − d²/2, which is ‖XᵀY‖_*.
pub static PROCRUSTES: Measure = Measure {
    range: [0.0, 2.0],
    is_distance: true,
    as_similarity: |value| 1.0 - value / 2.0,
    of_itself: |_, _| Some(0.0),
    ..Measure::similarity(
        ["procrustes", "procrustes"],
        "Squared Procrustes distance",
        Values::Layers(&ROTATIONS),
    )
};

/// A shape, and what it takes to make it (a wide layer is turned first) or to compare it.
fn holds(subject: &Subject<'_>, layer: &Matrix) -> Footprint {
    let [n, d] = [layer.n_rows(), layer.n_columns()].map(|size| size as u64);
    let kept = Shape::bytes(n, d);
    let moved = if subject.permutations.is_empty() {
        0
    } else {
        kept
    };
    let rank = n.min(d);
    let made = if d > n { 24 * n * d } else { 8 * n };
    Footprint {
        kept,
        work: made.max(24 * rank * rank + moved),
    }
}

static ROTATIONS: Computation = Computation {
    least: |subject, _| least(subject, |m| holds(subject, m)),
    values: |subject, wanted, progress| {
        let n = subject.n_rows();
        let prepared = Prepared {
            label: "rotations",
            subject,
            holds: |m: &Matrix| holds(subject, m),
            make: |m: &Matrix| Shape::of(&Centred::of_unit_size(m)),
            compare: |x: &Shape, y: &Shape| {
                let orders = subject.permutations.iter();
                let null = orders.filter_map(|order| x.distance(&y.with_rows(order)).ok());
                vec![PairValue::new(x.distance(y), n, null.collect())]
            },
        };
        prepared.values(wanted.len(), progress)
    },
};
