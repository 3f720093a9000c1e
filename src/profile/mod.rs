//! Floor 4: a quantity over layers.

pub mod id;
