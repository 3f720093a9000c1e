//! ABIDE: the dimension at the scale that the density of each row allows.
//!
//! The neighbourhood k* depends on the dimension, and the dimension is read within it, so the
//! two are computed in turn. Di Noia, Macocco, Glielmo, Laio and Mira, arXiv 2405.15132.

use ndarray::{ArrayView1, ArrayView2, s};

use super::binomial::{BinomialFit, Counts};
use super::estimate::AbideStep;
use super::likelihood::{self, Term};
use super::{
    ErrorKind, Estimate, Estimated, Estimator, Explained, Fit, LayerView, Neighbours, Orders,
    Outcome, Ratios, Reads, two_nn,
};
use crate::geometry::density::{Correction, KSTAR_ALPHA, kstar};
use crate::geometry::{Reason, stats};

/// Iterations unless said otherwise.
pub const ABIDE_ITERATIONS: usize = 5;

/// Neighbours among which k* is sought unless said otherwise.
pub const ABIDE_K: usize = 100;

/// Share of the volume of the larger ball that the smaller one should have: r = SHARE^{1/d}.
const SHARE: f64 = 0.2032;

/// The largest r.
const MAX_RATIO: f64 = 0.975;

/// Which estimator reads the dimension within k*.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum AbideVersion {
    /// Gride with n2 = k* (rounded up to even) and n1 = n2/2, each row its own.
    #[default]
    Gride,
    /// The binomial estimator at each row's k*, with r = min(0.975, 0.2032^{1/d}) unless given.
    Binomial {
        /// r.
        ratio: Option<f64>,
    },
}

/// The dimension at the scale k*, starting from `initial_id`: `n_iterations` + 1 steps.
///
/// k* stays below the number of stored neighbours, so the result depends on how many are stored.
///
/// Reasons for none: `too_few_neighbours` (5), `too_few_rows` (3 with a k*), `degenerate_ratios`,
/// `zero_distances`, `not_converged`.
pub fn abide(
    distances: ArrayView2<f64>,
    indices: ArrayView2<u32>,
    initial_id: f64,
    alpha: f64,
    n_iterations: usize,
    version: AbideVersion,
) -> Result<Vec<AbideStep>, Reason> {
    let sizes = |id: f64| kstar(distances, indices, id, alpha, Correction::None);
    let mut steps = vec![AbideStep {
        id: initial_id,
        std_error: None,
        log_likelihood: None,
        kstar: sizes(initial_id)?,
    }];
    for _ in 0..n_iterations {
        let last = &steps[steps.len() - 1];
        let rows: Vec<(ArrayView1<f64>, usize)> = distances
            .rows()
            .into_iter()
            .zip(&last.kstar)
            .filter_map(|(near, size)| size.map(|size| (near, size)))
            .collect();
        if rows.len() < 3 {
            return Err(Reason::TooFewRows);
        }
        let (id, std_error, log_likelihood) = match version {
            AbideVersion::Gride => by_gride(&rows)?,
            AbideVersion::Binomial { ratio } => by_counts(&rows, last.id, ratio)?,
        };
        steps.push(AbideStep {
            id,
            std_error: Some(std_error).filter(|error| error.is_finite()),
            log_likelihood,
            kstar: sizes(id)?,
        });
    }
    Ok(steps)
}

type Step = Result<(f64, f64, Option<f64>), Reason>;

fn by_gride(rows: &[(ArrayView1<f64>, usize)]) -> Step {
    let mut terms: Vec<Term> = rows
        .iter()
        .filter_map(|&(near, size)| {
            let orders = Orders::doubled(size.div_ceil(2))?;
            let pair = Ratios::new(&[near[orders.n1() - 1]], &[near[orders.n2() - 1]]);
            Some(Term::new(*pair.ln_mu.first()?, orders))
        })
        .collect();
    terms.retain(Term::is_possible);
    likelihood::drop_outliers(&mut terms);
    if terms.len() < 3 {
        return Err(Reason::DegenerateRatios);
    }
    let id = likelihood::root(&terms, terms.len() as f64 - 1.0).ok_or(Reason::NotConverged)?;
    let error = likelihood::std_error(&terms, id);
    Ok((id, error, likelihood::log_likelihood(&terms, id)))
}

fn by_counts(rows: &[(ArrayView1<f64>, usize)], id: f64, ratio: Option<f64>) -> Step {
    let ratio = ratio.unwrap_or_else(|| libm::pow(SHARE, id.recip()).min(MAX_RATIO));
    let counts = rows
        .iter()
        .fold(Counts::default(), |counts, &(near, size)| {
            counts.with_row(near, size, ratio)
        });
    let (id, error) = counts.dimension(ratio, BinomialFit::Mle)?;
    Ok((id, error, None))
}

/// Five steps of Gride within k*, from TwoNN on.
pub(super) static ABIDE: Estimator = Estimator {
    name: "abide",
    flag: "abide",
    words: "Gride at the scale that the density of each row allows",
    reads: Reads::Neighbours(Neighbours {
        chooses_k: true,
        ..Neighbours::plain(ABIDE_K, |view, k| from_two_nn(view, k).into())
    }),
    part_of: None,
    explained: &[Explained {
        variant: "abide",
        reads: "Gride while the density is even",
        k: None,
        error: Some(ErrorKind::Model),
        calibration: [Some(0.97), Some(0.88), Some(0.78), Some(0.65)],
    }],
};

/// The steps, and the last of them as an estimate.
struct FromTwoNn {
    estimate: Estimate,
    steps: Vec<AbideStep>,
}

fn from_two_nn(view: &LayerView<'_>, k: usize) -> Result<FromTwoNn, Reason> {
    let k = k.min(view.distances.ncols());
    let distances = view.distances.slice(s![.., ..k]);
    let indices = view.indices.slice(s![.., ..k]);
    let id = first_guess(distances)?;
    let version = AbideVersion::Gride;
    let steps = abide(
        distances,
        indices,
        id,
        KSTAR_ALPHA,
        ABIDE_ITERATIONS,
        version,
    )?;
    Ok(FromTwoNn {
        estimate: last(&steps, distances),
        steps,
    })
}

fn first_guess(distances: ArrayView2<f64>) -> Result<f64, Reason> {
    if distances.nrows() < 3 {
        return Err(Reason::TooFewRows);
    }
    if distances.ncols() < 2 {
        return Err(Reason::TooFewNeighbours);
    }
    let [near, far] = [0, 1].map(|column| distances.column(column).to_vec());
    Ok(two_nn(&Ratios::new(&near, &far), Fit::default())?.id)
}

/// The last step as an estimate; it looks at each row's distance at k* of the step before.
fn last(steps: &[AbideStep], distances: ArrayView2<f64>) -> Estimate {
    let step = &steps[steps.len() - 1];
    let sizes = &steps[steps.len().saturating_sub(2)].kstar;
    let reach: Vec<f64> = sizes
        .iter()
        .enumerate()
        .filter_map(|(row, size)| size.map(|size| distances[(row, size - 1)]))
        .collect();
    let estimate = Estimate {
        distance: stats::mean(&reach),
        ..Estimate::new(step.id, reach.len())
    };
    estimate.with_error(ErrorKind::Model, step.std_error)
}

impl From<Result<FromTwoNn, Reason>> for Estimated {
    fn from(found: Result<FromTwoNn, Reason>) -> Self {
        match found {
            Ok(found) => Self {
                steps: found.steps,
                ..Ok(found.estimate).into()
            },
            Err(reason) => Outcome::Err(reason).into(),
        }
    }
}
