//! Options of events.

use serde::Serialize;

use crate::{Error, Result};

/// How events are sought.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct EventOptions {
    /// `--smooth`: width of the centred mean, odd; 1, the default, is none.
    pub smooth: usize,
    /// `--onset-frac`: share of the rise at which the onset is read; 0.5.
    pub onset_fraction: f64,
    /// `--prominence`: what a hump must rise above its surroundings; 0.15 of the range for maxima,
    /// of the peak for hunchbacks.
    pub prominence: f64,
    /// `--bottleneck`: index of the layer between two humps; none.
    pub bottleneck: Option<usize>,
    /// `--skip-first`: leave the first layer, an embedding, out; no.
    pub skip_first: bool,
    /// `--threshold`: look for the first layer above this value; none.
    pub threshold: Option<f64>,
}

impl Default for EventOptions {
    fn default() -> Self {
        Self {
            smooth: 1,
            onset_fraction: 0.5,
            prominence: 0.15,
            bottleneck: None,
            skip_first: false,
            threshold: None,
        }
    }
}

impl EventOptions {
    /// Whether the options make sense for a profile of `n_layers` layers.
    ///
    /// # Errors
    /// [`Error::Usage`] naming the flag.
    pub fn check(&self, n_layers: usize) -> Result<()> {
        let fault = if self.smooth.is_multiple_of(2) {
            format!("--smooth {} must be odd", self.smooth)
        } else if !(self.onset_fraction > 0.0 && self.onset_fraction <= 1.0) {
            let fraction = self.onset_fraction;
            format!("--onset-frac {fraction} must lie above 0 and not above 1")
        } else if !(self.prominence > 0.0 && self.prominence <= 1.0) {
            let prominence = self.prominence;
            format!("--prominence {prominence} must lie above 0 and not above 1")
        } else if self.bottleneck.is_some_and(|index| index >= n_layers) {
            format!("--bottleneck must be one of the {n_layers} layers")
        } else if self
            .threshold
            .is_some_and(|threshold| !threshold.is_finite())
        {
            "--threshold must be a number".to_owned()
        } else {
            return Ok(());
        };
        Err(Error::Usage(fault))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn senseless_options_are_usage_errors_that_name_the_flag() {
        let good = EventOptions::default();
        assert!(good.check(0).is_ok());
        for (flag, options) in [
            (
                "--smooth",
                EventOptions {
                    smooth: 2,
                    ..good.clone()
                },
            ),
            (
                "--smooth",
                EventOptions {
                    smooth: 0,
                    ..good.clone()
                },
            ),
            (
                "--onset-frac",
                EventOptions {
                    onset_fraction: 0.0,
                    ..good.clone()
                },
            ),
            (
                "--onset-frac",
                EventOptions {
                    onset_fraction: f64::NAN,
                    ..good.clone()
                },
            ),
            (
                "--prominence",
                EventOptions {
                    prominence: 1.5,
                    ..good.clone()
                },
            ),
            (
                "--bottleneck",
                EventOptions {
                    bottleneck: Some(11),
                    ..good.clone()
                },
            ),
            (
                "--threshold",
                EventOptions {
                    threshold: Some(f64::INFINITY),
                    ..good.clone()
                },
            ),
        ] {
            let error = options.check(11).unwrap_err();
            assert_eq!(error.exit_code(), 2);
            assert!(error.to_string().starts_with(flag), "{error}");
        }
    }
}
