//! Heads, attention blocks and MLPs replaced, and what that does to the outcome.

mod everywhere;
mod plan;
mod run;
mod shape;

pub use run::{ablate, ablate_replayed};
pub use shape::{
    AblateOptions, AblateParameters, Ablated, Ablation, AblationRow, ExampleAblation, Place,
    Replacement,
};
