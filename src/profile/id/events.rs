//! Events of the intrinsic dimension: its headline as a series over layers.

use super::shape::{IdEstimate, IdProfile, LayerId};
use crate::geometry::Reason;
use crate::input::Series;
use crate::profile::events::{EventOptions, FEWEST, events_with_parts};

impl IdProfile {
    /// This profile with the events of its headline, the first estimate of its layers; fewer than
    /// three layers have none, which is said once.
    #[must_use]
    pub fn with_events(self, options: &EventOptions) -> Self {
        let headline = self
            .layers
            .first()
            .and_then(|layer| layer.estimates.first());
        let variant = headline.map(IdEstimate::variant).unwrap_or_default();
        if self.layers.len() < FEWEST {
            return Self {
                events: None,
                events_reason: Some(Reason::TooFewLayers),
                ..self
            };
        }
        let (series, parts) = self.series(&variant);
        Self {
            events: Some(events_with_parts(&series, &parts, options)),
            ..self
        }
    }

    /// The dimension over layers by one [variant](IdEstimate::variant), and the
    /// same in every part of the rows where there are parts.
    pub fn series(&self, variant: &str) -> (Series, Vec<Series>) {
        let parts = |layer: &LayerId| -> Vec<Option<f64>> {
            let resampled = estimate(layer, variant).and_then(|found| found.resampled.as_ref());
            resampled
                .map(|resampled| resampled.values.clone())
                .unwrap_or_default()
        };
        let over_layers = |value: &dyn Fn(&LayerId) -> Option<f64>| {
            let layers = self.layers.iter();
            Series::new(layers.map(|layer| (layer.layer.as_str(), value(layer))))
        };
        let n_parts = self.layers.iter().map(|layer| parts(layer).len()).max();
        (
            over_layers(&|layer| estimate(layer, variant)?.id()).with_errors(
                self.layers
                    .iter()
                    .map(|layer| estimate(layer, variant)?.std_error())
                    .collect(),
            ),
            (0..n_parts.unwrap_or(0))
                .map(|part| over_layers(&|layer| parts(layer).get(part).copied().flatten()))
                .collect(),
        )
    }
}

fn estimate<'a>(layer: &'a LayerId, variant: &str) -> Option<&'a IdEstimate> {
    let mut estimates = layer.estimates.iter();
    estimates.find(|estimate| estimate.variant() == variant)
}
