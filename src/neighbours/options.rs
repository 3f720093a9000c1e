//! Options of a search; none changes a result.

use super::device::Device;
use super::filter::Kernel;

/// How neighbours are sought. Every way gives the same bytes; they differ in speed only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Strategy {
    /// The fastest for the layer's shape, as measured.
    #[default]
    Auto,
    /// Symmetric tiles of scores and short candidate lists.
    Sweep,
    /// Panels of whole score rows; for `order_distances` only, tables use the sweep.
    Panel,
    /// A k-d tree.
    Tree,
    /// Every distance as an exact f64 sum: the slow twin that the others are tested against.
    Direct,
}

/// Knobs of a search, none of which changes its result.
#[derive(Debug, Clone, Copy, Default)]
pub struct SearchOptions {
    /// Which way to search.
    pub strategy: Strategy,
    /// Rows per tile of the sweep; chosen by size if `None`.
    pub tile: Option<usize>,
    /// What multiplies rows for the filter.
    pub kernel: Kernel,
    /// What searches.
    pub device: Device,
    /// Bytes that a search may hold beside the mapped input; no limit if `None`.
    pub max_memory: Option<u64>,
    /// Bytes that the caller holds while it searches; they count against `max_memory`.
    pub beside: u64,
}
