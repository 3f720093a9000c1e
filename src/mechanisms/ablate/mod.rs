//! Heads, attention blocks and MLPs replaced at the last token, and what that does to the outcome.

mod run;
mod shape;

pub use run::{ablate, ablate_replayed};
pub use shape::{
    AblateOptions, AblateParameters, Ablated, Ablation, AblationRow, ExampleAblation, Replacement,
};
