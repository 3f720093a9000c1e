//! Bounds the error of scores: the certified bound, and the cuts that follow from it.
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

use super::packed::EPSILON;

/// The least θ of the file's documentation, right for rows in f32.
pub(super) const THETA: f64 = 1.0 / (1u32 << 22) as f64;

/// The largest θ worth its bound.
const WIDEST: f64 = 0.125;

/// The bound of every pair of some rows.
#[derive(Clone)]
pub(in crate::neighbours) struct Bound {
    /// n_p², the squared norm of the rounded row.
    squares: Vec<f64>,
    /// ρ_p².
    residues: Vec<f64>,
    /// λ_p².
    neglected: Vec<f64>,
    /// Columns, D.
    width: usize,
    /// Rounded steps of a product sum.
    steps: usize,
    /// e_p.
    errors: Vec<f64>,
    /// c.
    relative: f64,
}

impl Bound {
    /// The bound of rows of `width` columns, of which n_p², ρ_p² and λ_p² were `measured`, and
    /// whose products pass through `steps` roundings at most; for the least θ.
    pub(in crate::neighbours) fn new(measured: &[[f64; 3]], width: usize, steps: usize) -> Self {
        let of = |at: usize| measured.iter().map(|row| row[at]).collect();
        let [squares, residues, neglected] = [0, 1, 2].map(of);
        let mut bound = Self {
            squares,
            residues,
            neglected,
            width,
            steps,
            errors: Vec::new(),
            relative: 0.0,
        };
        bound.set_theta(THETA);
        bound
    }

    /// The bound for a θ; any is right, see the documentation of this file.
    pub(super) fn set_theta(&mut self, theta: f64) {
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

    /// Sets θ so that the bound is tightest at a scaled `distance`.
    pub(in crate::neighbours) fn fit(&mut self, distance: f64) {
        let moved = 2.0 * median(self.residues.clone()).sqrt();
        let theta = moved / distance;
        // 0/0 for rows that are all equal, where any θ will do.
        self.set_theta(if theta >= THETA {
            theta.min(WIDEST)
        } else {
            THETA
        });
    }

    /// n_p².
    pub(in crate::neighbours) fn square(&self, p: usize) -> f64 {
        self.squares[p]
    }

    /// e_p of every row.
    pub(in crate::neighbours) fn errors(&self) -> &[f64] {
        &self.errors
    }

    /// c.
    pub(in crate::neighbours) fn relative(&self) -> f64 {
        self.relative
    }

    /// The score g of the pair (p, q) with product sum `product`.
    pub(in crate::neighbours) fn score(&self, p: usize, q: usize, product: f32) -> f64 {
        self.squares[p] + self.squares[q] - 2.0 * f64::from(product)
    }

    /// The scores of position `p` and those from `first` on with these product sums, as candidate
    /// lists keep them.
    #[inline(always)]
    #[allow(clippy::cast_possible_truncation)]
    pub(in crate::neighbours) fn scores(
        &self,
        p: usize,
        first: usize,
        products: &[f32],
        scores: &mut [f32],
    ) {
        let (own, others) = (self.squares[p], &self.squares[first..]);
        for ((score, &product), &other) in scores.iter_mut().zip(products).zip(others) {
            *score = (own + other - 2.0 * f64::from(product)) as f32;
        }
    }

    /// What D² is certainly not below, for a pair of score `g`.
    pub(in crate::neighbours) fn lower(&self, p: usize, q: usize, g: f64) -> f64 {
        g - (self.relative * g.max(0.0) + self.errors[p] + self.errors[q])
    }

    /// What D² is certainly not above, for a pair of score `g`.
    pub(in crate::neighbours) fn upper(&self, p: usize, q: usize, g: f64) -> f64 {
        g + (self.relative * g.max(0.0) + self.errors[p] + self.errors[q])
    }

    /// Half of what the score must subtract for column `q`, less its error: see [`Self::cut`].
    ///
    /// Rounded towards keeping the pair.
    pub(in crate::neighbours) fn column_term(&self, q: usize) -> f32 {
        let exact = 0.5 * (self.squares[q] - self.errors[q] / (1.0 - self.relative));
        round_down(exact - 2.0 * EPSILON * self.squares[q])
    }

    /// A pair with `product − column_term(q) < cut(p, t)` certainly has D² > t.
    ///
    /// From lower > t with g = n_p² + n_q² − 2G; the slack covers the f32 subtraction, whose
    /// operands are at most n_p·n_q and n_q², for which the spare steps of the bound were kept.
    pub(in crate::neighbours) fn cut(&self, p: usize, t: f64) -> f32 {
        if t == f64::INFINITY || !self.errors[p].is_finite() {
            return f32::NEG_INFINITY;
        }
        let exact = 0.5 * (self.squares[p] - (t + self.errors[p]) / (1.0 - self.relative));
        round_down(exact - 2.0 * EPSILON * (self.squares[p] + t.abs()))
    }

    /// What takes the place of [`Self::column_term`] in [`Self::sure_cut`].
    ///
    /// Rounded towards doubting the pair.
    pub(in crate::neighbours) fn sure_term(&self, q: usize) -> f32 {
        let exact = 0.5 * (self.squares[q] + self.sure_error(q) / (1.0 + self.relative));
        round_up(exact + 2.0 * EPSILON * self.squares[q])
    }

    /// A pair with `product − sure_term(q) > sure_cut(p, t)` certainly has D² < t.
    ///
    /// From upper < t, with the slack of [`Self::cut`].
    pub(in crate::neighbours) fn sure_cut(&self, p: usize, t: f64) -> f32 {
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

/// The middle one of some values, 0 if there are none.
pub(in crate::neighbours) fn median(mut values: Vec<f64>) -> f64 {
    if values.is_empty() {
        return 0.0;
    }
    let middle = values.len() / 2;
    *values.select_nth_unstable_by(middle, f64::total_cmp).1
}

#[cfg(test)]
impl Bound {
    /// Roundings that a product is charged.
    pub(super) fn steps(&self) -> usize {
        self.steps
    }

    /// The bound of a kernel that promised to be exact.
    pub(super) fn deny_errors(&mut self) {
        self.errors.fill(0.0);
        self.relative = 0.0;
    }
}
