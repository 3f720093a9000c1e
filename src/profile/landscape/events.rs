//! Follows peaks over layers: their number and their agreement with labels as series.

use super::shape::{LayerPeaks, PeakProfile, PeakQuantity, QuantityEvents};
use crate::input::Series;
use crate::profile::events::{EventOptions, events, lead};

impl PeakProfile {
    /// This profile with the events of the number of peaks and of the ARI with each set of labels.
    #[must_use]
    pub fn with_events(self, options: &EventOptions) -> Self {
        let series = |value: &dyn Fn(&LayerPeaks) -> Option<f64>| {
            let layers = self.layers.iter();
            Series::new(layers.map(|layer| (layer.layer.as_str(), value(layer))))
        };
        let peaks = series(&|layer| Some(layer.n_peaks()? as f64));
        let mut found = vec![QuantityEvents {
            quantity: PeakQuantity::NPeaks,
            other: String::new(),
            events: events(&peaks, options),
        }];
        for (at, labels) in self.parameters.labels.iter().enumerate() {
            let ari = series(&|layer| Some(layer.scores.get(at)?.scores()?.ari));
            found.push(QuantityEvents {
                quantity: PeakQuantity::Ari,
                other: labels.clone(),
                events: events(&ari, options),
            });
        }
        let lead = match &found[..] {
            [_, first, second, ..] => Some(lead(&first.events, &second.events)),
            _ => None,
        };
        Self {
            events: found,
            lead,
            ..self
        }
    }
}
