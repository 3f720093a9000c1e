//! Estimates everything that the neighbour distances of one layer say.

use super::options::IdOptions;
use super::rules::OrderRule;
use super::shape::{IdEstimate, LayerId, LeadingEigenvalues, Plateau, ScalePoint, ScaleValue};
use super::table_estimates::table_estimates;
use crate::geometry::Reason;
use crate::geometry::diagnostics::{Diagnostics, DistanceDiagnostics};
use crate::geometry::id::{
    ErrorKind, Estimate, Fit, GRIDE, LayerView, Orders, Outcome, PLATEAU_RULE, Ratios, TWO_NN,
    gride, gride_blocks, plateau, two_nn, two_nn_blocks,
};
use crate::geometry::resolution::Resolution;
use crate::neighbours::OrderDistances;
use crate::profile::compare::LayerRef;
use crate::profile::layers::distance_warnings;
use crate::warning::{Warning, WarningCode};

/// One number to estimate.
#[derive(Debug, Clone, Copy)]
pub(super) enum Quantity {
    TwoNn(Fit),
    Gride(Orders),
}

impl Quantity {
    pub(super) fn orders(self) -> Orders {
        match self {
            Self::TwoNn(_) => Orders::FIRST,
            Self::Gride(orders) => orders,
        }
    }

    /// The estimate among `n` rows, and the mean distance at which it looks.
    pub(super) fn estimate(
        self,
        distances: &OrderDistances,
        n: usize,
        blocks: Option<usize>,
        resolution: Option<&Resolution>,
    ) -> (Outcome, Option<f64>) {
        let orders = self.orders();
        let (Some(near), Some(far)) = (distances.get(orders.n1()), distances.get(orders.n2()))
        else {
            let stored = orders.n2() < n;
            let reason = if stored {
                Reason::TooFewNeighbours
            } else {
                Reason::TooFewRows
            };
            return (Err(reason), None);
        };
        let ratios = Ratios::new(near, far);
        if resolution.is_some_and(|resolution| resolution.ties(near, far)) {
            return (Err(Reason::DegenerateRatios), ratios.distance);
        }
        let outcome = match self {
            Self::TwoNn(fit) => two_nn(&ratios, fit),
            Self::Gride(orders) => gride(&ratios, orders),
        };
        let with_error = |estimate: Estimate| match (blocks, self) {
            (None, _) => estimate,
            (Some(blocks), Self::TwoNn(fit)) => {
                estimate.with_error(ErrorKind::Jackknife, two_nn_blocks(&ratios, fit, blocks))
            }
            (Some(blocks), Self::Gride(orders)) => {
                estimate.with_error(ErrorKind::Jackknife, gride_blocks(&ratios, orders, blocks))
            }
        };
        (outcome.map(with_error), ratios.distance)
    }
}

/// What is estimated of some rows, whichever layer they are.
pub(super) struct Estimates {
    pub(super) n_rows: usize,
    pub(super) estimates: Vec<IdEstimate>,
    pub(super) scaling: Vec<ScalePoint>,
    plateau: Option<Plateau>,
    spectrum: Option<LeadingEigenvalues>,
    diagnostics: Diagnostics,
    pub(super) warnings: Vec<Warning>,
    /// A value for each of the rows.
    pub(super) local: Option<Vec<f64>>,
}

impl Estimates {
    /// The report of the layer `at`, before anything that needs coordinates.
    pub(super) fn of(self, at: LayerRef) -> LayerId {
        LayerId {
            layer: at.layer,
            index: at.index,
            relative_depth: at.relative_depth,
            n_rows: self.n_rows,
            n_columns: None,
            dtype: None,
            estimates: self.estimates,
            scaling: self.scaling,
            decimation_scaling: Vec::new(),
            plateau: self.plateau,
            spectrum: self.spectrum,
            controls: Vec::new(),
            diagnostics: self.diagnostics,
            warnings: self.warnings,
            local: self.local,
        }
    }
}

/// Everything that neighbour distances say about rows.
pub(super) fn estimate(
    distances: &OrderDistances,
    view: Option<&LayerView<'_>>,
    n: usize,
    options: &IdOptions,
    no_nearest: Option<Reason>,
    resolution: Option<&Resolution>,
    mut diagnostics: Diagnostics,
) -> Estimates {
    let measure = |quantity: Quantity| {
        if let Some(reason) = no_nearest {
            return (Err(reason), None);
        }
        quantity.estimate(distances, n, options.blocks, resolution)
    };
    let mut notes = Notes::default();
    let mut estimates = Vec::new();
    if let Some(fit) = options.two_nn() {
        let (outcome, distance) = measure(Quantity::TwoNn(fit));
        notes.add(&format!("two_nn {}", fit.name()), &outcome);
        estimates.push(two_nn_entry(fit, outcome, distance));
    }

    let (scaling, points) = scaling(options, n, &measure, &mut notes);
    let steady = plateau(&points, n);
    if options.gride() {
        let found = headline(options, steady.map(|plateau| plateau.order), &measure);
        if let Some((estimate, outcome)) = found {
            notes.add("gride", &outcome);
            estimates.push(estimate);
        }
    }
    let found = view.map(|view| table_estimates(options, view, no_nearest));
    let found = found.unwrap_or_default();
    for (estimate, outcome) in found.estimates {
        notes.add(&estimate.variant(), &outcome);
        estimates.push(estimate);
    }
    if let (Some(r1), Some(r2)) = (distances.get(1), distances.get(2)) {
        diagnostics.distances = Some(DistanceDiagnostics::new(r1, r2, distances.farthest()));
        notes.warnings.extend(distance_warnings(&diagnostics, n));
    }
    if options.gride() && options.range_max >= n {
        notes.reduced(options.range_max, n);
    }
    Estimates {
        n_rows: n,
        estimates,
        scaling,
        plateau: options.gride().then(|| plateau_entry(steady)),
        spectrum: found.spectrum,
        diagnostics,
        warnings: notes.warnings,
        local: options.local.map(|_| {
            let values = found.local.unwrap_or_else(|| vec![None; n]);
            values.into_iter().map(|x| x.unwrap_or(f64::NAN)).collect()
        }),
    }
}

