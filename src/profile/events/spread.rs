//! Measures how far events move between parts of the rows, or within the errors.

use super::shape::{EventName, Events, PositionSpread, Positions, SpreadSource};
use crate::geometry::{Reason, stats};

/// The spread of every event that has a position over `parts`, which come from `source`.
pub(super) fn spread(parts: &[Events], source: SpreadSource) -> Vec<PositionSpread> {
    let Some(first) = parts.first() else {
        return Vec::new();
    };
    let names = first.positions().into_iter().map(|(event, _)| event);
    names
        .enumerate()
        .map(|(nth, event)| {
            let found: Vec<f64> = parts
                .iter()
                .filter_map(|part| part.positions().get(nth)?.1)
                .collect();
            PositionSpread {
                event,
                source,
                n_parts: parts.len(),
                n_found: found.len(),
                outcome: positions(&found).ok_or(Reason::NotReached).into(),
            }
        })
        .collect()
}

fn positions(found: &[f64]) -> Option<Positions> {
    Some(Positions {
        mean: stats::mean(found)?,
        std_dev: stats::std_dev(found),
        min: found.iter().copied().reduce(f64::min)?,
        max: found.iter().copied().reduce(f64::max)?,
    })
}

impl Events {
    /// The position of every event that has one, by name: the interpolated one of onset and end,
    /// the middle of plateau and transition.
    pub fn positions(&self) -> Vec<(EventName, Option<f64>)> {
        let humps = self.double_hunchback.found().filter(|humps| humps.present);
        let onset = self.onset.found();
        let end = self.end.found();
        let dip = self.relative_minimum.found();
        let plateau = self.plateau.found();
        let half = self.half_maximum.found();
        let mut positions = vec![
            (
                EventName::Peak,
                self.peak.found().map(|peak| peak.at.position),
            ),
            (
                EventName::Minimum,
                self.minimum.found().map(|low| low.at.position),
            ),
            (
                EventName::Onset,
                onset.map(|onset| onset.crossing.crossing_position),
            ),
            (EventName::End, end.map(|end| end.crossing_position)),
            (EventName::RelativeMinimum, dip.map(|dip| dip.at.position)),
            (
                EventName::Plateau,
                plateau.map(|plateau| plateau.window.centre_position),
            ),
            (
                EventName::FirstHump,
                humps.map(|humps| humps.first.position),
            ),
            (EventName::Valley, humps.map(|humps| humps.valley.position)),
            (
                EventName::SecondHump,
                humps.map(|humps| humps.second.position),
            ),
            (
                EventName::Transition,
                self.transition.found().map(|step| step.position),
            ),
            (EventName::HalfMaximum, half.map(|half| half.at.position)),
        ];
        if let Some(threshold) = &self.threshold {
            let position = threshold.found().map(|found| found.at.position);
            positions.push((EventName::Threshold, position));
        }
        positions
    }
}

#[cfg(test)]
mod tests {
    use crate::geometry::Reason;
    use crate::input::Series;
    use crate::profile::events::{EventName, EventOptions, events_with_parts};

    fn series(values: [f64; 4]) -> Series {
        Series::new(values.map(|value| ("", Some(value))))
    }

    #[test]
    fn the_peak_of_parts_has_a_mean_and_a_range() {
        let parts = [
            series([0.0, 9.0, 1.0, 0.0]),
            series([0.0, 1.0, 9.0, 0.0]),
            series([0.0, 2.0, 8.0, 1.0]),
            series([5.0, 5.0, 5.0, 5.0]),
        ];
        let found = events_with_parts(&parts[0], &parts, &EventOptions::default());
        let peak = found
            .spread
            .iter()
            .find(|spread| spread.event == EventName::Peak)
            .unwrap();
        assert_eq!((peak.n_parts, peak.n_found), (4, 3));
        let positions = peak.outcome.ok().unwrap();
        assert!((positions.mean - 5.0 / 3.0).abs() < 1e-12);
        assert_eq!((positions.min, positions.max), (1.0, 2.0));
        let dip = found
            .spread
            .iter()
            .find(|s| s.event == EventName::RelativeMinimum)
            .unwrap();
        assert_eq!((dip.n_found, dip.outcome.0), (0, Err(Reason::NotReached)));
    }

    #[test]
    fn without_parts_there_is_no_spread() {
        let found = events_with_parts(&series([0.0; 4]), &[], &EventOptions::default());
        assert!(found.spread.is_empty());
    }
}
