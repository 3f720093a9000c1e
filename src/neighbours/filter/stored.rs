//! Reads products that another kernel multiplied before: a kernel that costs next to nothing.
//!
//! A search on it takes as long as everything but the products does, which is what `repgeo bench`
//! wants to know; analyses never see it.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use super::packed::Packed;
use super::{Area, Block};

/// The products of every area that was asked for, as the kernel showed them.
pub(super) struct Stored {
    kernel: Box<dyn Packed>,
    areas: Mutex<HashMap<[usize; 4], Arc<Shown>>>,
}

/// The blocks of an area in the order in which they were shown.
#[derive(Default)]
struct Shown {
    /// Rows and columns of each.
    blocks: Vec<[Range<usize>; 2]>,
    /// One block behind the other, each row after row without padding.
    products: Vec<f32>,
}

impl Stored {
    /// Nothing is stored yet: whoever asks for an area first waits for the kernel.
    pub(super) fn new(kernel: Box<dyn Packed>) -> Self {
        Self {
            kernel,
            areas: Mutex::default(),
        }
    }

    /// The products of an area, multiplied if this is the first time.
    fn of(&self, area: &Area, room: &mut Vec<f32>) -> Arc<Shown> {
        let key = [
            area.rows.start,
            area.rows.end,
            area.columns.start,
            area.columns.end,
        ];
        let areas = || self.areas.lock().unwrap_or_else(PoisonError::into_inner);
        let known = areas().get(&key).cloned();
        known.unwrap_or_else(|| {
            let mut shown = Shown::default();
            let pairs = area.rows.len() * area.columns.len();
            shown.products.reserve_exact(pairs);
            self.kernel
                .multiply(area, room, &mut |block| shown.push(block));
            let shown = Arc::new(shown);
            areas().insert(key, Arc::clone(&shown));
            shown
        })
    }
}

impl Shown {
    fn push(&mut self, block: &Block<'_>) {
        self.blocks
            .push([block.rows.clone(), block.columns.clone()]);
        for r in 0..block.rows.len() {
            self.products.extend_from_slice(block.row(r));
        }
    }
}

impl Packed for Stored {
    fn multiply(&self, area: &Area, room: &mut Vec<f32>, visit: &mut dyn FnMut(&Block<'_>)) {
        let shown = self.of(area, room);
        let mut products = &shown.products[..];
        for [rows, columns] in &shown.blocks {
            let (block, others) = products.split_at(rows.len() * columns.len());
            products = others;
            visit(&Block {
                rows: rows.clone(),
                columns: columns.clone(),
                products: block,
                stride: columns.len(),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::neighbours::filter::{Demand, Room, pack};
    use crate::neighbours::points::{Metric, Points};
    use crate::neighbours::tests::{gaussian, kernels};

    #[test]
    fn products_that_were_stored_are_those_of_the_kernel() {
        let matrix = gaussian(150, 40, 1);
        let points = Points::new(&matrix, Metric::Euclidean, "x").unwrap();
        for kernel in kernels() {
            let packed = || {
                let order = (0..150).collect();
                pack(&points, order, kernel, &Demand::Nearest(5), None)
            };
            let (fresh, stored) = (packed(), packed().with_stored_products());
            for (rows, columns) in [(0..150, 0..150), (3..70, 9..141), (3..70, 9..10)] {
                let of = |operand: &crate::neighbours::filter::Operand| {
                    let mut products = vec![f32::NAN; rows.len() * columns.len()];
                    let room = &mut Room::default();
                    operand.products(rows.clone(), columns.clone(), room, &mut products);
                    products
                };
                let expected = of(&fresh);
                for turn in ["multiplied", "read"] {
                    assert_eq!(of(&stored), expected, "{kernel:?}, {turn}");
                }
            }
        }
    }
}
