//! The baseline of clones: what a chunk of independent neurons would show.

use serde::Serialize;

use crate::geometry::special::ln_gamma;

/// Expectations for W independent, identically distributed neurons over N rows: what a fit and its
/// residuals show when there is nothing to find.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "ChunkBaseline"))]
pub struct Baseline {
    /// w/W + (1 − w/W)·w/(N − 1).
    pub r2_paper: f64,
    /// w/(N − 1).
    pub r2_complement: f64,
    /// The share of pairs outside the chunk times `correlation_complement`.
    pub correlation_paper: f64,
    /// Γ(ν/2)/(√π Γ((ν+1)/2)) with ν = N − 1 − w, the mean |r| of independent normal residuals.
    pub correlation_complement: f64,
}

impl Baseline {
    /// The baseline of chunks of `w` out of `width` neurons over `n_rows` rows; `None` without a
    /// degree of freedom left.
    pub fn new(w: usize, width: usize, n_rows: usize) -> Option<Self> {
        if n_rows < w + 2 || width == 0 || w > width {
            return None;
        }
        let (chunk, all, n) = (w as f64, width as f64, n_rows as f64);
        let freedom = n - 1.0 - chunk;
        let ln_ratio = ln_gamma(freedom / 2.0) - ln_gamma((freedom + 1.0) / 2.0);
        let correlation = libm::exp(ln_ratio) / std::f64::consts::PI.sqrt();
        let outside = all - chunk;
        // Of no neuron outside 0 · (0 − 1) would be −0.
        let pairs = if outside > 1.0 {
            outside * (outside - 1.0) / (all * (all - 1.0))
        } else {
            0.0
        };
        let complement = chunk / (n - 1.0);
        Some(Self {
            r2_paper: chunk / all + (1.0 - chunk / all) * complement,
            r2_complement: complement,
            correlation_paper: pairs * correlation,
            correlation_complement: correlation,
        })
    }
}
