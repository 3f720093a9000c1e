//! The events that have a place, each with its layer, position and value.

use super::event::Event;
use super::points::Place;
use super::shape::{EventName, Events};
use crate::geometry::Reason;

/// An event, and where it is or why it is nowhere.
#[derive(Debug, Clone, PartialEq)]
pub struct PlacedEvent {
    /// The event.
    pub event: EventName,
    /// Its layer; that where a plateau or a step begins.
    pub layer: Option<String>,
    /// Its position, as in [`Events::positions`].
    pub position: Option<f64>,
    /// The value there; the mean of a plateau, the size of a step.
    pub value: Option<f64>,
    /// Why it was not found.
    pub reason: Option<Reason>,
}

/// Layer and value of an event, or why there is none.
type Found = Result<(String, f64), Reason>;

fn of<F>(event: &Event<F>, place: impl Fn(&F) -> (&Place, f64)) -> Found {
    let (at, value) = place(event.outcome()?);
    Ok((at.layer.clone(), value))
}

impl Events {
    /// Every event that has a position, in the order of [`Events::positions`].
    pub fn placed(&self) -> Vec<PlacedEvent> {
        let positions = self.positions().into_iter();
        positions
            .map(|(event, position)| {
                let found = self.found(event);
                // A hump may be seen and yet fall short of two.
                let found = found.and_then(|found| match position {
                    Some(_) => Ok(found),
                    None => Err(Reason::NotReached),
                });
                PlacedEvent {
                    event,
                    layer: found.as_ref().ok().map(|(layer, _)| layer.clone()),
                    position,
                    value: found.as_ref().ok().map(|(_, value)| *value),
                    reason: found.err(),
                }
            })
            .collect()
    }

    fn found(&self, event: EventName) -> Found {
        let place = |at: &Place| at.value;
        match event {
            EventName::Peak => of(&self.peak, |peak| (&peak.at, place(&peak.at))),
            EventName::Minimum => of(&self.minimum, |low| (&low.at, place(&low.at))),
            EventName::Onset => of(&self.onset, |onset| {
                (&onset.crossing.at, place(&onset.crossing.at))
            }),
            EventName::End => of(&self.end, |end| (&end.at, place(&end.at))),
            EventName::RelativeMinimum => {
                of(&self.relative_minimum, |dip| (&dip.at, place(&dip.at)))
            }
            EventName::Plateau => of(&self.plateau, |plateau| {
                (&plateau.window.first, plateau.mean)
            }),
            EventName::FirstHump => of(&self.double_hunchback, |humps| {
                (&humps.first, place(&humps.first))
            }),
            EventName::Valley => of(&self.double_hunchback, |humps| {
                (&humps.valley, place(&humps.valley))
            }),
            EventName::SecondHump => of(&self.double_hunchback, |humps| {
                (&humps.second, place(&humps.second))
            }),
            EventName::Transition => of(&self.transition, |step| (&step.from, step.step)),
            EventName::HalfMaximum => of(&self.half_maximum, |half| (&half.at, place(&half.at))),
            EventName::Threshold => match &self.threshold {
                Some(threshold) => of(threshold, |found| (&found.at, place(&found.at))),
                None => Err(Reason::NotReached),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::Series;
    use crate::profile::events::{EventOptions, events};

    #[test]
    fn an_event_has_a_layer_and_a_value_or_a_reason() {
        let series = Series::new(
            ["a", "b", "c", "d"]
                .into_iter()
                .zip([1.0, 4.0, 2.0, 0.5].map(Some)),
        );
        let found = events(&series, &EventOptions::default()).placed();
        assert_eq!(found.len(), 11);
        let peak = &found[0];
        assert_eq!(
            (peak.event, peak.layer.as_deref()),
            (EventName::Peak, Some("b"))
        );
        assert_eq!((peak.position, peak.value), (Some(1.0), Some(4.0)));
        for one in &found {
            assert_eq!(one.position.is_some(), one.reason.is_none(), "{one:?}");
            assert_eq!(one.layer.is_some(), one.value.is_some(), "{one:?}");
        }
        let humps = found
            .iter()
            .find(|one| one.event == EventName::Valley)
            .unwrap();
        assert_eq!(humps.reason, Some(Reason::NotReached));
    }
}
