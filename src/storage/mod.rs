//! Writes to the disk, whole or not at all, and arrays in numpy's formats.

mod npy;
mod npz;
mod pending;
mod tensors;
mod write;

pub use npy::{Element, npy, npy_header};
pub use npz::NpzWriter;
pub(crate) use pending::sweep;
pub use pending::{files_written, remove_unfinished};
pub use tensors::{TensorFile, TensorSpec};
pub(crate) use write::is_stream;
pub use write::{
    check_writable, prepare_folder, short_stem, write_atomically, write_atomically_with,
    write_stream,
};
