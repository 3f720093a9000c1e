//! Foretells what probes cost beside the search for proposed layers, for the progress bar alone.
//!
//! Costs are nanoseconds of one thread, fitted to runs on layers of 800 × 64, 1000 × 128 and 1500 × 384
//! with 3 and 12 classes. No number of a report rests on them.

use super::options::Readout;
use crate::profile::compare::ComparedLayer;
use crate::progress::Phase;

/// The phases of the work.
pub(super) const PROBING: &str = "probing";
pub(super) const PROPOSALS: &str = "proposals";

/// How large the work is.
#[derive(Debug, Clone, Copy)]
pub struct Extent {
    /// Layers.
    pub layers: usize,
    /// Rows with a target.
    pub rows: usize,
    /// Columns of a layer, on the average.
    pub columns: usize,
    /// Classes, where there are classes.
    pub classes: usize,
    /// Folds.
    pub folds: usize,
    /// How targets are read off.
    pub readout: Readout,
}

impl Extent {
    /// Layers and columns; the rest is for the caller to fill in.
    pub(super) fn of(layers: &[ComparedLayer]) -> Self {
        let columns = layers.iter().filter_map(|layer| layer.n_columns);
        let columns: usize = columns.sum();
        Self {
            layers: layers.len(),
            rows: 0,
            columns: columns / layers.len().max(1),
            classes: 0,
            folds: 0,
            readout: Readout::Ridge,
        }
    }
}

/// A probe of every layer, then the dimension of every layer, all of these in one step.
pub fn phases(extent: &Extent) -> [Phase; 2] {
    let [n, d, classes] = [extent.rows, extent.columns, extent.classes].map(|count| count as f64);
    let fold = match extent.readout {
        // Wide layers and many classes take more iterations.
        Readout::Logistic => 0.68 * n * libm::pow(d, 1.5) * libm::pow(classes, 1.4),
        Readout::Ridge => 0.085 * d * d * (n + d),
    };
    let search = n * n * (6.5 + 0.004 * d);
    [
        Phase::of_cost(PROBING, extent.layers, fold * extent.folds as f64),
        Phase::of_cost(PROPOSALS, 1, search * extent.layers as f64),
    ]
}
