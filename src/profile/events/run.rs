//! Every rule applied to one profile.

use super::options::EventOptions;
use super::points::Points;
use super::shape::Events;
use super::{extrema, hump, rise, slope, spread, step, valley};
use crate::geometry::Reason;
use crate::input::Series;

/// Fewer values than this have no shape.
const FEWEST: usize = 3;

/// The events of `series`.
///
/// All are null with `too_few_rows` below three values, and with `not_reached` where the profile
/// is flat: range/|mean| < 0.10.
///
/// But for `half_maximum`, `threshold`, `plateau` and the two hunchbacks, which use ratios, and for
/// the rule about flat profiles, events do not change under y → a·y + b with a > 0.
pub fn events(series: &Series, options: &EventOptions) -> Events {
    let points = Points::new(series, options);
    // Fewer values are no profile, so not a flat one either.
    let flat = points.len() >= FEWEST && points.is_flat();
    let usable = if points.len() < FEWEST {
        Err(Reason::TooFewRows)
    } else if flat {
        Err(Reason::NotReached)
    } else {
        Ok(&points)
    };
    let (onset, end) = (rise::onset(usable, options), rise::end(usable));
    Events {
        n_layers: series.len(),
        n: points.len(),
        range: points.range(),
        relative_range: points.relative_range(),
        flat,
        peak: extrema::peak(usable),
        minimum: extrema::minimum(usable),
        maxima: extrema::maxima(usable, options),
        high_phase: rise::high_phase(&points, &onset, &end),
        onset,
        end,
        relative_minimum: valley::relative_minimum(usable, options),
        plateau: valley::plateau(usable),
        hunchback: hump::hunchback(usable, options),
        double_hunchback: hump::double_hunchback(usable, options),
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

/// The events of the profile `mean`, with the spread of their positions over the same profile in
/// `parts` of the rows.
pub fn events_with_parts(mean: &Series, parts: &[Series], options: &EventOptions) -> Events {
    let parts: Vec<Events> = parts.iter().map(|part| events(part, options)).collect();
    Events {
        spread: spread::spread(&parts),
        ..events(mean, options)
    }
}
