//! The filter: approximate squared distances, and how wrong they can be.
//!
//! Rows are centred, scaled by a power of two so that the largest value is near 1, and rounded
//! to f32: u_i = fl32((x_i − c)·2^−e). With n_i = ‖u_i‖ and the f32 product sum G = u_i·u_j (any
//! order, with or without fused multiply-add), the score of a pair is
//!
//! ```text
//! g = n_i² + n_j² − 2G        |g − 4^−e · D²(i, j)| ≤ e_i + e_j + c · max(g, 0)
//! ```
//!
//! with e_i = a·n_i² + b. The constants a, b and c come from four sources:
//!
//! * rounding of G, |error| ≤ γ_m·n_i·n_j with m = D + 16 rounded steps (the spare steps pay for
//!   the f64 norms and for arithmetic on scores in f32), and 2·γ_m·n_i·n_j ≤ γ_m·(n_i² + n_j²);
//! * rounding of the centred copy, δ = ε·(n_i + n_j): with θ = 2^−22, 2δ√g + δ² ≤
//!   θ·g + δ²·(1 + 1/θ), so that no square root is needed per pair, and δ² ≤ 2ε²·(n_i² + n_j²);
//! * scores kept as f32 in candidate lists, and the rounding of D² itself: c·g;
//! * underflow, when products or centred values leave the range of normal f32: b.
//!
//! Because the error splits into a part for each row, one outlying row spoils no other pair.

use std::ops::Range;

use rayon::prelude::*;

use super::points::Points;

mod portable;

pub(super) use portable::Portable;

/// Multiplies rows of a packed operand.
///
/// The interface that faster kernels share. A kernel promises that each output is the product
/// sum of two rows with every product and sum rounded to f32 or better, in any order.
pub(super) trait Kernel: Sync {
    /// `out[r, c] = u_{rows[r]} · u_{columns[c]}`, row after row without padding.
    fn products(
        &self,
        operand: &[f32],
        width: usize,
        rows: Range<usize>,
        columns: Range<usize>,
        out: &mut [f32],
    );
}

/// Unit roundoff of f32.
const EPSILON: f64 = 1.0 / (1u32 << 24) as f64;

/// θ of the module documentation.
const THETA: f64 = 1.0 / (1u32 << 22) as f64;

/// The centred, scaled f32 copy of all rows, in the order in which the sweep visits them.
pub(super) struct Operand {
    /// `order[p]` is the row of the matrix at position `p`.
    order: Vec<u32>,
    width: usize,
    /// 2^−e, by which centred rows were multiplied.
    scale: f64,
    values: Vec<f32>,
    /// n_p², the squared norm of the packed row.
    squares: Vec<f64>,
    /// e_p of the bound.
    errors: Vec<f64>,
    /// c of the bound.
    relative: f64,
}

impl Operand {
    /// Packs the rows of `points` in the given order.
    pub(super) fn pack(points: &Points<'_>, order: Vec<u32>) -> Self {
        let width = points.n_columns();
        let centre = column_means(points);
        let largest = largest_deviation(points, &centre);
        let scale = power_of_two_below(largest);
        let arch = pulp::Arch::new();
        let mut values = vec![0.0f32; order.len() * width];
        let mut squares = values
            .par_chunks_mut(width.max(1))
            .zip(&order)
            .map_init(
                || vec![0.0; width],
                |wide, (packed, &row)| {
                    points.row(row as usize, wide);
                    arch.dispatch(|| pack_row(wide, &centre, scale, packed))
                },
            )
            .collect::<Vec<f64>>();
        // Rows without columns are one point.
        squares.resize(order.len(), 0.0);

        let steps = (width + 16) as f64 * EPSILON;
        // Beyond 2^23 columns the rounding of a product sum has no useful bound; then every pair
        // is undecided and gets the verdict.
        let gamma = if steps < 0.5 {
            steps / (1.0 - steps)
        } else {
            f64::INFINITY
        };
        let copy = EPSILON * (1.0 + 1e-6);
        let own = gamma * (1.0 + THETA) + 2.0 * copy * copy * (1.0 + 1.0 / THETA);
        let underflow = (width + 16) as f64 * 2f64.powi(-124);
        let errors = squares
            .iter()
            .map(|square| own * square + underflow)
            .collect();
        let relative = THETA * (1.0 + 1e-6) + 4.0 * EPSILON + (width + 4) as f64 * 2f64.powi(-52);
        Self {
            order,
            width,
            scale,
            values,
            squares,
            errors,
            relative,
        }
    }

