//! Floor 1: from bytes on disk to the rows of a layer.

mod array;
mod bytes;
mod dtype;
mod dump;
mod entry;
mod file;
mod layer;
mod mask;
mod matrix;
mod natural;
mod npy;
mod npz;
mod pooling;
mod range;
mod safetensors;
mod select;

pub use bytes::Bytes;
pub use dtype::Dtype;
pub use dump::{Dump, LayerInfo};
pub use layer::{Layer, ReadOptions};
pub use mask::Mask;
pub use matrix::{MappedSlab, Matrix, Slab, Values};
pub use pooling::Pooling;
pub use select::Selection;
