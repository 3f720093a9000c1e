//! Launches of kernels: their sizes, and where their arguments lie.

use std::sync::Arc;

use cudarc::driver::{CudaFunction, CudaSlice, CudaStream, DevicePtr, LaunchConfig, sys};

use crate::neighbours::device::machine::Fault;

/// As in `kernels.cu`: rows and columns of a tile, threads of a block, columns that are multiplied
/// before the next ones, and bytes of shared memory for three times as many of two tiles.
pub(super) const TILE: usize = 128;
pub(super) const THREADS: usize = 128;
pub(super) const PAD: usize = 64;
pub(super) const STAGES: usize = 3 * 2 * TILE * PAD * 2;

/// Pairs of tiles of one launch.
pub(super) const LAUNCH: usize = 1 << 30;

/// Where a buffer lies.
pub(super) fn place<T>(stream: &Arc<CudaStream>, buffer: &CudaSlice<T>) -> u64 {
    // One stream does everything in turn, so nothing needs to wait for this.
    buffer.device_ptr(stream).0
}

/// A launch of `blocks` blocks with `shared` bytes of shared memory.
pub(super) fn blocks(blocks: usize, shared: usize) -> LaunchConfig {
    let number = |n: usize| u32::try_from(n).expect("launches are cut to fit");
    LaunchConfig {
        grid_dim: (number(blocks), 1, 1),
        block_dim: (number(THREADS), 1, 1),
        shared_mem_bytes: number(shared),
    }
}

/// A count as the kernels take it.
pub(super) fn word(n: usize) -> u32 {
    u32::try_from(n).expect("layers have fewer than 2^32 rows")
}

/// Lets blocks of a kernel have so much shared memory.
pub(super) fn allow(kernel: &CudaFunction, shared: usize) -> Result<(), Fault> {
    use sys::CUfunction_attribute::CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES as SHARED;
    let bytes = i32::try_from(shared).expect("far less than a GiB");
    Ok(kernel.set_attribute(SHARED, bytes)?)
}
