//! The packed rows of a layer in the order in which a search visits them, and their bound.

use std::ops::Range;

use super::bound::Bound;
use super::kernel::Kernel;
use super::store::{Room, Store};
use super::stored::Stored;
use super::{Area, Block};

/// The centred, scaled and rounded copy of all rows, in the order in which the sweep visits them.
pub(in crate::neighbours) struct Operand<'a> {
    /// `order[p]` is the row of the matrix at position `p`.
    order: Vec<u32>,
    /// 2^−e, by which centred rows were multiplied.
    scale: f64,
    kernel: Kernel,
    store: Store<'a>,
    /// How wrong the scores can be.
    pub(in crate::neighbours) bound: Bound,
    /// How many pairs a row more than it needs to are expected to go to the verdict.
    pub(in crate::neighbours) spare: usize,
}

impl<'a> Operand<'a> {
    pub(super) fn new(
        order: Vec<u32>,
        scale: f64,
        kernel: Kernel,
        store: Store<'a>,
        bound: Bound,
    ) -> Self {
        Self {
            order,
            scale,
            kernel,
            store,
            bound,
            spare: 0,
        }
    }

    /// The same with products that are multiplied once and read from memory from then on, to time
    /// what a search costs beside them; 2·N² bytes and a little.
    pub(in crate::neighbours) fn with_stored_products(self) -> Self {
        let store = match self.store {
            Store::Whole(packed) => Store::Whole(Box::new(Stored::new(packed))),
            tiles @ Store::Tiles(_) => tiles,
        };
        Self { store, ..self }
    }

    /// The rows in their order, for another operand.
    pub(super) fn into_order(self) -> Vec<u32> {
        self.order
    }

    /// What multiplies them.
    pub(super) fn kernel(&self) -> Kernel {
        self.kernel
    }

    /// The factor between distances and the square roots of scores, a power of two.
    pub(in crate::neighbours) fn scale(&self) -> f64 {
        self.scale
    }

    /// Number of rows.
    pub(in crate::neighbours) fn n_rows(&self) -> usize {
        self.order.len()
    }

    /// The row of the matrix at position `p`.
    pub(in crate::neighbours) fn row(&self, p: usize) -> usize {
        self.order[p] as usize
    }

    /// Rows of the matrix by position.
    pub(in crate::neighbours) fn order(&self) -> &[u32] {
        &self.order
    }