    /// Number of rows.
    pub(super) fn n_rows(&self) -> usize {
        self.order.len()
    }

    /// The row of the matrix at position `p`.
    pub(super) fn row(&self, p: usize) -> usize {
        self.order[p] as usize
    }

    /// Rows of the matrix by position.
    pub(super) fn order(&self) -> &[u32] {
        &self.order
    }

    /// n_p².
    pub(super) fn square(&self, p: usize) -> f64 {
        self.squares[p]
    }

    /// The factor between distances and the square roots of scores, a power of two.
    pub(super) fn scale(&self) -> f64 {
        self.scale
    }

    /// e_p of the bound.
    pub(super) fn error(&self, p: usize) -> f64 {
        self.errors[p]
    }

    /// c of the bound.
    pub(super) fn relative(&self) -> f64 {
        self.relative
    }

    /// Product sums of two ranges of positions.
    pub(super) fn products(
        &self,
        kernel: &dyn Kernel,
        rows: Range<usize>,
        columns: Range<usize>,
        out: &mut [f32],
    ) {
        kernel.products(&self.values, self.width, rows, columns, out);
    }

    /// The score g of the pair (p, q) with product sum `product`.
    pub(super) fn score(&self, p: usize, q: usize, product: f32) -> f64 {
        self.squares[p] + self.squares[q] - 2.0 * f64::from(product)
    }

    /// What D² is certainly not below, for a pair of score `g`.
    pub(super) fn lower(&self, p: usize, q: usize, g: f64) -> f64 {
        g - (self.relative * g.max(0.0) + self.errors[p] + self.errors[q])
    }

    /// What D² is certainly not above, for a pair of score `g`.
    pub(super) fn upper(&self, p: usize, q: usize, g: f64) -> f64 {
        g + (self.relative * g.max(0.0) + self.errors[p] + self.errors[q])
    }

    /// Half of what the score must subtract for column `q`, less its error: see [`Self::cut`].
    ///
    /// Rounded towards keeping the pair.
    pub(super) fn column_term(&self, q: usize) -> f32 {
        let exact = 0.5 * (self.squares[q] - self.errors[q] / (1.0 - self.relative));
        round_down(exact - 2.0 * EPSILON * self.squares[q])
    }

    /// A pair with `product − column_term(q) < cut(p, t)` certainly has D² > t.
    ///
    /// From lower > t with g = n_p² + n_q² − 2G; the slack covers the f32 subtraction, whose
    /// operands are at most n_p·n_q and n_q², for which the spare steps of the bound were kept.
    pub(super) fn cut(&self, p: usize, t: f64) -> f32 {
        if t == f64::INFINITY || !self.errors[p].is_finite() {
            return f32::NEG_INFINITY;
        }
        let exact = 0.5 * (self.squares[p] - (t + self.errors[p]) / (1.0 - self.relative));
        round_down(exact - 2.0 * EPSILON * (self.squares[p] + t.abs()))
    }

    /// What takes the place of [`Self::column_term`] in [`Self::sure_cut`].
    ///
    /// Rounded towards doubting the pair.
    pub(super) fn sure_term(&self, q: usize) -> f32 {
        let exact = 0.5 * (self.squares[q] + self.sure_error(q) / (1.0 + self.relative));
        round_up(exact + 2.0 * EPSILON * self.squares[q])
    }

