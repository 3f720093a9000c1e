//! Fits a layer by a chunk of its neurons: how well that explains it, and what is left.

use crate::geometry::Reason;
use crate::vectors::vectorised;

/// What is left of a layer after the linear fit from a chunk, three ways to sum it up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Residuals {
    /// Share of variance that the chunk explains.
    pub r2: f64,
    /// Mean |correlation| of the residuals of two neurons; `None` without two.
    pub correlation: Option<f64>,
    /// ‖correlations of all pairs‖₂ over their number; `None` without two neurons.
    pub frobenius: Option<f64>,
}

/// What neurons leave of a layer when the first ones of an order are taken out of the others: the
/// residual Gram matrix R of those that are left.
pub trait Remainder {
    /// Takes neurons out until `w` are; fewer than before is no step back.
    fn advance(&mut self, w: usize);

    /// How many of the neurons taken out were linearly independent.
    fn rank(&self) -> usize;

    /// How many neurons are left.
    fn n_left(&self) -> usize;

    /// R_jj of neuron `j` of those that are left.
    fn variance(&self, j: usize) -> f64;

    /// Shows the columns of R in order, each from its diagonal downwards.
    fn each_column(&self, see: &mut dyn FnMut(usize, &[f64]));
}

/// The fit of a layer from a chunk S of its neurons.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChunkFit {
    /// Over all neurons, those of the chunk included: they are explained by themselves.
    pub paper: Residuals,
    /// Over the neurons outside the chunk; `None` where there are none or all are constant.
    pub complement: Option<Residuals>,
    /// How many neurons of the chunk are linearly independent.
    pub rank: usize,
    /// Neurons outside the chunk without residual variance, left out of the correlations.
    pub n_explained: usize,
}

/// What the paper adds to the standard deviations under its correlations.
const PAPER_FLOOR: f64 = 1e-8;

/// A residual variance below this share of the neuron's own is rounding of our own.
const EXPLAINED: f64 = 1e-13;

impl ChunkFit {
    /// The fit from the neurons that are taken out of `rest`, with which `order` starts.
    ///
    /// `variances` is the diagonal of G = XᵀX, X the centred layer of `n_rows` rows; of a neuron of
    /// which no more than its entry of `floors` is left nothing is left. With C_ij =
    /// R_ij/√(R_ii R_jj) and T the neurons outside the chunk:
    ///
    /// ```text
    /// paper        R² = 1 − tr R/tr G        mean of |C_ij| over i < j of all neurons,
    ///                                        C_ij with 1e-8 added below, as published
    /// complement   R² = 1 − tr R_TT/tr G_TT  mean of |C_ij| over i < j of T
    /// ```
    ///
    /// arXiv 2106.03485, whose ridge of 1e-8 changes R in second order only: it is left out, and
    /// dependent neurons are skipped instead. Reasons for none: `too_few_rows` (w + 3),
    /// `constant_layer`.
    pub fn new(
        variances: &[f64],
        floors: &[f64],
        order: &[usize],
        rest: &dyn Remainder,
        n_rows: usize,
    ) -> Result<Self, Reason> {
        let (width, outside) = (order.len(), rest.n_left());
        let w = width - outside;
        let total: f64 = variances.iter().sum();
        if total <= 0.0 {
            return Err(Reason::ConstantLayer);
        }
        if n_rows <= w + 2 {
            return Err(Reason::TooFewRows);
        }
        let own: Vec<f64> = order[w..].iter().map(|&i| variances[i]).collect();
        let left: Vec<f64> = (0..outside)
            .map(|i| match rest.variance(i) {
                variance if variance <= floors[order[w + i]].max(EXPLAINED * own[i]) => 0.0,
                variance => variance,
            })
            .collect();
        let unexplained: f64 = left.iter().sum();
        let sums = correlation_sums(rest, &left, n_rows);
        let n_explained = left.iter().filter(|&&variance| variance <= 0.0).count();
        let own_total: f64 = own.iter().sum();
        Ok(Self {
            paper: sums.paper.over(pairs(width), 1.0 - unexplained / total),
            complement: (own_total > 0.0).then(|| {
                let r2 = 1.0 - unexplained / own_total;
                sums.plain.over(pairs(outside - n_explained), r2)
            }),
            rank: rest.rank(),
            n_explained,
        })
    }
}

fn pairs(count: usize) -> usize {
    count * count.saturating_sub(1) / 2
}

/// Σ |C_ij| and Σ C_ij² over pairs.
#[derive(Default)]
struct Sums {
    absolute: f64,
    squares: f64,
}

impl Sums {
    fn add(&mut self, correlation: f64) {
        self.absolute += correlation.abs();
        self.squares += correlation * correlation;
    }

    fn over(&self, pairs: usize, r2: f64) -> Residuals {
        let count = (pairs > 0).then_some(pairs as f64);
        Residuals {
            r2,
            correlation: count.map(|count| self.absolute / count),
            frobenius: count.map(|count| self.squares.sqrt() / count),
        }
    }
}

/// Both kinds of correlations at once.
#[derive(Default)]
struct CorrelationSums {
    paper: Sums,
    plain: Sums,
}

/// entry/(own·root + floor) of every neuron that has a root, 0 of the others.
#[inline(always)]
fn scaled(entries: &[f64], roots: &[f64], own: f64, floor: f64, out: &mut [f64]) {
    for ((out, entry), root) in out.iter_mut().zip(entries).zip(roots) {
        let value = entry / (root * own + floor);
        *out = if *root > 0.0 { value } else { 0.0 };
    }
}

fn correlation_sums(rest: &dyn Remainder, left: &[f64], n_rows: usize) -> CorrelationSums {
    let freedom = n_rows as f64 - 1.0;
    let roots: Vec<f64> = left.iter().map(|variance| variance.sqrt()).collect();
    let mut sums = CorrelationSums::default();
    // Where everything is explained there are no pairs to look at.
    if roots.iter().all(|&root| root <= 0.0) {
        return sums;
    }
    let arch = pulp::Arch::new();
    let floor = PAPER_FLOOR * freedom;
    let (mut paper, mut plain) = (vec![0.0; roots.len()], vec![0.0; roots.len()]);
    rest.each_column(&mut |j, column| {
        let (own, later) = (roots[j], &roots[j + 1..]);
        if own <= 0.0 {
            return;
        }
        let (paper, plain) = (&mut paper[..later.len()], &mut plain[..later.len()]);
        vectorised(
            arch,
            #[inline(always)]
            || {
                scaled(&column[1..], later, own, 0.0, plain);
                scaled(&column[1..], later, own, floor, paper);
            },
        );
        plain.iter().for_each(|&value| sums.plain.add(value));
        paper.iter().for_each(|&value| sums.paper.add(value));
    });
    sums
}
