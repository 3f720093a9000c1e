//! A quantity over runs and layers: checkpoints, widths, models, seeds.

mod layers;
mod options;
mod over_layers;
mod over_runs;
mod partners;
mod quantity;
mod run;
mod series;
mod shape;

pub use options::{DynamicsOptions, RunTarget};
pub use quantity::{DynamicsQuantity, SCORES};
pub use run::{RunAnalysis, RunFound, dynamics};
pub use shape::{
    DynamicsColumn, DynamicsExtreme, DynamicsLayer, DynamicsNumber, DynamicsParameters,
    DynamicsPhases, DynamicsProfile, DynamicsRange, DynamicsRun, DynamicsValue, Parted, Presence,
    RunEvents, RunParameters, RunShape, SeriesKey, ShapeChange,
};
