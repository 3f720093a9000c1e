//! Small products of row-major matrices, added in a fixed order.

use ndarray::{ArrayView2, ArrayViewMut2};
use pulp::{Arch, Simd, WithSimd};

use crate::algebra::{Accumulate, Part, multiply_part};
use crate::vectors::vectorised;

/// Lanes of a sum; fixed, so that the order of additions is a function of the lengths alone.
const LANES: usize = 8;

/// The lanes of a sum, added up.
#[inline(always)]
fn total(sums: [f64; LANES]) -> f64 {
    let halves = [
        sums[0] + sums[4],
        sums[1] + sums[5],
        sums[2] + sums[6],
        sums[3] + sums[7],
    ];
    (halves[0] + halves[2]) + (halves[1] + halves[3])
}

#[inline(always)]
fn lanes(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; LANES];
    let (blocks, others) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest = plain(blocks.remainder(), others.remainder());
    for (a, b) in blocks.zip(others) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    total(sums) + rest
}

#[inline(always)]
fn plain(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).fold(0.0, |sum, (a, b)| sum + a * b)
}

/// a·b.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    vectorised(
        Arch::new(),
        #[inline(always)]
        || lanes(a, b),
    )
}

/// y += factor · x.
pub(super) fn add_scaled(y: &mut [f64], factor: f64, x: &[f64]) {
    vectorised(
        Arch::new(),
        #[inline(always)]
        || y.iter_mut().zip(x).for_each(|(y, x)| *y += factor * x),
    );
}

/// Lanes of a sum of narrow numbers.
const NARROW_LANES: usize = 16;

/// a·b of narrow numbers, multiplied and added in f64.
pub(super) fn wide_dot(a: &[f32], b: &[f32]) -> f64 {
    vectorised(
        Arch::new(),
        #[inline(always)]
        || {
            let mut sums = [0.0; NARROW_LANES];
            let (a, others) = a.as_chunks::<NARROW_LANES>();
            let (b, last) = b.as_chunks::<NARROW_LANES>();
            for (a, b) in a.iter().zip(b) {
                for lane in 0..NARROW_LANES {
                    sums[lane] += f64::from(a[lane]) * f64::from(b[lane]);
                }
            }
            let rest = others.iter().zip(last);
            let rest = rest.fold(0.0, |sum, (a, b)| sum + f64::from(*a) * f64::from(*b));
            sums.iter().sum::<f64>() + rest
        },
    )
}

/// y += factor · x of narrow numbers.
pub(super) fn add_narrow(y: &mut [f32], factor: f32, x: &[f32]) {
    vectorised(
        Arch::new(),
        #[inline(always)]
        || y.iter_mut().zip(x).for_each(|(y, x)| *y += factor * x),
    );
}

/// Every row of `rows` times every row of `weights`, both of `width` columns, into `out`, a row a row.
pub(super) fn times(rows: &[f64], weights: &[f64], width: usize, out: &mut [f64]) {
    Arch::new().dispatch(Times {
        rows,
        weights,
        width,
        out,
    });
}

struct Times<'a> {
    rows: &'a [f64],
    weights: &'a [f64],
    width: usize,
    out: &'a mut [f64],
}

impl WithSimd for Times<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        // As many sums at once as there are registers for.
        match LANES / S::F64_LANES {
            1 => self.by_blocks::<S, 4, 3, 1>(simd),
            2 => self.by_blocks::<S, 2, 3, 2>(simd),
            4 => self.by_blocks::<S, 1, 3, 4>(simd),
            _ => self.by_blocks::<S, 1, 1, LANES>(simd),
        }
    }
}

impl Times<'_> {
    /// Blocks of `TALL` rows and `WIDE` weights in registers; the lanes of a sum are in `PARTS` vectors.
    #[inline(always)]
    fn by_blocks<S: Simd, const TALL: usize, const WIDE: usize, const PARTS: usize>(self, simd: S) {
        let Self {
            rows,
            weights,
            width,
            out,
        } = self;
        let n = rows.len() / width;
        let outputs = weights.len() / width;
        for row in (0..n).step_by(TALL) {
            // At the edges the last one is taken again.
            let tall: [usize; TALL] = std::array::from_fn(|at| (row + at).min(n - 1));
            let of_rows = tall.map(|row| &rows[row * width..][..width]);
            for output in (0..outputs).step_by(WIDE) {
                let wide: [usize; WIDE] = std::array::from_fn(|at| (output + at).min(outputs - 1));
                let of_weights = wide.map(|output| &weights[output * width..][..width]);
                let found = dots::<S, TALL, WIDE, PARTS>(simd, of_rows, of_weights);
                for (row, found) in tall.into_iter().zip(found) {
                    for (output, found) in wide.into_iter().zip(found) {
                        out[row * outputs + output] = found;
                    }
                }
            }
        }
    }
}

