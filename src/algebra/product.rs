//! Multiplies matrices, every element summed in one order.

use ndarray::{Array2, ArrayView2, ArrayViewMut2, Axis};
use pulp::{Arch, Simd, WithSimd};

use super::number::Number;

/// Products summed before the sum is added to the element: short sums keep more digits.
const DEPTH: usize = 256;

/// Rows of a block in registers, of one vector each.
///
/// A number of the left matrix is then used once, straight from memory, where rows of two vectors would
/// have it spread over a register first.
const ROWS: usize = 12;

/// Rows of the left matrix in work at once.
const HEIGHT: usize = 8 * ROWS;

/// Columns of the right matrix in work at once.
const WIDTH: usize = 256;

/// What becomes of the values that stand where a product goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accumulate {
    /// They are lost.
    Replace,
    /// The product is added to them.
    Add,
}

/// Which elements of a product are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// All.
    Full,
    /// Those with a column no larger than the row.
    Lower,
    /// Those with a column no smaller than the row.
    Upper,
}

impl Part {
    /// The columns of `from..to` that row `row` has.
    fn columns(self, row: usize, from: usize, to: usize) -> std::ops::Range<usize> {
        match self {
            Self::Full => from..to,
            Self::Lower => from..to.min(row + 1).max(from),
            Self::Upper => from.max(row).min(to)..to,
        }
    }

    fn transposed(self) -> Self {
        match self {
            Self::Full => Self::Full,
            Self::Lower => Self::Upper,
            Self::Upper => Self::Lower,
        }
    }
}

/// `a` `b`.
pub fn product<T: Number>(a: ArrayView2<'_, T>, b: ArrayView2<'_, T>) -> Array2<T> {
    let mut out = Array2::from_elem((a.nrows(), b.ncols()), T::default());
    multiply(out.view_mut(), Accumulate::Add, a, b, None);
    out
}

/// `out = alpha a b`, or `out += alpha a b`, on this thread; without `alpha` it is 1.
///
/// Every element is Σ_k a_ik b_kj in blocks of 256: the products of a block are added in order,
/// starting from 0, and so are the sums of the blocks.
///
/// # Panics
/// Unless the sizes fit.
pub fn multiply<T: Number>(
    out: ArrayViewMut2<'_, T>,
    accumulate: Accumulate,
    a: ArrayView2<'_, T>,
    b: ArrayView2<'_, T>,
    alpha: Option<T>,
) {
    multiply_part(out, accumulate, a, b, alpha, Part::Full);
}

/// The same, but only of `part`; other elements stay as they are (or, replaced, become 0).
///
/// # Panics
/// Unless the sizes fit.
pub fn multiply_part<T: Number>(
    out: ArrayViewMut2<'_, T>,
    accumulate: Accumulate,
    a: ArrayView2<'_, T>,
    b: ArrayView2<'_, T>,
    alpha: Option<T>,
    part: Part,
) {
    multiply_on(Arch::new(), out, accumulate, (a, b), alpha, part);
}

fn multiply_on<T: Number>(
    arch: Arch,
    mut out: ArrayViewMut2<'_, T>,
    accumulate: Accumulate,
    (a, b): (ArrayView2<'_, T>, ArrayView2<'_, T>),
    alpha: Option<T>,
    part: Part,
) {
    assert_eq!(a.ncols(), b.nrows(), "as many columns as rows");
    assert_eq!(out.dim(), (a.nrows(), b.ncols()), "a product of this size");
    if accumulate == Accumulate::Replace {
        out.fill(T::default());
    }
    if out.strides()[1] != 1 && out.strides()[0] == 1 {
        // Rows are written whole: the transpose has them in one piece.
        let (a, b) = (a.reversed_axes(), b.reversed_axes());
        let out = out.reversed_axes();
        return multiply_on(arch, out, Accumulate::Add, (b, a), alpha, part.transposed());
    }
    let (m, n) = out.dim();
    let (mut left, mut right) = (Vec::new(), Vec::new());
    for depth in (0..a.ncols()).step_by(DEPTH) {
        let depth = depth..(depth + DEPTH).min(a.ncols());
        for columns in (0..n).step_by(WIDTH) {
            let columns = columns..(columns + WIDTH).min(n);
            let b = b.slice(ndarray::s![depth.clone(), columns.clone()]);
            arch.dispatch(PackRight { b, to: &mut right });
            for rows in (0..m).step_by(HEIGHT) {
                let rows = rows..(rows + HEIGHT).min(m);
                pack_left(a.slice(ndarray::s![rows.clone(), depth.clone()]), &mut left);
                arch.dispatch(Block {
                    left: &left,
                    right: &right,
                    depth: depth.len(),
                    first: [rows.start, columns.start],
                    out: out.slice_mut(ndarray::s![rows, columns.clone()]),
                    alpha,
                    part,
                });
            }
        }
    }
}