    /// A pair with `product − sure_term(q) > sure_cut(p, t)` certainly has D² < t.
    ///
    /// From upper < t, with the slack of [`Self::cut`].
    pub(super) fn sure_cut(&self, p: usize, t: f64) -> f32 {
        if !t.is_finite() || !self.errors[p].is_finite() {
            return f32::INFINITY;
        }
        let exact = 0.5 * (self.squares[p] - (t - self.sure_error(p)) / (1.0 + self.relative));
        round_up(exact + 2.0 * EPSILON * (self.squares[p] + t.abs()))
    }

    /// e_p, and what a score below 0 lacks when it is multiplied by 1 + c instead of left alone:
    /// such a score is no lower than −(e_p + e_q).
    fn sure_error(&self, p: usize) -> f64 {
        self.errors[p] * (1.0 + 2.0 * self.relative)
    }
}

/// The smallest f32 that is not below `x`.
fn round_up(x: f64) -> f32 {
    -round_down(-x)
}

/// The largest f32 that is not above `x`.
#[allow(clippy::cast_possible_truncation)]
fn round_down(x: f64) -> f32 {
    let nearest = x as f32;
    if f64::from(nearest) > x {
        nearest.next_down()
    } else {
        nearest
    }
}

/// Packs one row and returns its squared norm.
#[inline(always)]
fn pack_row(row: &[f64], centre: &[f64], scale: f64, packed: &mut [f32]) -> f64 {
    for ((u, &x), &c) in packed.iter_mut().zip(row).zip(centre) {
        #[allow(clippy::cast_possible_truncation)]
        let rounded = ((x - c) * scale) as f32;
        *u = rounded;
    }
    let mut lanes = [0.0f64; 8];
    let (eights, tail) = packed.as_chunks::<8>();
    for eight in eights {
        for (lane, &u) in lanes.iter_mut().zip(eight) {
            *lane += f64::from(u) * f64::from(u);
        }
    }
    let rest: f64 = tail.iter().map(|&u| f64::from(u) * f64::from(u)).sum();
    lanes.iter().sum::<f64>() + rest
}

/// Column means, folded over fixed chunks of rows so that they do not depend on threads.
fn column_means(points: &Points<'_>) -> Vec<f64> {
    let (n, d) = (points.n_rows(), points.n_columns());
    let arch = pulp::Arch::new();
    let share = 1.0 / n as f64;
    let rows: Vec<usize> = (0..n).collect();
    let sums: Vec<Vec<f64>> = rows
        .par_chunks(1024)
        .map(|chunk| {
            let (mut sum, mut row) = (vec![0.0; d], vec![0.0; d]);
            for &i in chunk {
                points.row(i, &mut row);
                arch.dispatch(|| {
                    for (sum, x) in sum.iter_mut().zip(&row) {
                        *sum += x * share;
                    }
                });
            }
            sum
        })
        .collect();
    let mut mean = vec![0.0; d];
    for sum in sums {
        mean.iter_mut().zip(sum).for_each(|(m, s)| *m += s);
    }
    mean
}

fn largest_deviation(points: &Points<'_>, centre: &[f64]) -> f64 {
    let arch = pulp::Arch::new();
    (0..points.n_rows())
        .into_par_iter()
        .map_init(
            || vec![0.0; centre.len()],
            |row, i| {
                points.row(i, row);
                arch.dispatch(|| widest(row, centre))
            },
        )
        .reduce(|| 0.0, f64::max)
}

/// max |x − c|, eight lanes at a time.
#[inline(always)]
fn widest(row: &[f64], centre: &[f64]) -> f64 {
    let larger = |a: f64, b: f64| if a > b { a } else { b };
    let mut lanes = [0.0f64; 8];
    let (xs, x_tail) = row.as_chunks::<8>();
    let (cs, c_tail) = centre.as_chunks::<8>();
    for (x, c) in xs.iter().zip(cs) {
        for lane in 0..8 {
            lanes[lane] = larger((x[lane] - c[lane]).abs(), lanes[lane]);
        }
    }
    let tail = x_tail.iter().zip(c_tail).map(|(x, c)| (x - c).abs());
    lanes.into_iter().chain(tail).fold(0.0, larger)
}

