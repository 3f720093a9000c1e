//! Canonical correlations: what two layers share up to an invertible linear map.

use faer::{Mat, MatRef};

use super::basis::Basis;
use crate::geometry::Reason;

/// Canonical correlations ρ_1 ≥ … ≥ ρ_m of two spaces, summed up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CanonicalSummary {
    /// (1/m) Σ ρ_j.
    pub mean: f64,
    /// (1/m) Σ ρ_j².
    pub mean_squared: f64,
    /// m, the smaller of the two dimensions.
    pub m: usize,
    /// Dimensions of the two spaces.
    pub ranks: [usize; 2],
    /// E[(1/m) Σ ρ_j²] for independent rows: the larger dimension over N − 1.
    pub chance_mean_squared: f64,
    /// The dimensions sum to N or more, so the largest ρ are 1 whatever the data.
    pub wide: bool,
}

/// Mean canonical correlation of two layers (Raghu et al., NeurIPS 2017; Morcos et al., 2018).
///
/// Reasons for none: `rank_deficient`, where one layer spans all N − 1 directions that N centred
/// rows have, so that every correlation with it is 1.
pub fn cca(x: &Basis, y: &Basis) -> Result<CanonicalSummary, Reason> {
    check_rank(x, y)?;
    summary(x, x.rank(), y, y.rank())
}

/// The same between the leading components that hold `share` of each layer's variance.
///
/// Raghu et al., NeurIPS 2017. Reasons for none as [`cca`], of what is kept.
pub fn svcca(x: &Basis, y: &Basis, share: f64) -> Result<CanonicalSummary, Reason> {
    summary(x, x.leading(share), y, y.leading(share))
}

/// Projection-weighted CCA, seen from each side: Σ α_j ρ_j/Σ α_j, α_j = Σ_c |h_j·x_c| over the
/// columns x_c of the centred layer, h_j its canonical variables.
///
/// Morcos et al., NeurIPS 2018. Reasons for none as [`cca`].
pub fn pwcca(x: &Basis, y: &Basis) -> Result<[f64; 2], Reason> {
    check_rank(x, y)?;
    let overlap = x.left(x.rank()).transpose() * y.left(y.rank());
    let svd = overlap.thin_svd().map_err(|_| Reason::NotConverged)?;
    let rho: Vec<f64> = svd.S().column_vector().iter().map(|&r| clip(r)).collect();
    let seen_from = |basis: &Basis, directions: MatRef<'_, f64>| {
        let projections: Mat<f64> = directions.transpose() * basis.loadings();
        let weights: Vec<f64> = projections
            .row_iter()
            .map(|row| row.iter().map(|x| x.abs()).sum())
            .collect();
        let weighted: f64 = weights.iter().zip(&rho).map(|(a, r)| a * r).sum();
        weighted / weights.iter().sum::<f64>()
    };
    Ok([seen_from(x, svd.U()), seen_from(y, svd.V())])
}

fn check_rank(x: &Basis, y: &Basis) -> Result<(), Reason> {
    let full = x.n_rows() - 1;
    if x.rank() >= full || y.rank() >= full {
        return Err(Reason::RankDeficient);
    }
    Ok(())
}

fn summary(x: &Basis, k: usize, y: &Basis, l: usize) -> Result<CanonicalSummary, Reason> {
    let directions = x.n_rows() - 1;
    if k >= directions || l >= directions {
        return Err(Reason::RankDeficient);
    }
    let overlap = x.left(k).transpose() * y.left(l);
    let rho = overlap
        .singular_values()
        .map_err(|_| Reason::NotConverged)?;
    let m = k.min(l);
    let mean = |power: i32| rho.iter().map(|&r| clip(r).powi(power)).sum::<f64>() / m as f64;
    Ok(CanonicalSummary {
        mean: mean(1),
        mean_squared: mean(2),
        m,
        ranks: [k, l],
        chance_mean_squared: k.max(l) as f64 / directions as f64,
        wide: k + l >= x.n_rows(),
    })
}

/// A correlation, whatever rounding made of it.
fn clip(rho: f64) -> f64 {
    rho.clamp(0.0, 1.0)
}