/// Strips of twelve rows, column after column, the last one filled with zeros.
fn pack_left<T: Number>(a: ArrayView2<'_, T>, to: &mut Vec<[T; ROWS]>) {
    let (m, depth) = a.dim();
    to.clear();
    to.resize(m.div_ceil(ROWS) * depth, [T::default(); ROWS]);
    for (strip, rows) in to
        .chunks_exact_mut(depth.max(1))
        .zip(a.axis_chunks_iter(Axis(0), ROWS))
    {
        if rows.strides()[0] == 1 {
            for (to, column) in strip.iter_mut().zip(rows.columns()) {
                to.iter_mut().zip(&column).for_each(|(to, &x)| *to = x);
            }
            continue;
        }
        for (at, row) in rows.rows().into_iter().enumerate() {
            match row.as_slice() {
                Some(row) => strip.iter_mut().zip(row).for_each(|(to, &x)| to[at] = x),
                None => strip.iter_mut().zip(&row).for_each(|(to, &x)| to[at] = x),
            }
        }
    }
}

/// Strips of as many columns as a block in registers has, row after row, the last one filled with
/// zeros.
struct PackRight<'a, T> {
    b: ArrayView2<'a, T>,
    to: &'a mut Vec<T>,
}

impl<T: Number> WithSimd for PackRight<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { b, to } = self;
        let width = T::lanes::<S>();
        let (depth, n) = b.dim();
        to.clear();
        to.resize(n.div_ceil(width) * depth * width, T::default());
        let strips = to.chunks_exact_mut((depth * width).max(1));
        for (strip, columns) in strips.zip(b.axis_chunks_iter(Axis(1), width)) {
            if columns.strides()[1] == 1 {
                for (to, row) in strip.chunks_exact_mut(width).zip(columns.rows()) {
                    match row.as_slice() {
                        Some(row) => to[..row.len()].copy_from_slice(row),
                        None => to.iter_mut().zip(&row).for_each(|(to, &x)| *to = x),
                    }
                }
            } else {
                for (at, column) in columns.columns().into_iter().enumerate() {
                    let to = strip[at..].iter_mut().step_by(width);
                    match column.as_slice() {
                        Some(column) => to.zip(column).for_each(|(to, &x)| *to = x),
                        None => to.zip(&column).for_each(|(to, &x)| *to = x),
                    }
                }
            }
        }
    }
}

/// A block of the product of packed matrices.
struct Block<'a, T> {
    left: &'a [[T; ROWS]],
    right: &'a [T],
    depth: usize,
    /// Row and column of the first element.
    first: [usize; 2],
    out: ArrayViewMut2<'a, T>,
    alpha: Option<T>,
    part: Part,
}

impl<T: Number> WithSimd for Block<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self {
            left,
            right,
            depth,
            first,
            mut out,
            alpha,
            part,
        } = self;
        let width = T::lanes::<S>();
        let (m, n) = out.dim();
        for (at, right) in right.chunks_exact((depth * width).max(1)).enumerate() {
            let column = at * width;
            let end = (column + width).min(n);
            for (at, left) in left.chunks_exact(depth.max(1)).enumerate() {
                let row = at * ROWS;
                let rows = row..(row + ROWS).min(m);
                let wanted = rows.clone().any(|row| {
                    let wanted = part.columns(first[0] + row, first[1] + column, first[1] + end);
                    !wanted.is_empty()
                });
                if !wanted {
                    continue;
                }
                let sums = tile::<T, S>(simd, left, right);
                for (row, sums) in rows.zip(&sums) {
                    let sums: &[T] = bytemuck::cast_slice(std::slice::from_ref(sums));
                    let wanted = part.columns(first[0] + row, first[1] + column, first[1] + end);
                    let wanted = wanted.start - first[1]..wanted.end - first[1];
                    let sums = &sums[wanted.start - column..wanted.end - column];
                    let mut to = out.row_mut(row);
                    match to.as_slice_mut() {
                        Some(to) => add(&mut to[wanted], sums, alpha),
                        None => {
                            for (to, &sum) in wanted.zip(sums) {
                                let x = &mut out[(row, to)];
                                add(std::slice::from_mut(x), &[sum], alpha);
                            }
                        }
                    }
                }
            }
        }
    }
}