/// Estimates a quantity, and says at which mean distance.
type Measure<'a> = &'a dyn Fn(Quantity) -> (Outcome, Option<f64>);

/// Gride at every order, and its values at powers of two, among which a plateau is sought.
fn scaling(
    options: &IdOptions,
    n: usize,
    measure: Measure<'_>,
    notes: &mut Notes,
) -> (Vec<ScalePoint>, Vec<(Orders, Option<f64>)>) {
    let (mut scaling, mut points) = (Vec::new(), Vec::new());
    for orders in options.scaling_orders(n) {
        let (outcome, distance) = measure(Quantity::Gride(orders));
        notes.add(&format!("gride at order {}", orders.n1()), &outcome);
        if orders.n1().is_power_of_two() && orders.n2() <= options.range_max {
            points.push((orders, outcome.ok().map(|estimate| estimate.id)));
        }
        scaling.push(ScalePoint {
            order: orders.n1(),
            n: outcome.map_or(0, |estimate| estimate.n),
            distance,
            outcome: outcome.map(ScaleValue::from).into(),
            resampled: None,
        });
    }
    (scaling, points)
}

/// Gride at the order that was asked for, or at that of the plateau.
fn headline(
    options: &IdOptions,
    steady: Result<usize, Reason>,
    measure: Measure<'_>,
) -> Option<(IdEstimate, Outcome)> {
    let order = match options.order {
        Some(OrderRule::Plateau) => steady,
        _ => Ok(options.fixed_order()?.n1()),
    };
    let orders = order.and_then(|order| Orders::doubled(order).ok_or(Reason::TooFewRows));
    let (outcome, distance) = match orders {
        Ok(orders) => measure(Quantity::Gride(orders)),
        Err(reason) => (Err(reason), None),
    };
    let estimate = gride_entry(options.order, order.ok(), outcome, distance);
    Some((estimate, outcome))
}

fn two_nn_entry(fit: Fit, outcome: Outcome, distance: Option<f64>) -> IdEstimate {
    IdEstimate {
        fit: Some(fit.name()),
        fraction: fit.fraction().map(|fraction| fraction.get()),
        order: Some(1),
        order_rule: None,
        ..IdEstimate::new(&TWO_NN, outcome, distance)
    }
}

fn gride_entry(
    rule: Option<OrderRule>,
    order: Option<usize>,
    outcome: Outcome,
    distance: Option<f64>,
) -> IdEstimate {
    IdEstimate {
        order,
        order_rule: rule.map(OrderRule::kind),
        ..IdEstimate::new(&GRIDE, outcome, distance)
    }
}

fn plateau_entry(found: std::result::Result<crate::geometry::id::Plateau, Reason>) -> Plateau {
    Plateau {
        rule: PLATEAU_RULE,
        outcome: found.into(),
    }
}

/// Collects what a reader must know beside the numbers of one layer.
#[derive(Default)]
struct Notes {
    warnings: Vec<Warning>,
}

impl Notes {
    fn add(&mut self, what: &str, outcome: &Outcome) {
        let warning = match outcome {
            Err(reason) => {
                let message = format!("{what}: no estimate ({})", reason.code());
                Warning::new(WarningCode::NotEstimated, 1, message)
            }
            Ok(estimate) => match estimate.note {
                Some(code @ WarningCode::FractionCapped) => {
                    let message = format!("{what}: fraction 1 leaves out the last ratio");
                    Warning::new(code, 1, message)
                }
                Some(code @ WarningCode::BoundHit) => {
                    let message =
                        format!("{what}: stands at the number of columns, its largest value");
                    Warning::new(code, 1, message)
                }
                Some(code) => {
                    let message = format!("{what}: no spread to filter outliers by");
                    Warning::new(code, 1, message)
                }
                None if estimate.n_zero > 0 => {
                    let message = format!(
                        "{what}: {} ratios with a zero distance were left out",
                        estimate.n_zero
                    );
                    Warning::new(WarningCode::RatiosExcluded, estimate.n_zero, message)
                }
                None => return,
            },
        };
        self.warnings.push(warning);
    }

    fn reduced(&mut self, range_max: usize, n: usize) {
        let message = format!("{n} rows have no {range_max} neighbours; orders end below {n}");
        self.warnings
            .push(Warning::new(WarningCode::KReduced, range_max, message));
    }
}