    /// Shows `visit` the product sums u_p·u_q of all pairs of `area`, block by block.
    ///
    /// `room` is to be kept between calls.
    pub(in crate::neighbours) fn multiply(
        &self,
        area: &Area,
        room: &mut Room,
        visit: &mut dyn FnMut(&Block<'_>),
    ) {
        self.store
            .multiply(self.kernel, &self.order, area, room, visit);
    }

    /// Product sums of two ranges of positions, row after row without padding.
    pub(in crate::neighbours) fn products(
        &self,
        rows: Range<usize>,
        columns: Range<usize>,
        room: &mut Room,
        out: &mut [f32],
    ) {
        let area = Area::between(rows, columns);
        self.multiply(&area, room, &mut |block| {
            let left = block.columns.start - area.columns.start;
            for (r, p) in block.rows.clone().enumerate() {
                let line = (p - area.rows.start) * area.columns.len() + left;
                out[line..line + block.columns.len()].copy_from_slice(block.row(r));
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::neighbours::exact::squared_distance;
    use crate::neighbours::filter::bound::THETA;
    use crate::neighbours::filter::{Demand, pack};
    use crate::neighbours::points::{Metric, Points};
    use crate::neighbours::tests::{adversarial, gaussian, kernels};

    #[test]
    fn only_the_portable_kernel_is_charged_a_rounding_for_every_column() {
        let matrix = gaussian(20, 3000, 1);
        let points = Points::new(&matrix, Metric::Euclidean, "x").unwrap();
        for kernel in kernels() {
            let operand = pack(
                &points,
                (0..20).collect(),
                kernel,
                &Demand::Nearest(5),
                None,
            );
            match kernel {
                Kernel::Portable => assert_eq!(operand.bound.steps(), 3000),
                _ => assert!(
                    operand.bound.steps() < 600,
                    "{kernel:?} {}",
                    operand.bound.steps()
                ),
            }
        }
    }

    /// Checks every pair and returns how many there were.
    fn check_all_pairs(name: &str, points: &Points<'_>, operand: &Operand) -> u64 {
        let (n, width) = (points.n_rows(), points.n_columns());
        let mut products = vec![0.0; n * n];
        operand.products(0..n, 0..n, &mut Room::default(), &mut products);
        let (mut x, mut y) = (vec![0.0; width], vec![0.0; width]);
        for p in 0..n {
            points.row(operand.row(p), &mut x);
            for q in 0..n {
                points.row(operand.row(q), &mut y);
                let exact = squared_distance(&x, &y) * operand.scale() * operand.scale();
                let product = products[p * n + q];
                let score = f64::from(operand.bound.score(p, q, product) as f32);
                assert!(operand.bound.lower(p, q, score) <= exact, "{name}: {p} {q}");
                assert!(operand.bound.upper(p, q, score) >= exact, "{name}: {p} {q}");
                assert!(
                    product - operand.bound.column_term(q) >= operand.bound.cut(p, exact),
                    "{name}: {p} {q} was cut"
                );
                for near in [exact, exact * 0.999_999, 0.0] {
                    assert!(
                        product - operand.bound.sure_term(q) <= operand.bound.sure_cut(p, near),
                        "{name}: {p} {q} passed for nearer than {near}"
                    );
                }
            }
        }
        (n * n) as u64
    }

    /// Whatever the data, the kernel and θ: |g − scaled D²| ≤ bound, and no cut loses a pair.
    #[test]
    fn the_bound_holds_for_every_pair_of_adversarial_data() {
        for kernel in kernels() {
            let mut checked = 0;
            for (name, matrix) in adversarial().into_iter().filter(|(_, m)| m.n_columns() > 0) {
                let points = Points::new(&matrix, Metric::Euclidean, name).unwrap();
                let order = (0..points.n_rows() as u32).rev().collect();
                let mut operand = pack(&points, order, kernel, &Demand::Nearest(5), None);
                let name = format!("{kernel:?}, {name}");
                checked += check_all_pairs(&name, &points, &operand);
                if points.n_columns() < 50 {
                    for theta in [THETA, 1e-3, 0.1] {
                        operand.bound.set_theta(theta);
                        checked += check_all_pairs(&name, &points, &operand);
                    }
                }
            }
            assert!(checked > 2_000_000, "{checked}");
        }
    }

    #[test]
    fn the_bound_holds_for_rows_at_every_distance_from_each_other() {
        // Row i lies 2^−(i mod 40) from row 0, near and far from the centre, in odd widths.
        for kernel in kernels() {
            for (width, seed) in [(1, 1), (3, 2), (65, 3), (511, 4)] {
                let base = gaussian(300, width, seed);
                let (mut first, mut row) = (vec![0.0; width], vec![0.0; width]);
                base.widen_row(0, &mut first);
                let mut values = Vec::new();
                for i in 0..300 {
                    base.widen_row(i, &mut row);
                    let away = 2f64.powi(-(i as i32 % 40));
                    let shifted = first.iter().zip(&row).map(|(a, b)| a + away * b);
                    values.extend(shifted);
                }
                let matrix = crate::input::Matrix::from_f64(300, width, values);
                let points = Points::new(&matrix, Metric::Euclidean, "x").unwrap();
                let operand = pack(
                    &points,
                    (0..300).collect(),
                    kernel,
                    &Demand::Nearest(9),
                    None,
                );
                check_all_pairs(&format!("{kernel:?}, {width}"), &points, &operand);
            }
        }
    }

    #[test]
    fn the_cut_is_tight_enough_to_drop_nearly_everything_beyond_it() {
        let matrix = gaussian(400, 96, 5);
        let points = Points::new(&matrix, Metric::Euclidean, "x").unwrap();
        for kernel in kernels() {
            // bf16 cannot tell noise in many columns apart nearly as well; split in two it can.
            let single = kernel.is_coarse() && kernel != Kernel::AmxSplit;
            let limit = if single { 2400 } else { 40 };
            let operand = pack(
                &points,
                (0..400).collect(),
                kernel,
                &Demand::Nearest(20),
                None,
            );
            let mut products = vec![0.0; 400 * 400];
            operand.products(0..400, 0..400, &mut Room::default(), &mut products);
            let mut wrongly_kept = 0;
            for p in 0..400 {
                let mut scores: Vec<f64> = (0..400)
                    .map(|q| operand.bound.score(p, q, products[p * 400 + q]))
                    .collect();
                scores.sort_unstable_by(f64::total_cmp);
                let cut = operand.bound.cut(p, scores[20]);
                let kept = (0..400)
                    .filter(|&q| products[p * 400 + q] - operand.bound.column_term(q) >= cut);
                wrongly_kept += kept.count() - 21;
            }
            assert!(wrongly_kept < limit, "{kernel:?}: {wrongly_kept} of 8000");
        }
    }
}
