//! Lays out what the kernels of `kernels.cu` take, field by field as they declare it.

use cudarc::driver::DeviceRepr;

/// `Rows` of `kernels.cu`; places in the GPU's memory are numbers here.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct RowsArg {
    pub(super) values: u64,
    pub(super) norms: u64,
    pub(super) kind: u32,
    pub(super) width: u32,
}

/// `Lists`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct ListsArg {
    pub(super) squares: u64,
    pub(super) terms: u64,
    pub(super) cuts: u64,
    pub(super) counts: u64,
    pub(super) entries: u64,
    pub(super) capacity: u32,
    pub(super) overflow: u64,
}

/// `Visit`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct VisitArg {
    pub(super) targets: u64,
    pub(super) from: u64,
    pub(super) to: u64,
    pub(super) tiles: u32,
    pub(super) seeking: u32,
    pub(super) first: u32,
    pub(super) count: u32,
    pub(super) symmetric: u32,
}

/// `Bound`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct BoundArg {
    pub(super) squares: u64,
    pub(super) errors: u64,
    pub(super) relative: f64,
}

/// `Pruned`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct PrunedArg {
    pub(super) longest: u64,
    pub(super) crowded: u64,
    pub(super) crowds: u64,
}

/// `Ranks`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct RanksArg {
    pub(super) terms: u64,
    pub(super) sure_terms: u64,
    pub(super) cuts: u64,
    pub(super) sure: u64,
    pub(super) beyond: u64,
    pub(super) before: u64,
    pub(super) nearer: u64,
    pub(super) kept: u64,
    pub(super) count: u64,
    pub(super) room: u64,
    pub(super) wanted: u32,
    pub(super) groups: u32,
}

/// `Placing`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct PlacingArg {
    pub(super) targets: u64,
    pub(super) from: u64,
    pub(super) to: u64,
    pub(super) seeking: u32,
    pub(super) first: u32,
    pub(super) counted: u32,
}

// SAFETY: plain numbers, laid out as the structures of the same fields in `kernels.cu`.
#[allow(unsafe_code)]
unsafe impl DeviceRepr for RowsArg {}
// SAFETY: as above.
#[allow(unsafe_code)]
unsafe impl DeviceRepr for ListsArg {}
// SAFETY: as above.
#[allow(unsafe_code)]
unsafe impl DeviceRepr for VisitArg {}
// SAFETY: as above.
#[allow(unsafe_code)]
unsafe impl DeviceRepr for BoundArg {}
// SAFETY: as above.
#[allow(unsafe_code)]
unsafe impl DeviceRepr for PrunedArg {}
// SAFETY: as above.
#[allow(unsafe_code)]
unsafe impl DeviceRepr for RanksArg {}
// SAFETY: as above.
#[allow(unsafe_code)]
unsafe impl DeviceRepr for PlacingArg {}
