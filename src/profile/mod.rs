//! Floor 4: a quantity over layers.

mod controls;
pub mod events;
mod family;
pub mod id;
mod id_profile;
mod layers;
mod resample;

pub use controls::Control;
pub use family::Estimator;
pub use id_profile::{IdOptions, OrderRule, id_profile, id_profile_of_tables};
pub use layers::{DuplicatePolicy, LayerOptions, PreparedLayer, diagnose, prepare};
pub use resample::PartitionOrder;
