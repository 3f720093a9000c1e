//! Says which of two ways the fits of chunks go.

/// Beyond this many neurons a row the layer is projected and not eliminated: its Gram matrix would
/// be the larger of the two, and products of short columns are cheap.
const NEURONS_A_ROW: usize = 2;

/// Whether the route is that of short layers; a matter of shape alone, so that no limit on memory
/// changes a number.
pub(super) fn is_short(rows: usize, columns: usize) -> bool {
    columns > NEURONS_A_ROW * rows
}
