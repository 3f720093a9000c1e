//! The filter: approximate squared distances, and how wrong they can be.
//!
//! Rows are centred and scaled by a power of two so that the largest value is near 1:
//! w_i = (x_i − c)·2^−e, computed in f64. A kernel rounds them to u_i, in f32 or bf16, and
//! multiplies: with n_i = ‖u_i‖ and the product sum G = u_i·u_j in f32 (any order, with or without
//! fused multiply-add), the score of a pair is
//!
//! ```text
//! g = n_i² + n_j² − 2G        |g − 4^−e · D²(i, j)| ≤ e_i + e_j + c · max(g, 0)
//! ```
//!
//! The constants of this bound come from five sources:
//!
//! * rounding of G, |error| ≤ γ_m·n_i·n_j with m = D + 16 rounded steps (the spare steps pay for
//!   the f64 norms and for arithmetic on scores in f32), and 2·γ_m·n_i·n_j ≤ γ_m·(n_i² + n_j²).
//!   No product passes through more than D sums; a kernel that adds in a known order needs fewer
//!   (`panels` adds up pieces of a row, `amx` tiles);
//! * products that a kernel leaves out of G, if it does. What it keeps of a pair is known to be
//!   within λ_i·λ_j ≤ (λ_i² + λ_j²)/2 of u_i·u_j, with λ measured row by row (`amx`), so g is
//!   within λ_i² + λ_j²;
//! * rounding of rows. It moves row i by ρ_i = ‖w_i − u_i‖ at most, so it changes the distance of a
//!   pair by δ = ρ_i + ρ_j at most, and its square, if h is that of the rounded rows, by
//!
//!   ```text
//!   2δ√h + δ² ≤ θ·h + δ²·(1 + 1/θ) ≤ θ·h + 2·(1 + 1/θ)·(ρ_i² + ρ_j²)
//!   ```
//!
//!   for any θ > 0: no square root is needed per pair. The bound is tightest where δ = θ√h. In f32
//!   ρ_i is at most ε·n_i and θ = 2^−22 will do. In bf16 each ρ_i is measured, and θ is set for the
//!   distances that decide the search (`choice`);
//! * scores kept as f32 in candidate lists, and the rounding of D² itself: c·g;
//! * underflow, when products or rounded values leave the range of normal f32.
//!
//! Together, with h ≤ max(g, 0) + γ_m·(n_i² + n_j²) + λ_i² + λ_j² + underflow,
//!
//! ```text
//! e_i = (1 + θ)·(γ_m·n_i² + λ_i²) + 2·(1 + 1/θ)·ρ_i² + b      c = θ + 4ε + (D + 4)·2^−52
//! ```
//!
//! Because the error splits into a part for each row, one outlying row spoils no other pair.

use std::ops::Range;

#[cfg(target_arch = "x86_64")]
mod amx;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "x86_64")]
mod avx512_bf16;
#[cfg_attr(
    not(target_arch = "x86_64"),
    allow(dead_code, reason = "the kernels that round to bf16 are for x86-64")
)]
mod bf16;
mod block;
mod choice;
mod frame;
#[cfg(target_arch = "aarch64")]
mod neon;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod panels;
mod portable;
mod single;
mod store;

pub(super) use block::{Area, Block};
pub use choice::Kernel;
pub(super) use choice::{Demand, choose, pack};
pub(super) use store::Room;
use store::Store;

