//! Every rule applied to one profile.

use super::noise::{Normal, Verdict};
use super::options::EventOptions;
use super::points::Points;
use super::shape::{Events, SpreadSource};
use super::{extrema, hump, rise, slope, spread, step, valley};
use crate::geometry::Reason;
use crate::input::Series;
use crate::random::SplitMix64;

/// Fewer values than this have no shape.
pub(crate) const FEWEST: usize = 3;

/// The events of `series`.
///
/// All are null with `too_few_layers` below three values, and with `not_reached` where the profile
/// is flat: range/|mean| < 0.10.
///
/// Where the series has standard errors, an event must hold beyond them, else it is null with
/// `within_errors`: no event where a constant fits, no turn (a maximum, a hunchback, an onset and an
/// end at once) where a rise or a fall fits, no second hump and no dip where one hump fits. By
/// redraws of the errors each of the three is said of noise in less than 1 % of profiles.
///
/// But for `half_maximum`, `threshold`, `plateau` and the two hunchbacks, which use ratios, and for
/// the rule about flat profiles, events do not change under y → a·y + b with a > 0.
pub fn events(series: &Series, options: &EventOptions) -> Events {
    let points = Points::new(series, options);
    // Fewer values are no profile, so not a flat one either.
    let flat = points.len() >= FEWEST && points.is_flat();
    let usable = if points.len() < FEWEST {
        Err(Reason::TooFewLayers)
    } else if flat {
        Err(Reason::NotReached)
    } else if points.verdict().is_some_and(|verdict| !verdict.varies) {
        Err(Reason::WithinErrors)
    } else {
        Ok(&points)
    };
    let beyond = |holds: fn(Verdict) -> bool| {
        usable.and_then(|points| match points.verdict() {
            Some(verdict) if !holds(verdict) => Err(Reason::WithinErrors),
            _ => Ok(points),
        })
    };
    let turning = beyond(|verdict| verdict.turns);
    let dipping = beyond(|verdict| verdict.dips);
    let rising = beyond(|verdict| verdict.turns || verdict.rises);
    let falling = beyond(|verdict| verdict.turns || !verdict.rises);
    let (onset, end) = (rise::onset(rising, options), rise::end(falling));
    Events {
        n_layers: series.len(),
        n: points.len(),
        range: points.range(),
        relative_range: points.relative_range(),
        flat,
        peak: extrema::peak(usable),
        minimum: extrema::minimum(usable),
        maxima: extrema::maxima(turning, options),
        high_phase: rise::high_phase(&points, &onset, &end),
        onset,
        end,
        relative_minimum: valley::relative_minimum(dipping, options),
        plateau: valley::plateau(usable),
        hunchback: hump::hunchback(turning, options),
        double_hunchback: hump::double_hunchback(dipping, options),
        transition: step::transition(usable),
        half_maximum: step::half_maximum(usable),
        threshold: options
            .threshold
            .map(|threshold| step::threshold(usable, threshold)),
        slope: options
            .bottleneck
            .map(|bottleneck| slope::slope(usable, bottleneck)),
        spread: Vec::new(),
        parameters: options.clone(),
    }
}

/// Profiles redrawn within their errors, for the spread of the events.
const REDRAWS: usize = 200;

/// The events of the profile `mean`, with the spread of their positions: over the same profile in
/// `parts` of the rows, or where there are none over 200 redraws by the standard errors.
pub fn events_with_parts(mean: &Series, parts: &[Series], options: &EventOptions) -> Events {
    let (parts, source) = match parts {
        [] => (redrawn(mean), SpreadSource::Errors),
        _ => (parts.to_vec(), SpreadSource::Partitions),
    };
    let parts: Vec<Events> = parts.iter().map(|part| events(part, options)).collect();
    Events {
        spread: spread::spread(&parts, source),
        ..events(mean, options)
    }
}

/// The profile with noise of the size of its errors added, without errors; none where some error
/// is not known.
fn redrawn(series: &Series) -> Vec<Series> {
    let errors = series.errors();
    let known = series.values().iter().zip(errors);
    if errors.is_empty() || !known.clone().all(|(y, e)| y.is_none() || e.is_some()) {
        return Vec::new();
    }
    let mut normal = Normal(SplitMix64::new(0));
    (0..REDRAWS)
        .map(|_| {
            let noisy: Vec<Option<f64>> = known
                .clone()
                .map(|(y, e)| Some(y.as_ref()? + e.as_ref()? * normal.next()))
                .collect();
            series.with_values(noisy)
        })
        .collect()
}
