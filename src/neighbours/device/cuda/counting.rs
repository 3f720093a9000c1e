//! Holds the buffers of a GPU that counts ranks.

use cudarc::driver::CudaSlice;

/// Thresholds, what was counted at them, and pairs that wait to be decided.
pub(super) struct Counting {
    pub(super) wanted: usize,
    pub(super) groups: usize,
    pub(super) squared: CudaSlice<f64>,
    pub(super) numbers: CudaSlice<u32>,
    pub(super) beyond: CudaSlice<u32>,
    pub(super) cuts: CudaSlice<f32>,
    pub(super) sure: CudaSlice<f32>,
    pub(super) terms: CudaSlice<f32>,
    pub(super) sure_terms: CudaSlice<f32>,
    pub(super) before: CudaSlice<u32>,
    pub(super) nearer: CudaSlice<u64>,
    pub(super) kept: CudaSlice<u64>,
    pub(super) count: CudaSlice<u64>,
}
