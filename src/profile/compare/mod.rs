//! Layers side by side: which pairs, over which rows, and the matrix they make.

mod matrix;
mod pairs;
mod sides;

pub use matrix::LayerMatrix;
pub use pairs::{LayerPair, Target};
pub use sides::{ComparedLayer, Comparison, Side};
