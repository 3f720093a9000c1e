//! Floor 1: from bytes on disk to the rows of a layer.

mod matrix;

pub use matrix::{MappedSlab, Matrix, Slab, Values};