#[inline(always)]
fn add<T: Number>(to: &mut [T], sums: &[T], alpha: Option<T>) {
    let to = to.iter_mut().zip(sums);
    match alpha {
        Some(alpha) => to.for_each(|(to, &sum)| *to = to.plus_product(alpha, sum)),
        None => to.for_each(|(to, &sum)| *to = to.plus(sum)),
    }
}

/// Twelve rows times as many columns as a vector holds.
#[inline(always)]
fn tile<T: Number, S: Simd>(simd: S, left: &[[T; ROWS]], right: &[T]) -> [T::Vector<S>; ROWS] {
    let mut sums = [T::splat(simd, T::default()); ROWS];
    let right = T::vectors::<S>(right);
    for (left, &y) in left.iter().zip(right) {
        for (sum, &x) in sums.iter_mut().zip(left) {
            *sum = T::add_product(simd, *sum, T::splat(simd, x), y);
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use ndarray::s;

    use super::*;
    use crate::random::SplitMix64;

    fn random(rows: usize, columns: usize, seed: u64) -> Array2<f64> {
        let mut random = SplitMix64::new(seed);
        Array2::from_shape_simple_fn((rows, columns), || random.uniform() - 0.5)
    }

    /// The order that the documentation promises, element by element.
    fn plain(a: ArrayView2<'_, f64>, b: ArrayView2<'_, f64>) -> Array2<f64> {
        Array2::from_shape_fn((a.nrows(), b.ncols()), |(i, j)| {
            let mut sum = 0.0;
            for depth in (0..a.ncols()).step_by(DEPTH) {
                let mut block = 0.0;
                for k in depth..(depth + DEPTH).min(a.ncols()) {
                    block += a[(i, k)] * b[(k, j)];
                }
                sum += block;
            }
            sum
        })
    }

    #[test]
    fn every_element_is_summed_in_the_promised_order() {
        for (m, k, n) in [
            (1, 1, 1),
            (7, 300, 5),
            (100, 513, 300),
            (5, 0, 4),
            (13, 31, 17),
        ] {
            let (a, b) = (random(m, k, 1), random(k, n, 2));
            let expected = plain(a.view(), b.view());
            assert_eq!(product(a.view(), b.view()), expected);
            // Whatever the layout of any of the three.
            let columns = |x: &Array2<f64>| x.t().as_standard_layout().into_owned();
            let (at, bt) = (columns(&a), columns(&b));
            assert_eq!(product(at.t(), bt.t()), expected);
            let mut out = Array2::zeros((n, m));
            let into = out.view_mut().reversed_axes();
            multiply(into, Accumulate::Add, a.view(), b.view(), None);
            assert_eq!(out.t(), expected);
        }
    }

    #[test]
    fn every_processor_adds_alike() {
        let (a, b) = (random(50, 600, 1), random(600, 70, 2));
        let single = |x: &Array2<f64>| x.mapv(|x| x as f32);
        let (c, d) = (single(&a), single(&b));
        let on = |arch| {
            let (mut wide, mut narrow) = (Array2::zeros((50, 70)), Array2::zeros((50, 70)));
            let add = Accumulate::Add;
            let pair = (a.view(), b.view());
            multiply_on(arch, wide.view_mut(), add, pair, Some(0.3), Part::Full);
            let pair = (c.view(), d.view());
            multiply_on(arch, narrow.view_mut(), add, pair, Some(0.3), Part::Full);
            (wide, narrow)
        };
        let scalar = on(Arch::Scalar);
        assert_eq!(on(Arch::new()), scalar);
        #[cfg(target_arch = "x86_64")]
        if let Some(simd) = pulp::x86::V3::try_new() {
            assert_eq!(on(Arch::V3(simd)), scalar);
        }
    }

    #[test]
    fn a_part_leaves_the_rest_alone() {
        let (a, b) = (random(40, 20, 3), random(20, 40, 4));
        let full = product(a.view(), b.view());
        for (part, has) in [
            (Part::Lower, (|i, j| j <= i) as fn(usize, usize) -> bool),
            (Part::Upper, |i, j| j >= i),
        ] {
            let mut out = Array2::from_elem((42, 45), 9.0);
            let into = out.slice_mut(s![1..41, 2..42]);
            multiply_part(into, Accumulate::Add, a.view(), b.view(), Some(-1.0), part);
            for ((i, j), &x) in out.indexed_iter() {
                let inside = (1..41).contains(&i) && (2..42).contains(&j);
                let made = inside && has(i - 1, j - 2);
                let expected = if made {
                    9.0 - full[(i - 1, j - 2)]
                } else {
                    9.0
                };
                assert!(x.to_bits() == expected.to_bits(), "{part:?} {i} {j}");
            }
        }
    }
}
