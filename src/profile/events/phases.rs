//! What several profiles say together: expansion and contraction, order of appearance, agreement
//! of two models.

use serde::Serialize;

use super::{Event, Events};
use crate::geometry::Reason;
use crate::input::Series;

/// A relative difference below this is neither expansion nor contraction.
const NEUTRAL: f64 = 0.05;

/// So is one within this number of standard errors of 0.
const BEYOND: f64 = 2.0;

/// What a layer does to the information of the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// R ≥ 0.05, beyond two standard errors.
    Expansion,
    /// |R| < 0.05, or within two standard errors.
    Neutral,
    /// R ≤ −0.05, beyond two standard errors.
    Contraction,
}

/// Neighbouring entries of the same direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "StepRun"))]
pub struct Run {
    /// The direction.
    pub direction: Direction,
    /// Index of the first entry.
    pub first: usize,
    /// Index of the last.
    pub last: usize,
}

impl Direction {
    /// The direction of R with its standard error, where that is known.
    pub fn of(r: f64, std_error: Option<f64>) -> Self {
        let within = std_error.is_some_and(|error| r.abs() <= BEYOND * error);
        match r {
            r if r.abs() < NEUTRAL || within => Self::Neutral,
            r if r > 0.0 => Self::Expansion,
            _ => Self::Contraction,
        }
    }
}

/// Runs of expansion and contraction in a series of relative imbalance differences
/// R = (Δ(l→l+1) − Δ(l+1→l))/mean, beyond their errors where these are known; gaps are skipped.
pub fn directions(relative_difference: &Series) -> Vec<Run> {
    let errors = relative_difference.errors();
    let values = relative_difference.values().iter().enumerate();
    runs(
        values.map(|(at, value)| Some(Direction::of((*value)?, errors.get(at).copied().flatten()))),
    )
}

/// Runs of equal directions; gaps are skipped.
pub fn runs(directions: impl Iterator<Item = Option<Direction>>) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for (index, direction) in directions.enumerate() {
        let Some(direction) = direction else { continue };
        match runs.last_mut() {
            Some(run) if run.direction == direction => run.last = index,
            _ => runs.push(Run {
                direction,
                first: index,
                last: index,
            }),
        }
    }
    runs
}

/// Which of two profiles peaks first.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Lead {
    /// Position of the peak of the first profile.
    pub first: f64,
    /// Position of the peak of the second.
    pub second: f64,
    /// second − first: positive where the first leads.
    pub difference: f64,
}

/// Order of appearance (arXiv 2007.03506): how far the peak of `first`, say the ARI with
/// macro-classes, lies before that of `second`, the ARI with classes.
pub fn lead(first: &Events, second: &Events) -> Event<Lead> {
    let peaks = || {
        let (first, second) = (first.peak.outcome()?, second.peak.outcome()?);
        let (first, second) = (first.at.position, second.at.position);
        Ok(Lead {
            first,
            second,
            difference: second - first,
        })
    };
    Event::new(
        "position of the second peak minus that of the first",
        [],
        peaks(),
    )
}

/// The imbalance between a layer of model a and a layer of model b.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PairImbalance {
    /// Index of the layer of a.
    pub a: usize,
    /// Index of the layer of b.
    pub b: usize,
    /// Δ(a→b).
    pub forward: f64,
    /// Δ(b→a).
    pub backward: f64,
}

/// The closest layers of two models.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Agreement {
    /// Index of the layer of the first model.
    pub a: usize,
    /// Index of the layer of the second.
    pub b: usize,
    /// max(Δ(a→b), Δ(b→a)).
    pub imbalance: f64,
    /// Whether both lie in the high phase of their model.
    pub in_high_phases: bool,
}

/// Cross-model agreement (arXiv 2405.15471): the pair of layers with the smallest
/// max(Δ(a→b), Δ(b→a)), the first on ties, and whether it lies in both high-dimensional phases.
pub fn agreement(a: &Events, b: &Events, pairs: &[PairImbalance]) -> Event<Agreement> {
    let worse = |pair: &PairImbalance| pair.forward.max(pair.backward);
    let find = || {
        let closest = pairs
            .iter()
            .reduce(|best, pair| {
                if worse(pair) < worse(best) {
                    pair
                } else {
                    best
                }
            })
            .ok_or(Reason::TooFewRows)?;
        let inside = |events: &Events, index: usize| {
            let phase = events.high_phase.outcome();
            phase.map(|phase| (phase.first.index..=phase.last.index).contains(&index))
        };
        Ok(Agreement {
            a: closest.a,
            b: closest.b,
            imbalance: worse(closest),
            in_high_phases: inside(a, closest.a)? && inside(b, closest.b)?,
        })
    };
    Event::new(
        "pair of layers with the smallest max(forward, backward); do both lie in the high phase of \
         their model?",
        [],
        find(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::events::{EventOptions, events};

    #[test]
    fn runs_split_where_the_sign_turns_or_fades() {
        let series =
            Series::new([0.3, 0.1, 0.04, -0.04, -0.05, f64::NAN, -0.9].map(|r| ("", Some(r))));
        let run = |direction, first, last| Run {
            direction,
            first,
            last,
        };
        assert_eq!(
            directions(&series),
            [
                run(Direction::Expansion, 0, 1),
                run(Direction::Neutral, 2, 3),
                run(Direction::Contraction, 4, 6),
            ]
        );
    }

    #[test]
    fn the_closest_layers_are_sought_in_both_high_phases() {
        let hump = |values: [f64; 5]| {
            let series = Series::new(values.map(|value| ("", Some(value))));
            events(&series, &EventOptions::default())
        };
        let (a, b) = (
            hump([0.0, 9.0, 9.0, 1.0, 0.0]),
            hump([0.0, 1.0, 9.0, 8.0, 0.0]),
        );
        let pair = |a, b, forward, backward| PairImbalance {
            a,
            b,
            forward,
            backward,
        };
        let pairs = [
            pair(0, 0, 0.01, 0.5),
            pair(1, 3, 0.1, 0.2),
            pair(4, 4, 0.3, 0.3),
        ];
        let found = agreement(&a, &b, &pairs).into_found().unwrap();
        assert_eq!((found.a, found.b, found.in_high_phases), (1, 3, true));
        assert_eq!(agreement(&a, &b, &[]).reason(), Some(Reason::TooFewRows));
        let difference = lead(&a, &b).into_found().unwrap().difference;
        assert!((difference - 1.0).abs() < 1e-12);
    }
}