/// The dot products of some rows with some weights, each as [`dot`] adds it.
#[inline(always)]
fn dots<S: Simd, const TALL: usize, const WIDE: usize, const PARTS: usize>(
    simd: S,
    a: [&[f64]; TALL],
    b: [&[f64]; WIDE],
) -> [[f64; WIDE]; TALL] {
    let whole = a[0].len() / LANES * LANES;
    let n = whole / S::F64_LANES;
    let x = a.map(|row| &S::as_simd_f64s(&row[..whole]).0[..n]);
    let y = b.map(|row| &S::as_simd_f64s(&row[..whole]).0[..n]);
    let mut sums = [[[simd.splat_f64s(0.0); PARTS]; WIDE]; TALL];
    let mut first = 0;
    while first < n {
        for part in 0..PARTS {
            let x = x.map(|x| x[first + part]);
            let y = y.map(|y| y[first + part]);
            for (sums, x) in sums.iter_mut().zip(x) {
                for (sums, y) in sums.iter_mut().zip(y) {
                    sums[part] = simd.add_f64s(sums[part], simd.mul_f64s(x, y));
                }
            }
        }
        first += PARTS;
    }
    let mut out = [[0.0; WIDE]; TALL];
    for ((out, sums), a) in out.iter_mut().zip(&sums).zip(a) {
        for ((out, sums), b) in out.iter_mut().zip(sums).zip(b) {
            let sums: &[f64] = bytemuck::cast_slice(sums);
            let sums = sums.try_into().expect("parts make up the lanes");
            *out = total(sums) + plain(&a[whole..], &b[whole..]);
        }
    }
    out
}

/// Rows taken together, so that a sum is loaded once for all of them.
const TOGETHER: usize = 8;

/// `out[k] += Σ_r factors[r, k] · rows[r]`: `out` and `rows` have `width` columns.
pub(super) fn gather(factors: &[f64], rows: &[f64], width: usize, out: &mut [f64]) {
    Arch::new().dispatch(Gather {
        factors,
        rows,
        width,
        out,
    });
}

struct Gather<'a> {
    factors: &'a [f64],
    rows: &'a [f64],
    width: usize,
    out: &'a mut [f64],
}

impl WithSimd for Gather<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self {
            factors,
            rows,
            width,
            out,
        } = self;
        let outputs = out.len() / width;
        let blocks = rows.chunks_exact(TOGETHER * width);
        let scales = factors.chunks_exact(TOGETHER * outputs);
        let (last, last_scales) = (blocks.remainder(), scales.remainder());
        let n = width / S::F64_LANES;
        // Side by side, so that an output reads the factors of all rows from one place.
        let mut by_output = vec![[0.0; TOGETHER]; outputs];
        for (rows, scales) in blocks.zip(scales) {
            for (r, scales) in scales.chunks_exact(outputs).enumerate() {
                let factors = by_output.iter_mut().zip(scales);
                factors.for_each(|(factors, scale)| factors[r] = *scale);
            }
            let rows: [&[f64]; TOGETHER] = std::array::from_fn(|r| &rows[r * width..][..width]);
            let vectors = rows.map(|row| &S::as_simd_f64s(row).0[..n]);
            for at in 0..n {
                let x = vectors.map(|row| row[at]);
                for (factors, out) in by_output.iter().zip(out.chunks_exact_mut(width)) {
                    let mut terms = x;
                    for (term, factor) in terms.iter_mut().zip(factors) {
                        *term = simd.mul_f64s(simd.splat_f64s(*factor), *term);
                    }
                    let out = &mut S::as_mut_simd_f64s(out).0[at];
                    for [a, b, c, d] in terms.as_chunks().0 {
                        let four = simd.add_f64s(simd.add_f64s(*a, *b), simd.add_f64s(*c, *d));
                        *out = simd.add_f64s(*out, four);
                    }
                }
            }
            for at in n * S::F64_LANES..width {
                for (factors, out) in by_output.iter().zip(out.chunks_exact_mut(width)) {
                    let terms: [f64; TOGETHER] = std::array::from_fn(|r| factors[r] * rows[r][at]);
                    for [a, b, c, d] in terms.as_chunks().0 {
                        out[at] += (a + b) + (c + d);
                    }
                }
            }
        }
        let scales = last_scales.chunks_exact(outputs);
        for (row, scales) in last.chunks_exact(width).zip(scales) {
            for (out, scale) in out.chunks_exact_mut(width).zip(scales) {
                let out = out.iter_mut().zip(row);
                out.for_each(|(out, x)| *out += scale * x);
            }
        }
    }
}

