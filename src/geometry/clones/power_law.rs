//! Fits how the error of a chunk falls with its width.

use serde::Serialize;

/// The line ln(excess error) = a + slope·ln w.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Slope {
    /// Expected −1/2 where chunks are independent copies.
    pub slope: f64,
    /// From the residuals; `None` with fewer than three widths.
    pub std_error: Option<f64>,
    /// Widths on the line.
    pub n: usize,
    /// Widths left out because their error is not above the limit.
    pub n_excluded: usize,
}

/// The error that infinitely wide chunks would have.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Extrapolation {
    /// e of err(w) = e + a·w^{−1/2}, not below 0.
    pub error: f64,
    /// Widths in the fit.
    pub n: usize,
}

/// The slope of ln(err(w) − `limit`) against ln w by least squares; `points` are (w, err).
///
/// `None` with fewer than two widths whose error exceeds the limit.
pub fn excess_slope(points: &[(usize, f64)], limit: f64) -> Option<Slope> {
    let logs: Vec<(f64, f64)> = points
        .iter()
        .filter(|(_, error)| *error > limit)
        .map(|&(w, error)| (libm::log(w as f64), libm::log(error - limit)))
        .collect();
    let line = line(&logs)?;
    Some(Slope {
        slope: line.slope,
        std_error: line.slope_error,
        n: logs.len(),
        n_excluded: points.len() - logs.len(),
    })
}

/// The limit e of err(w) = e + a·w^{−1/2} by least squares; `None` with fewer than three widths.
pub fn extrapolated_error(points: &[(usize, f64)]) -> Option<Extrapolation> {
    if points.len() < 3 {
        return None;
    }
    let transformed: Vec<(f64, f64)> = points
        .iter()
        .map(|&(w, error)| ((w as f64).sqrt().recip(), error))
        .collect();
    let line = line(&transformed)?;
    Some(Extrapolation {
        error: line.intercept.max(0.0),
        n: points.len(),
    })
}

struct Line {
    slope: f64,
    intercept: f64,
    slope_error: Option<f64>,
}

/// The least-squares line through `points`; `None` unless two differ in x.
fn line(points: &[(f64, f64)]) -> Option<Line> {
    let n = points.len() as f64;
    let mean = |part: fn(&(f64, f64)) -> f64| points.iter().map(part).sum::<f64>() / n;
    let (x_mean, y_mean) = (mean(|p| p.0), mean(|p| p.1));
    let spread: f64 = points.iter().map(|(x, _)| (x - x_mean).powi(2)).sum();
    if points.len() < 2 || spread <= 0.0 {
        return None;
    }
    let shared: f64 = points
        .iter()
        .map(|(x, y)| (x - x_mean) * (y - y_mean))
        .sum();
    let slope = shared / spread;
    let intercept = y_mean - slope * x_mean;
    let residual = |(x, y): &(f64, f64)| (y - intercept - slope * x).powi(2);
    let squares: f64 = points.iter().map(residual).sum();
    Some(Line {
        slope,
        intercept,
        slope_error: (points.len() > 2).then(|| (squares / (n - 2.0) / spread).sqrt()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exact_power_law_gives_its_exponent_and_its_limit() {
        let points: Vec<(usize, f64)> = (0..6)
            .map(|i| 1usize << (4 + i))
            .map(|w| (w, 0.05 + 0.12 / (w as f64).sqrt()))
            .collect();
        let slope = excess_slope(&points, 0.05).unwrap();
        assert!((slope.slope + 0.5).abs() < 1e-12);
        assert!(slope.std_error.unwrap() < 1e-12);
        let limit = extrapolated_error(&points).unwrap();
        assert!((limit.error - 0.05).abs() < 1e-12);
    }

    #[test]
    fn errors_at_the_limit_are_left_out_and_counted() {
        let points = [(4, 0.3), (8, 0.2), (16, 0.1), (32, 0.05)];
        let slope = excess_slope(&points, 0.1).unwrap();
        assert_eq!((slope.n, slope.n_excluded), (2, 2));
        assert_eq!(slope.std_error, None);
        assert_eq!(excess_slope(&points, 0.25), None);
        assert_eq!(extrapolated_error(&points[..2]), None);
    }
}
