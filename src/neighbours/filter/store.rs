//! Keeps packed rows: all of them for the whole search, or those of two tiles at a time.

use std::ops::Range;

use super::frame::Frame;
use super::kernel::Kernel;
use super::packed::Packed;
use super::{Area, Block};
use crate::neighbours::points::Points;

/// The packed rows of a layer.
pub(super) enum Store<'a> {
    /// All of them.
    Whole(Box<dyn Packed>),
    /// Packed when they are needed, where memory is short: packing N rows takes O(N·D), the
    /// products of two tiles of h rows O(h²·D), so tiles of thousands of rows hardly notice.
    Tiles(Tiles<'a>),
}

/// What it takes to pack the rows of a tile.
pub(super) struct Tiles<'a> {
    pub(super) points: &'a Points<'a>,
    pub(super) frame: Frame,
    /// Rows of a tile.
    pub(super) height: usize,
}

/// What a thread keeps between products; what it holds means nothing to the caller.
#[derive(Default)]
pub(in crate::neighbours) struct Room {
    sums: Vec<f32>,
    /// The rows of two tiles, or of one with itself.
    packed: Option<([usize; 2], Box<dyn Packed>)>,
}

impl Store<'_> {
    /// [`Packed::multiply`] for the rows in `order`.
    pub(super) fn multiply(
        &self,
        kernel: Kernel,
        order: &[u32],
        area: &Area,
        room: &mut Room,
        visit: &mut dyn FnMut(&Block<'_>),
    ) {
        match self {
            Self::Whole(packed) => packed.multiply(area, &mut room.sums, visit),
            Self::Tiles(tiles) => {
                for a in tiles.covering(&area.rows) {
                    for b in tiles.covering(&area.columns) {
                        tiles.multiply(kernel, order, area, [a, b], room, visit);
                    }
                }
            }
        }
    }
}

impl Tiles<'_> {
    /// The tiles that a range of positions touches.
    fn covering(&self, range: &Range<usize>) -> Range<usize> {
        range.start / self.height..range.end.div_ceil(self.height)
    }

    /// The part of `area` that lies in two tiles.
    fn multiply(
        &self,
        kernel: Kernel,
        order: &[u32],
        area: &Area,
        pair: [usize; 2],
        room: &mut Room,
        visit: &mut dyn FnMut(&Block<'_>),
    ) {
        let [a, b] = pair.map(|tile| {
            let start = tile * self.height;
            start..(start + self.height).min(order.len())
        });
        if room.packed.as_ref().is_none_or(|(held, _)| *held != pair) {
            // First make room for them.
            room.packed = None;
            let mut rows = order[a.clone()].to_vec();
            if a != b {
                rows.extend(&order[b.clone()]);
            }
            let rounded = kernel.packed_rows(self.points, &rows, &self.frame);
            room.packed = Some((pair, rounded.packed));
        }
        let Some((_, packed)) = &room.packed else {
            return;
        };
        // In the pack the first tile begins at 0, the second behind it.
        let behind = if a == b { 0 } else { a.len() };
        let inside = |range: &Range<usize>, tile: &Range<usize>, at: usize| {
            let (start, end) = (range.start.max(tile.start), range.end.min(tile.end));
            start + at - tile.start..end.max(start) + at - tile.start
        };
        let rows = inside(&area.rows, &a, 0);
        let columns = inside(&area.columns, &b, behind);
        let part = Area::between(rows, columns);
        let outside = |range: &Range<usize>, tile: &Range<usize>, at: usize| {
            range.start + tile.start - at..range.end + tile.start - at
        };
        packed.multiply(&part, &mut room.sums, &mut |block| {
            visit(&Block {
                rows: outside(&block.rows, &a, 0),
                columns: outside(&block.columns, &b, behind),
                products: block.products,
                stride: block.stride,
            });
        });
    }
}