/// Adds XᵀX of rows of `width` columns to `out`, in its lower half alone.
pub(super) fn add_gram(rows: &[f64], width: usize, out: &mut [f64]) {
    let n = rows.len() / width;
    let rows = ArrayView2::from_shape((n, width), rows).expect("whole rows");
    let out = ArrayViewMut2::from_shape((width, width), out).expect("a square");
    multiply_part(out, Accumulate::Add, rows.t(), rows, None, Part::Lower);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SplitMix64;

    fn made_up(n: usize, seed: u64) -> Vec<f64> {
        let mut random = SplitMix64::new(seed);
        (0..n).map(|_| random.uniform() - 0.5).collect()
    }

    fn close(a: &[f64], b: &[f64]) {
        assert_eq!(a.len(), b.len());
        for (a, b) in a.iter().zip(b) {
            assert!((a - b).abs() < 1e-12, "{a} {b}");
        }
    }

    #[test]
    fn products_are_those_of_plain_loops() {
        for (rows, width, outputs) in [(1, 1, 1), (7, 5, 3), (13, 19, 2), (8, 16, 4), (29, 37, 7)] {
            let x = made_up(rows * width, 1);
            let w = made_up(outputs * width, 2);
            let mut found = vec![0.0; rows * outputs];
            times(&x, &w, width, &mut found);
            let plain = |r: usize, k: usize| -> f64 {
                (0..width)
                    .map(|c| x[r * width + c] * w[k * width + c])
                    .sum()
            };
            let expected: Vec<f64> = (0..rows * outputs)
                .map(|at| plain(at / outputs, at % outputs))
                .collect();
            close(&found, &expected);

            let factors = made_up(rows * outputs, 3);
            let mut found = w.clone();
            gather(&factors, &x, width, &mut found);
            let plain = |k: usize, c: usize| -> f64 {
                (0..rows)
                    .map(|r| factors[r * outputs + k] * x[r * width + c])
                    .sum()
            };
            let expected: Vec<f64> = (0..outputs * width)
                .map(|at| w[at] + plain(at / width, at % width))
                .collect();
            close(&found, &expected);
        }
    }

    #[test]
    fn narrow_numbers_are_multiplied_and_added_wide() {
        let narrow = |seed| -> Vec<f32> { made_up(37, seed).iter().map(|&x| x as f32).collect() };
        let (a, mut b) = (narrow(1), narrow(2));
        let plain = |a: &[f32], b: &[f32]| -> f64 {
            let pairs = a.iter().zip(b);
            pairs.map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
        };
        assert!((wide_dot(&a, &b) - plain(&a, &b)).abs() < 1e-14);
        // Squares that f32 cannot hold.
        let small = [1e-30_f32; 20];
        assert!((wide_dot(&small, &small) / plain(&small, &small) - 1.0).abs() < 1e-12);
        let expected: Vec<f32> = b.iter().zip(&a).map(|(b, a)| b + 0.5 * a).collect();
        add_narrow(&mut b, 0.5, &a);
        assert_eq!(b, expected);
    }

    #[test]
    fn a_block_of_products_has_the_bits_of_each_and_every_processor_adds_alike() {
        let (rows, width, outputs) = (21, 43, 5);
        let x = made_up(rows * width, 1);
        let w = made_up(outputs * width, 2);
        let factors = made_up(rows * outputs, 3);
        let each: Vec<f64> = x
            .chunks_exact(width)
            .flat_map(|row| w.chunks_exact(width).map(move |w| dot(row, w)))
            .collect();
        let on = |arch: Arch| {
            let mut products = vec![0.0; rows * outputs];
            arch.dispatch(Times {
                rows: &x,
                weights: &w,
                width,
                out: &mut products,
            });
            let mut sums = w.clone();
            arch.dispatch(Gather {
                factors: &factors,
                rows: &x,
                width,
                out: &mut sums,
            });
            [products, sums]
        };
        let found = on(Arch::new());
        assert_eq!(found[0], each);
        assert_eq!(on(Arch::Scalar), found);
        #[cfg(target_arch = "x86_64")]
        if let Some(simd) = pulp::x86::V3::try_new() {
            assert_eq!(on(Arch::V3(simd)), found);
        }
    }
}