/// Rows packed for one kernel.
trait Packed: Send + Sync {
    /// Multiplies the rows of `area` with its columns: `visit` sees every pair in one block.
    ///
    /// Every product and sum is rounded to f32 or better; no product passes through more roundings
    /// than [`Rounded::steps`] says. `room` is kept by the caller between calls; what it holds
    /// means nothing.
    fn multiply(&self, area: &Area, room: &mut Vec<f32>, visit: &mut dyn FnMut(&Block<'_>));
}

/// What rounding made of some rows.
struct Rounded {
    packed: Box<dyn Packed>,
    /// n_p², ρ_p² and λ_p² of each.
    measured: Vec<[f64; 3]>,
    /// Roundings that a product passes through at most until it is in its sum.
    steps: usize,
}

/// Unit roundoff of f32.
const EPSILON: f64 = 1.0 / (1u32 << 24) as f64;

/// The least θ of the module documentation, right for rows in f32.
const THETA: f64 = 1.0 / (1u32 << 22) as f64;

/// The centred, scaled and rounded copy of all rows, in the order in which the sweep visits them.
pub(super) struct Operand<'a> {
    /// `order[p]` is the row of the matrix at position `p`.
    order: Vec<u32>,
    width: usize,
    /// 2^−e, by which centred rows were multiplied.
    scale: f64,
    kernel: Kernel,
    store: Store<'a>,
    /// n_p², the squared norm of the packed row.
    squares: Vec<f64>,
    /// ρ_p².
    residues: Vec<f64>,
    /// λ_p².
    neglected: Vec<f64>,
    /// Rounded steps of a product sum.
    steps: usize,
    /// e_p of the bound.
    errors: Vec<f64>,
    /// c of the bound.
    relative: f64,
    spare: usize,
}

impl<'a> Operand<'a> {
    fn new(
        order: Vec<u32>,
        width: usize,
        scale: f64,
        kernel: Kernel,
        store: Store<'a>,
        measured: Vec<[f64; 3]>,
        steps: usize,
    ) -> Self {
        let of = |at: usize| measured.iter().map(|row| row[at]).collect();
        let [squares, residues, neglected] = [0, 1, 2].map(of);
        let mut operand = Self {
            order,
            width,
            scale,
            kernel,
            store,
            squares,
            residues,
            neglected,
            steps,
            errors: Vec::new(),
            relative: 0.0,
            spare: 0,
        };
        operand.set_bound(THETA);
        operand
    }

    /// The bound for a θ; any is right, see the module documentation.
    fn set_bound(&mut self, theta: f64) {
        let steps = (self.steps + 16) as f64 * EPSILON;
        // Beyond 2^23 steps the rounding of a product sum has no useful bound; then every pair
        // is undecided and gets the verdict.
        let gamma = if steps < 0.5 {
            steps / (1.0 - steps)
        } else {
            f64::INFINITY
        };
        let own = 1.0 + theta;
        let moved = 2.0 * (1.0 + 1.0 / theta);
        let underflow = (self.width + 16) as f64 * 2f64.powi(-124);
        let rows = self.squares.iter().zip(&self.residues).zip(&self.neglected);
        self.errors = rows
            .map(|((square, residue), neglected)| {
                own * (gamma * square + neglected) + moved * residue + underflow
            })
            .collect();
        self.relative =
            theta * (1.0 + 1e-6) + 4.0 * EPSILON + (self.width + 4) as f64 * 2f64.powi(-52);
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

    /// How many pairs a row more than it needs to are expected to go to the verdict.
    pub(super) fn spare(&self) -> usize {
        self.spare
    }

    /// Shows `visit` the product sums u_p·u_q of all pairs of `area`, block by block.
    ///
    /// `room` is to be kept between calls.
    pub(super) fn multiply(&self, area: &Area, room: &mut Room, visit: &mut dyn FnMut(&Block<'_>)) {
        self.store
            .multiply(self.kernel, &self.order, area, room, visit);
    }

    /// Product sums of two ranges of positions, row after row without padding.
    pub(super) fn products(
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::neighbours::exact::squared_distance;
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
                Kernel::Portable => assert_eq!(operand.steps, 3000),
                _ => assert!(operand.steps < 600, "{kernel:?} {}", operand.steps),
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
                let score = f64::from(operand.score(p, q, product) as f32);
                assert!(operand.lower(p, q, score) <= exact, "{name}: {p} {q}");
                assert!(operand.upper(p, q, score) >= exact, "{name}: {p} {q}");
                assert!(
                    product - operand.column_term(q) >= operand.cut(p, exact),
                    "{name}: {p} {q} was cut"
                );
                for near in [exact, exact * 0.999_999, 0.0] {
                    assert!(
                        product - operand.sure_term(q) <= operand.sure_cut(p, near),
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
                        operand.set_bound(theta);
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
                    .map(|q| operand.score(p, q, products[p * 400 + q]))
                    .collect();
                scores.sort_unstable_by(f64::total_cmp);
                let cut = operand.cut(p, scores[20]);
                let kept =
                    (0..400).filter(|&q| products[p * 400 + q] - operand.column_term(q) >= cut);
                wrongly_kept += kept.count() - 21;
            }
            assert!(wrongly_kept < limit, "{kernel:?}: {wrongly_kept} of 8000");
        }
    }
}
