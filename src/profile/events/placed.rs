//! The events that have a place, each with its layer, position and value.

use serde::Serialize;

use super::event::Event;
use super::points::Place;
use super::shape::{EventName, Events};
use crate::geometry::{Known, Reason, known};

/// An event, and where it is or why it is nowhere.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PlacedEvent {
    /// The event.
    pub event: EventName,
    /// Where it is, or why it was not found.
    #[serde(flatten)]
    pub outcome: Known<EventPlace>,
}

known! {
    /// Where an event is.
    #[derive(Debug, Clone, PartialEq)]
    pub struct EventPlace {
        /// The layer where it is, or begins.
        pub layer: String,
        /// Its position: the index among all layers, interpolated where its rule says so.
        pub position: f64,
        /// The value there; the step of a transition, the mean of a plateau.
        pub value: f64,
    }
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
                let place = self.found(event).and_then(|(layer, value)| {
                    // A hump may be seen and yet fall short of two.
                    let position = position.ok_or(Reason::NotReached)?;
                    Ok(EventPlace {
                        layer,
                        position,
                        value,
                    })
                });
                PlacedEvent {
                    event,
                    outcome: place.into(),
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
        assert_eq!(peak.event, EventName::Peak);
        let expected = EventPlace {
            layer: "b".into(),
            position: 1.0,
            value: 4.0,
        };
        assert_eq!(peak.outcome.ok(), Some(&expected));
        let humps = found
            .iter()
            .find(|one| one.event == EventName::Valley)
            .unwrap();
        assert_eq!(humps.outcome.reason(), Some(Reason::NotReached));
    }
}
