//! Scores how two ways of grouping the same rows agree.

mod chance;
mod contingency;
mod scores;

pub use contingency::{Contingency, GroupMix};
pub use scores::Scores;
