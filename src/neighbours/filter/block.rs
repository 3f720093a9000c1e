//! A block of products: which rows and columns, and the form in which they come back.

use std::ops::Range;

/// Every pair of some rows and some columns, by position.
pub(in crate::neighbours) struct Area {
    pub(in crate::neighbours) rows: Range<usize>,
    pub(in crate::neighbours) columns: Range<usize>,
}

impl Area {
    pub(in crate::neighbours) fn between(rows: Range<usize>, columns: Range<usize>) -> Self {
        Self { rows, columns }
    }
}

/// Product sums of some rows with some columns, small enough for the first-level cache.
pub(in crate::neighbours) struct Block<'a> {
    pub(in crate::neighbours) rows: Range<usize>,
    pub(in crate::neighbours) columns: Range<usize>,
    /// One row after the other, `stride` apart.
    pub(super) products: &'a [f32],
    pub(super) stride: usize,
}

impl Block<'_> {
    /// The products of the `r`-th row with all columns.
    #[inline(always)]
    pub(in crate::neighbours) fn row(&self, r: usize) -> &[f32] {
        &self.products[r * self.stride..][..self.columns.len()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::neighbours::filter::bf16::{bf16, widen};
    use crate::neighbours::filter::frame::Frame;
    use crate::neighbours::filter::kernel::Kernel;
    use crate::neighbours::filter::packed::Rounded;
    use crate::neighbours::points::{Metric, Points};
    use crate::neighbours::tests::{gaussian, kernels};

    #[test]
    fn every_kernel_shows_every_pair_of_an_area_once_with_its_product() {
        // Several widths, the last beyond one pass; none a multiple of anything.
        for (n, d) in [(67, 1), (67, 37), (133, 100), (21, 8195)] {
            let matrix = gaussian(n, d, 5);
            let points = Points::new(&matrix, Metric::Euclidean, "x").unwrap();
            let frame = Frame::of(&points);
            let order: Vec<u32> = (0..n as u32).rev().collect();
            for kernel in kernels() {
                let packed = kernel.rounded(&points, &order, &frame).unwrap();
                // What a kernel keeps of a value, and in which two parts.
                let parts = |w: f64| match kernel {
                    Kernel::AmxSplit => {
                        let high = widen(bf16(w));
                        [high, widen(bf16(w - high))]
                    }
                    coarse if coarse.is_coarse() => [widen(bf16(w)), 0.0],
                    _ => [f64::from(w as f32), 0.0],
                };
                let rows: Vec<Vec<[f64; 2]>> = order
                    .iter()
                    .map(|&row| {
                        let mut wide = vec![0.0; d];
                        points.row(row as usize, &mut wide);
                        frame.place(&mut wide);
                        wide.into_iter().map(parts).collect()
                    })
                    .collect();
                let check = |p: usize, q: usize, product: f32| {
                    let pairs = rows[p].iter().zip(&rows[q]);
                    let exact: f64 = pairs
                        .map(|([a, low], [b, lower])| a * b + a * lower + low * b)
                        .sum();
                    let scale = (packed.measured[p][0] * packed.measured[q][0]).sqrt();
                    let error = (f64::from(product) - exact).abs();
                    let allowed = 1e-6 * scale * (d as f64).sqrt();
                    assert!(error <= allowed, "{kernel:?} {p} {q}: {error}");
                };
                for (rows, columns) in [(0..n, 0..n), (3..18, 9..n), (16..17, 0..16), (5..5, 2..9)]
                {
                    let area = Area::between(rows.clone(), columns.clone());
                    let seen = visits(&packed, &area, n, check);
                    let wanted = |p, q| rows.contains(&p) && columns.contains(&q);
                    for (p, q) in pairs(n) {
                        assert_eq!(seen[p * n + q], u32::from(wanted(p, q)), "{p} {q}");
                    }
                }
            }
        }
    }

    fn pairs(n: usize) -> impl Iterator<Item = (usize, usize)> {
        (0..n * n).map(move |at| (at / n, at % n))
    }

    /// How often each pair of n × n was seen.
    fn visits(
        packed: &Rounded,
        area: &Area,
        n: usize,
        check: impl Fn(usize, usize, f32),
    ) -> Vec<u32> {
        let (mut seen, mut room) = (vec![0; n * n], Vec::new());
        packed.packed.multiply(area, &mut room, &mut |block| {
            for (r, p) in block.rows.clone().enumerate() {
                for (q, &product) in block.columns.clone().zip(block.row(r)) {
                    check(p, q, product);
                    seen[p * n + q] += 1;
                }
            }
        });
        seen
    }
}
