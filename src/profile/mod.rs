//! A quantity over layers.

mod asked;
mod bench;
pub mod clones;
mod columns;
pub mod compare;
mod controls;
pub mod correlate;
pub mod dynamics;
pub mod events;
mod finished;
pub mod id;
pub mod imbalance;
pub mod inspect;
pub mod landscape;
mod layers;
mod named;
pub mod overlap;
mod parameters;
pub mod probe;
mod resample;
pub mod similarity;
pub mod tables;

pub use bench::Bench;
pub use controls::Control;
pub use finished::{Finished, LayerSearch, Sought};
pub use id::{IdOptions, OrderRule, id_profile, id_profile_of_tables};
pub use layers::{
    DuplicatePolicy, LayerOptions, PreparedLayer, diagnose, near_duplicate_warning, prepare,
};
pub use parameters::{ReadParameters, RowParameters};
pub use resample::{Decimation, PartitionOrder, Partitioning, Resampling};