/// The power of two that brings `x` into (1/2, 1], within what f64 can scale by.
fn power_of_two_below(x: f64) -> f64 {
    if x > 0.0 {
        (-x.log2().ceil().clamp(-1000.0, 1000.0)).exp2()
    } else {
        1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::neighbours::exact::squared_distance;
    use crate::neighbours::points::Metric;
    use crate::neighbours::tests::adversarial;

    /// Whatever the data: |g − scaled D²| ≤ bound, and no pair below the cut is within t.
    #[test]
    fn the_bound_holds_for_every_pair_of_adversarial_data() {
        let mut checked = 0u64;
        for (name, matrix) in adversarial().into_iter().filter(|(_, m)| m.n_columns() > 0) {
            let points = Points::new(&matrix, Metric::Euclidean, name).unwrap();
            let n = points.n_rows() as u32;
            let operand = Operand::pack(&points, (0..n).collect());
            let scale = scale_of(&points);
            let n = n as usize;
            let mut products = vec![0.0; n * n];
            operand.products(&Portable, 0..n, 0..n, &mut products);
            let (mut x, mut y) = (vec![0.0; points.n_columns()], vec![0.0; points.n_columns()]);
            for p in 0..n {
                points.row(p, &mut x);
                for q in 0..n {
                    points.row(q, &mut y);
                    let exact = squared_distance(&x, &y) * scale * scale;
                    let product = products[p * n + q];
                    let score = f64::from(operand.score(p, q, product) as f32);
                    assert!(operand.lower(p, q, score) <= exact, "{name}: {p} {q}");
                    assert!(operand.upper(p, q, score) >= exact, "{name}: {p} {q}");
                    let cut = operand.cut(p, exact);
                    assert!(
                        product - operand.column_term(q) >= cut,
                        "{name}: {p} {q} was cut"
                    );
                    for near in [exact, exact * 0.999_999, 0.0] {
                        assert!(
                            product - operand.sure_term(q) <= operand.sure_cut(p, near),
                            "{name}: {p} {q} passed for nearer than {near}"
                        );
                    }
                    checked += 1;
                }
            }
        }
        assert!(checked > 800_000, "{checked}");
    }

    #[test]
    fn the_cut_is_tight_enough_to_drop_nearly_everything_beyond_it() {
        let matrix = crate::neighbours::tests::gaussian(400, 96, 5);
        let points = Points::new(&matrix, Metric::Euclidean, "x").unwrap();
        let operand = Operand::pack(&points, (0..400).collect());
        let mut products = vec![0.0; 400 * 400];
        operand.products(&Portable, 0..400, 0..400, &mut products);
        let mut wrongly_kept = 0;
        for p in 0..400 {
            let mut scores: Vec<f64> = (0..400)
                .map(|q| operand.score(p, q, products[p * 400 + q]))
                .collect();
            scores.sort_unstable_by(f64::total_cmp);
            let cut = operand.cut(p, scores[20]);
            let kept = (0..400).filter(|&q| products[p * 400 + q] - operand.column_term(q) >= cut);
            wrongly_kept += kept.count() - 21;
        }
        assert!(wrongly_kept < 40, "{wrongly_kept} of 8000");
    }

    fn scale_of(points: &Points<'_>) -> f64 {
        power_of_two_below(largest_deviation(points, &column_means(points)))
    }

    #[test]
    fn scaling_is_by_a_power_of_two_that_brings_the_largest_value_near_one() {
        for x in [1.0, 0.75, 3.0, 1e-30, 1e100, 1024.0] {
            let scaled = x * power_of_two_below(x);
            assert!((0.5..=1.0).contains(&scaled), "{x}: {scaled}");
        }
        assert_eq!(power_of_two_below(0.0), 1.0);
    }
}
