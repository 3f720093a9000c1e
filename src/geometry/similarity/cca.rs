//! Canonical correlations: what two layers share up to an invertible linear map.

use ndarray::ArrayView2;

use super::basis::Basis;
use super::footprint::{Footprint, least};
use super::measure::{Computation, Measure, PairValue, Setting, Subject, Values};
use super::prepared::Prepared;
use crate::algebra::{product, singular_values, thin_svd};
use crate::geometry::Reason;
use crate::geometry::centred::Centred;
use crate::input::Matrix;

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
    let overlap = product(x.left(x.rank()).reversed_axes(), y.left(y.rank()));
    let svd = thin_svd(overlap.view()).ok_or(Reason::NotConverged)?;
    let rho: Vec<f64> = svd.values.iter().map(|&r| clip(r)).collect();
    let seen_from = |basis: &Basis, directions: ArrayView2<'_, f64>| {
        let projections = product(directions.reversed_axes(), basis.loadings().view());
        let weights: Vec<f64> = projections
            .rows()
            .into_iter()
            .map(|row| row.iter().map(|x| x.abs()).sum())
            .collect();
        let weighted: f64 = weights.iter().zip(&rho).map(|(a, r)| a * r).sum();
        weighted / weights.iter().sum::<f64>()
    };
    Ok([
        seen_from(x, svd.left.view()),
        seen_from(y, svd.right.view()),
    ])
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
    let overlap = product(x.left(k).reversed_axes(), y.left(l));
    let rho = singular_values(overlap.view()).ok_or(Reason::NotConverged)?;
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

/// Mean canonical correlation.
pub static CCA: Measure = Measure {
    parts_tell_error: false,
    ..Measure::similarity(
        ["cca_mean", "cca"],
        "Mean canonical correlation",
        Values::Layers(&CANONICAL),
    )
};

/// The same of leading components.
pub static SVCCA: Measure = Measure {
    parts_tell_error: false,
    uses: &[Setting::Variance],
    ..Measure::similarity(
        ["svcca", "svcca"],
        "The same of leading components",
        Values::Layers(&CANONICAL),
    )
};

/// Projection-weighted canonical correlation, seen from each layer.
pub static PWCCA: Measure = Measure {
    parts_tell_error: false,
    is_directed: true,
    ..Measure::similarity(
        ["pwcca", "pwcca"],
        "Projection-weighted canonical correlation, seen from each layer",
        Values::Layers(&CANONICAL),
    )
};

/// A basis, and what its decomposition takes: the layer, its reflections and two sets of vectors.
fn holds(subject: &Subject<'_>, layer: &Matrix) -> Footprint {
    let [n, d] = [layer.n_rows(), layer.n_columns()].map(|size| size as u64);
    let kept = Basis::bytes(n, d);
    let moved = if subject.permutations.is_empty() {
        0
    } else {
        kept
    };
    let rank = n.min(d);
    Footprint {
        kept,
        work: (32 * n * d + 24 * rank * rank).max(32 * rank * rank + moved),
    }
}

/// One decomposition a layer serves all three.
static CANONICAL: Computation = Computation {
    least: |subject, _| least(subject, |m| holds(subject, m)),
    values: |subject, wanted, progress| {
        let value = |measure: &Measure, x: &Basis, y: &Basis| match measure {
            one if *one == CCA => summed(subject, x, y, cca),
            one if *one == SVCCA => {
                summed(subject, x, y, |x, y| svcca(x, y, subject.settings.variance))
            }
            _ => weighted(subject, x, y),
        };
        let prepared = Prepared {
            label: "canonical correlations",
            subject,
            holds: |m: &Matrix| holds(subject, m),
            make: |m: &Matrix| Basis::of(&Centred::of_unit_size(m)),
            compare: |x: &Basis, y: &Basis| wanted.iter().map(|one| value(one, x, y)).collect(),
        };
        prepared.values(wanted.len(), progress)
    },
};

/// CCA or SVCCA as `compare` has it.
fn summed(
    subject: &Subject<'_>,
    x: &Basis,
    y: &Basis,
    compare: impl Fn(&Basis, &Basis) -> Result<CanonicalSummary, Reason>,
) -> PairValue {
    let mean = |y: &Basis| compare(x, y).ok().map(|found| found.mean);
    let null = permuted(subject, y, mean);
    let n = subject.n_rows();
    match compare(x, y) {
        Err(reason) => PairValue::new(Err(reason), n, null),
        Ok(found) => PairValue {
            chance: Some(found.chance_mean_squared),
            mean_squared: Some(found.mean_squared),
            dimensions: Some(found.ranks),
            wide: found.wide,
            ..PairValue::new(Ok(found.mean), n, null)
        },
    }
}

/// PWCCA in both directions.
fn weighted(subject: &Subject<'_>, x: &Basis, y: &Basis) -> PairValue {
    let null = permuted(subject, y, |y| pwcca(x, y).ok().map(|[forward, _]| forward));
    let both = pwcca(x, y);
    let n = subject.n_rows();
    PairValue {
        backward: both.ok().map(|[_, backward]| backward),
        dimensions: Some([x.rank(), y.rank()]),
        wide: x.rank() + y.rank() >= n,
        ..PairValue::new(both.map(|[forward, _]| forward), n, null)
    }
}

fn permuted(subject: &Subject<'_>, y: &Basis, value: impl Fn(&Basis) -> Option<f64>) -> Vec<f64> {
    let orders = subject.permutations.iter();
    orders
        .filter_map(|order| value(&y.with_rows(order)))
        .collect()
}
