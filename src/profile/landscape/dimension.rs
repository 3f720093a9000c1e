//! The dimension in which densities are measured.

use ndarray::ArrayView2;
use serde::Serialize;

use super::rules::{DensityRule, DimensionRule};
use crate::choice::choice;
use crate::geometry::density::{Correction, kstar};
use crate::geometry::id::{Estimate, Fit, Orders, Ratios, gride, two_nn};
use crate::geometry::{Known, Reason, known, stats};

choice! {
    /// How the dimension of the densities came about.
    pub enum DimensionVariant {
        /// Gride at the scale of the density.
        Gride = "gride",
        /// TwoNN.
        TwoNn = "two_nn_base",
        /// TwoNN, rounded.
        Rounded = "two_nn_base_rounded",
        /// As given.
        Given = "given",
    }
}

/// The dimension that was used, and what it rests on.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "UsedDimension"))]
pub struct Dimension {
    /// The dimension of the densities, or why there is none.
    #[serde(flatten)]
    pub outcome: Known<DimensionValue>,
    /// How it came about.
    pub variant: DimensionVariant,
    /// The order n1 that Gride looked at.
    pub order: Option<usize>,
}

known! {
    /// A dimension in which densities are measured.
    #[derive(Debug, Clone, Copy, PartialEq)]
    pub struct DimensionValue {
        /// The dimension of the densities.
        pub id: f64,
        /// The estimate before rounding; `None` where the dimension was given.
        pub estimate: Option<f64>,
        /// Its standard error.
        pub std_error: Option<f64>,
    }
}

impl Dimension {
    /// No dimension, for this reason.
    pub(super) fn none(rule: DimensionRule, reason: Reason) -> Self {
        Self::new(rule, None, Err(reason))
    }

    fn new(rule: DimensionRule, order: Option<usize>, outcome: Result<Estimate, Reason>) -> Self {
        let value = |found: Estimate| DimensionValue {
            id: match rule {
                DimensionRule::Round => found.id.round_ties_even().max(1.0),
                DimensionRule::Fixed(id) => id,
                _ => found.id,
            },
            estimate: match rule {
                DimensionRule::Fixed(_) => None,
                _ => Some(found.id),
            },
            std_error: found.std_error,
        };
        Self {
            outcome: outcome.map(value).into(),
            variant: match rule {
                DimensionRule::Auto => DimensionVariant::Gride,
                DimensionRule::TwoNn => DimensionVariant::TwoNn,
                DimensionRule::Round => DimensionVariant::Rounded,
                DimensionRule::Fixed(_) => DimensionVariant::Given,
            },
            order,
        }
    }
}

/// The dimension of rows with these neighbours by `rule`.
pub(super) fn dimension(
    distances: ArrayView2<f64>,
    indices: ArrayView2<u32>,
    rule: DimensionRule,
    density: DensityRule,
) -> Dimension {
    match rule {
        DimensionRule::Fixed(id) => Dimension::new(rule, None, Ok(Estimate::new(id, 0))),
        DimensionRule::TwoNn | DimensionRule::Round => {
            Dimension::new(rule, None, nearest(distances))
        }
        DimensionRule::Auto => {
            let size = match density {
                DensityRule::Knn { k } => Ok(k),
                _ => typical(distances, indices, density).map(|kstar| kstar / 2),
            };
            let orders = size.and_then(|size| matching(size, distances.ncols()));
            let outcome = orders.and_then(|orders| gride(&ratios(distances, orders)?, orders));
            Dimension::new(rule, orders.ok().map(Orders::n1), outcome)
        }
    }
}

fn nearest(distances: ArrayView2<f64>) -> Result<Estimate, Reason> {
    two_nn(&ratios(distances, Orders::FIRST)?, Fit::default())
}

/// The median of k* in TwoNN's dimension.
fn typical(
    distances: ArrayView2<f64>,
    indices: ArrayView2<u32>,
    density: DensityRule,
) -> Result<usize, Reason> {
    let id = nearest(distances)?.id;
    let alpha = density.alpha().unwrap_or(1.0);
    let sizes = kstar(distances, indices, id, alpha, Correction::None)?;
    let sizes: Vec<f64> = sizes.iter().flatten().map(|&size| size as f64).collect();
    let median = stats::median(&sizes).ok_or(Reason::ZeroDistances)?;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a number of neighbours
    Ok(median as usize)
}

/// The orders that match `size` neighbours, halved until the table holds them.
fn matching(size: usize, columns: usize) -> Result<Orders, Reason> {
    let mut orders = Orders::matching_density(size).ok_or(Reason::TooFewNeighbours)?;
    while orders.n2() > columns {
        orders = Orders::doubled(orders.n1() / 2).ok_or(Reason::TooFewNeighbours)?;
    }
    Ok(orders)
}

fn ratios(distances: ArrayView2<f64>, orders: Orders) -> Result<Ratios, Reason> {
    if distances.ncols() < orders.n2() {
        let all = distances.ncols() + 1 >= distances.nrows();
        return Err(if all {
            Reason::TooFewRows
        } else {
            Reason::TooFewNeighbours
        });
    }
    let order = |order: usize| distances.column(order - 1).to_vec();
    Ok(Ratios::new(&order(orders.n1()), &order(orders.n2())))
}
