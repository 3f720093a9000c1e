//! A quantity over runs and layers: checkpoints, widths, models, seeds.

mod layers;
mod options;
mod quantity;
mod run;
mod shape;

pub use options::DynamicsOptions;
pub use quantity::DynamicsQuantity;
pub use run::{Opening, dynamics};
pub use shape::{
    DynamicsColumn, DynamicsExtreme, DynamicsLayer, DynamicsParameters, DynamicsProfile,
    DynamicsRange, DynamicsRun, DynamicsValue,
};
