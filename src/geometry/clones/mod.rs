//! Does a random chunk of neurons carry what the whole layer carries?
//!
//! One Gram matrix of the layer serves every chunk: its Schur complement is what a chunk leaves
//! unexplained, whatever the number of rows. Where it would be larger than the layer, the layer itself
//! is projected.

mod baseline;
mod critical;
mod elimination;
mod ensemble;
mod fit;
mod power_law;
mod projection;
mod readout;

pub use baseline::Baseline;
pub use critical::{
    CriticalWidth, R2_THRESHOLD, WidthEvidence, ZERO_TRAINING_ERROR, critical_width,
};
pub use elimination::Elimination;
pub use ensemble::{EnsembleAccuracy, Member, ensemble_accuracy};
pub use fit::{ChunkFit, Remainder, Residuals};
pub use power_law::{Extrapolation, Slope, excess_slope, extrapolated_error};
pub use projection::Projection;
pub use readout::{Readout, Score, Targets, chunk_scores};
