//! Layers side by side: which pairs, over which rows, and the matrix they make.

mod layer;
mod matrix;
mod neighbourhood;
mod pairs;
mod sides;

pub use layer::{ComparedLayer, LayerRef};
pub use matrix::LayerMatrix;
pub(crate) use matrix::places;
pub use neighbourhood::{all_rows_equal, reduced};
pub use pairs::{LayerPair, Target};
pub use sides::{Comparison, Side};
