//! Holds what clone tests use beside the layer: readout, training rows, other networks.

use crate::geometry::clones::{Readout, Targets};
use crate::input::Matrix;

/// A trained network seen at its last hidden layer.
pub struct Network {
    /// The layer over the test rows.
    pub features: Matrix,
    /// What the network makes of it.
    pub readout: Readout,
}

/// Data beside the layer itself.
#[derive(Default)]
pub struct CloneData {
    /// Readout and targets of the rows of the layer.
    pub readout: Option<(Readout, Targets)>,
    /// The layer over the training rows, and their targets.
    pub train: Option<(Matrix, Targets)>,
    /// The same network trained from other seeds, over the same test rows.
    pub networks: Vec<Network>,
}
