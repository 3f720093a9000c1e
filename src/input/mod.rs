//! Floor 1: from bytes on disk to the rows of a layer.

mod array;
mod bytes;
mod dtype;
mod dump;
mod duplicates;
mod entry;
mod file;
mod labels;
mod layer;
mod mask;
mod matrix;
mod natural;
mod npy;
mod npz;
mod pooling;
mod range;
mod rows;
mod safetensors;
mod scan;
mod select;
mod series;
mod tables;

pub use bytes::Bytes;
pub use dtype::Dtype;
pub use dump::{Dump, LayerInfo};
pub use duplicates::{Duplicates, find_duplicates};
pub use labels::Labels;
pub use layer::{Layer, ReadOptions};
pub use mask::Mask;
pub use matrix::{MappedSlab, Matrix, Slab, Values};
pub use pooling::Pooling;
pub use rows::{RowChoice, RowSource, Sample};
pub use scan::{Scan, Spot, scan};
pub use select::Selection;
pub use series::{Series, SeriesChoice, SeriesFile};
pub use tables::{PrecomputedTable, TableSource, find_tables};
