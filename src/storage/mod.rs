//! Ground: how bytes reach the disk — whole or not at all — and arrays in numpy's formats.

mod npy;
mod npz;
mod write;

pub use npy::{Element, npy, npy_header};
pub use npz::npz;
pub(crate) use write::is_stream;
pub use write::{write_atomically, write_atomically_with, write_stream};
