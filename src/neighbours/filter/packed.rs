//! The interface of a kernel: packed rows, and the promise about their products.

use super::frame::Frame;
use super::{Area, Block};
use crate::neighbours::points::Points;

/// Rows packed for one kernel.
pub(super) trait Packed: Send + Sync {
    /// Multiplies the rows of `area` with its columns: `visit` sees every pair in one block.
    ///
    /// Every product and sum is rounded to f32 or better; no product passes through more roundings
    /// than [`Rounded::steps`] says. `room` is kept by the caller between calls; what it holds
    /// means nothing.
    fn multiply(&self, area: &Area, room: &mut Vec<f32>, visit: &mut dyn FnMut(&Block<'_>));
}

/// What rounding made of some rows.
pub(super) struct Rounded {
    pub(super) packed: Box<dyn Packed>,
    /// n_p², ρ_p² and λ_p² of each.
    pub(super) measured: Vec<[f64; 3]>,
    /// Roundings that a product passes through at most until it is in its sum.
    pub(super) steps: usize,
}

/// How rows are packed for a kernel.
#[derive(Clone, Copy)]
pub(super) struct Maker {
    /// Whether this machine can run it.
    pub(super) is_available: fn() -> bool,
    /// Packs some rows in this order; `None` if it cannot.
    pub(super) pack: fn(&Points<'_>, &[u32], &Frame) -> Option<Rounded>,
}

/// Unit roundoff of f32.
pub(super) const EPSILON: f64 = 1.0 / (1u32 << 24) as f64;
