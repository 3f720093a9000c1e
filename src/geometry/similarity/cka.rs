//! Centred kernel alignment, from the sums that two kernels share.

use crate::geometry::Reason;

/// What the measures need of the N × N kernels K_l of some layers, diagonals kept apart.
///
/// Sums over pairs of rows run over both orders.
#[derive(Debug, Clone)]
pub struct KernelTerms {
    /// N.
    pub n: usize,
    /// Σ_{i≠j} K_ij L_ij of every two layers, row after row of an L × L table.
    pub cross: Vec<f64>,
    /// Σ_{j≠i} K_ij of every row i, layer by layer.
    pub row_sums: Vec<Vec<f64>>,
    /// K_ii of every row, layer by layer.
    pub diagonals: Vec<Vec<f64>>,
    /// Σ_ij of the squared errors that rounding may have left in K_ij, layer by layer.
    pub rounding: Vec<f64>,
}

/// The Hilbert–Schmidt terms of one pair of layers and of each with itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PairTerms {
    /// Of the pair.
    pub xy: f64,
    /// Of the first layer with itself.
    pub xx: f64,
    /// Of the second.
    pub yy: f64,
}

impl PairTerms {
    /// xy / √(xx·yy).
    fn ratio(self) -> Option<f64> {
        let scale = (self.xx * self.yy).sqrt();
        (self.xx > 0.0 && self.yy > 0.0 && scale > 0.0).then(|| self.xy / scale)
    }
}

/// A term is known if it is larger by this factor than what rounding may have made of zero.
const STANDS_OUT: f64 = 4.0;

impl KernelTerms {
    fn cross(&self, x: usize, y: usize) -> f64 {
        self.cross[x * self.row_sums.len() + y]
    }

    /// tr(K_c L_c) of the double-centred kernels,
    ///
    /// ```text
    /// Σ_ij K_ij L_ij − 2/N Σ_i k_i l_i + (Σ k)(Σ l)/N²       k_i = Σ_j K_ij
    /// ```
    pub fn hsic(&self, x: usize, y: usize) -> f64 {
        let n = self.n as f64;
        let (mut sum, mut k, mut l, mut kl) = (self.cross(x, y), 0.0, 0.0, 0.0);
        for i in 0..self.n {
            let (k_ii, l_ii) = (self.diagonals[x][i], self.diagonals[y][i]);
            let (k_i, l_i) = (self.row_sums[x][i] + k_ii, self.row_sums[y][i] + l_ii);
            sum += k_ii * l_ii;
            k += k_i;
            l += l_i;
            kl += k_i * l_i;
        }
        sum - 2.0 / n * kl + k / n * (l / n)
    }

    /// N(N − 3) times the unbiased HSIC₁ (Song et al., JMLR 13, 1393 (2012)), K̃ and L̃ with zero
    /// diagonals:
    ///
    /// ```text
    /// tr(K̃L̃) + (1ᵀK̃1)(1ᵀL̃1)/((N−1)(N−2)) − 2/(N−2) 1ᵀK̃L̃1
    /// ```
    pub fn unbiased_hsic(&self, x: usize, y: usize) -> f64 {
        let n = self.n as f64;
        let (mut k, mut l, mut kl) = (0.0, 0.0, 0.0);
        for (k_i, l_i) in self.row_sums[x].iter().zip(&self.row_sums[y]) {
            k += k_i;
            l += l_i;
            kl += k_i * l_i;
        }
        self.cross(x, y) + k / (n - 1.0) * (l / (n - 2.0)) - 2.0 / (n - 2.0) * kl
    }

    /// The unbiased term of a layer with itself, unless it is 0 within rounding.
    ///
    /// In it numbers of the size of the summands S cancel, all the more as the rows are equally far
    /// from each other. Rounded sums leave N 2⁻⁵² S at most, and errors in K_ij their squares.
    fn own_unbiased_hsic(&self, x: usize) -> Option<f64> {
        let n = self.n as f64;
        let sums = &self.row_sums[x];
        let (k, kk) = (
            sums.iter().sum::<f64>(),
            sums.iter().map(|k_i| k_i * k_i).sum::<f64>(),
        );
        let summands =
            self.cross(x, x).abs() + (k / (n - 1.0) * (k / (n - 2.0))).abs() + 2.0 / (n - 2.0) * kk;
        let own = self.unbiased_hsic(x, x);
        let noise = n * f64::EPSILON * summands + self.rounding[x];
        (own > STANDS_OUT * noise).then_some(own)
    }

    /// Centred kernel alignment, tr(K_cL_c)/√(tr(K_c²) tr(L_c²)), in [0, 1].
    ///
    /// Kornblith et al., ICML 2019. Reasons for none: `too_few_rows` (2), `constant_layer`.
    pub fn cka(&self, x: usize, y: usize) -> Result<f64, Reason> {
        if self.n < 2 {
            return Err(Reason::TooFewRows);
        }
        if x == y {
            return match self.hsic(x, x) > 0.0 {
                true => Ok(1.0),
                false => Err(Reason::ConstantLayer),
            };
        }
        let terms = PairTerms {
            xy: self.hsic(x, y),
            xx: self.hsic(x, x),
            yy: self.hsic(y, y),
        };
        let ratio = terms.ratio().ok_or(Reason::ConstantLayer)?;
        Ok(ratio.clamp(0.0, 1.0))
    }

    /// The same ratio of unbiased terms; slightly negative values are chance.
    ///
    /// Reasons for none: `too_few_rows` (4), `equidistant_rows` (a layer whose own unbiased term is
    /// 0 within rounding, or less, has no structure to align).
    pub fn debiased_cka(&self, x: usize, y: usize) -> Result<f64, Reason> {
        if self.n < 4 {
            return Err(Reason::TooFewRows);
        }
        let own = |layer: usize| match self.hsic(layer, layer) > 0.0 {
            true => self.own_unbiased_hsic(layer).ok_or(Reason::EquidistantRows),
            false => Err(Reason::ConstantLayer),
        };
        let terms = PairTerms {
            xy: self.unbiased_hsic(x, y),
            xx: own(x)?,
            yy: own(y)?,
        };
        terms.ratio().ok_or(Reason::ConstantLayer)
    }

    /// The mean of [`KernelTerms::cka`] over all pairings of rows, √(PR_x PR_y)/(N − 1) with the
    /// participation ratio PR = (tr K_c)²/‖K_c‖²; `None` for a constant layer.
    ///
    /// Exact for every kernel: the mean of tr(K_c P L_c Pᵀ) over permutations P is
    /// tr K_c · tr L_c/(N − 1).
    pub fn chance_cka(&self, x: usize, y: usize) -> Option<f64> {
        let root = |layer| {
            let own = self.hsic(layer, layer);
            (own > 0.0).then(|| self.centred_trace(layer) / own.sqrt())
        };
        // A mean of values that are 1 at most.
        Some((root(x)? * root(y)? / (self.n as f64 - 1.0)).min(1.0))
    }

    /// tr K_c = Σ_i K_ii − Σ_ij K_ij/N.
    fn centred_trace(&self, layer: usize) -> f64 {
        let diagonal: f64 = self.diagonals[layer].iter().sum();
        let all: f64 = diagonal + self.row_sums[layer].iter().sum::<f64>();
        diagonal - all / self.n as f64
    }
}
