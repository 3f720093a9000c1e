//! The trend of a profile from the bottleneck on.

use serde::Serialize;

use super::Event;
use super::points::{Place, Points};
use crate::geometry::Reason;
use crate::geometry::stats;

/// A straight line through the layers from the bottleneck to the last.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "EventSlope"))]
pub struct Slope {
    /// Least-squares slope per unit of position.
    pub slope: f64,
    /// The first layer of the fit.
    pub first: Place,
    /// The last layer of the fit.
    pub last: Place,
    /// Layers with a value among them.
    pub n_layers: usize,
}

/// The sign of this slope is the qualitative shift of arXiv 2411.01978.
pub(super) fn slope(points: Result<&Points, Reason>, bottleneck: usize) -> Event<Slope> {
    Event::new(
        "least-squares slope per unit of position, from the bottleneck to the last layer",
        [("bottleneck", bottleneck as f64)],
        points.and_then(|points| fit(points, bottleneck)),
    )
}

fn fit(points: &Points, bottleneck: usize) -> Result<Slope, Reason> {
    let fitted = (0..points.len()).filter(|&point| points.index(point) >= bottleneck);
    let (xs, ys): (Vec<f64>, Vec<f64>) = fitted.map(|p| (points.x(p), points.y(p))).unzip();
    if xs.len() < 2 {
        return Err(Reason::TooFewLayers);
    }
    let centre = stats::mean(&xs).ok_or(Reason::TooFewLayers)?;
    let level = stats::mean(&ys).ok_or(Reason::TooFewLayers)?;
    let pairs = || xs.iter().zip(&ys);
    let covariance: f64 = pairs().map(|(x, y)| (x - centre) * (y - level)).sum();
    let variance: f64 = xs.iter().map(|x| (x - centre).powi(2)).sum();
    Ok(Slope {
        slope: covariance / variance,
        first: points.place(points.len() - xs.len()),
        last: points.place(points.len() - 1),
        n_layers: xs.len(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::Series;
    use crate::profile::events::{EventOptions, events};

    #[test]
    fn a_line_has_its_own_slope_also_with_gaps_and_positions() {
        let positions = vec![0.0, 1.0, 2.0, 4.0, 8.0];
        let values = [9.0, 1.0, 2.0, 4.0, 8.0].map(|y| Some(3.0 - 0.25 * y));
        let mut values = values.map(|value| ("", value));
        values[3].1 = None;
        let series = Series::new(values).with_positions(positions).unwrap();
        let options = |bottleneck| EventOptions {
            bottleneck: Some(bottleneck),
            ..EventOptions::default()
        };
        let slope = events(&series, &options(1))
            .slope
            .unwrap()
            .into_found()
            .unwrap();
        assert!((slope.slope + 0.25).abs() < 1e-12);
        assert_eq!(
            (slope.first.index, slope.last.index, slope.n_layers),
            (1, 4, 3)
        );
        let short = events(&series, &options(4)).slope.unwrap();
        assert_eq!(short.reason(), Some(Reason::TooFewLayers));
    }
}
