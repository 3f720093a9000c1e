//! Layers side by side: which pairs, over which rows, and the matrix they make.

mod matrix;
mod neighbourhood;
mod pairs;
mod sides;

pub use matrix::LayerMatrix;
pub(crate) use matrix::places;
pub use neighbourhood::{all_rows_equal, reduced};
pub use pairs::{LayerPair, Target};
pub use sides::{ComparedLayer, Comparison, LayerRef, Side};
