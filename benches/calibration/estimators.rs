//! Every estimator of the library on one set, from one neighbour table.

use ndarray::ArrayView2;
use repgeo::geometry::Reason;
use repgeo::geometry::density::KSTAR_ALPHA;
use repgeo::geometry::id::{
    ABIDE_ITERATIONS, AbideVersion, BINOMIAL_RATIO, BinomialFit, CORR_INT_K, Combine, ESS_K,
    ErrorKind, EssVersion, Estimate, Fit, Fraction, LpcaRule, MADA_K, MIND_ML_K, MLE_K, MOM_K,
    MindVersion, MleVersion, Orders, Outcome, Ratios, TLE_K, abide, binomial_k, corr_int,
    corr_int_radii, ess, gride, gride_blocks, lpca, mada, mind_ml, mle, mom, pairs_within, tle,
    two_nn,
};
use repgeo::geometry::spectrum::{Centring, Spectrum};
use repgeo::input::Matrix;
use repgeo::neighbours::{
    Metric, NeighbourTable, Points, SearchOptions, neighbour_table, squared_distance,
};
use repgeo::progress::Silent;

/// Neighbours in the shared table: as many as the widest estimators look at.
pub const TABLE_K: usize = 100;

/// Gride's nearer neighbours, n1; the farther is 2·n1.
const GRIDE_ORDERS: [usize; 6] = [1, 2, 4, 8, 16, 32];

/// Orders at which Gride's jackknife error is taken beside its model error.
const JACKKNIFED: [usize; 2] = [1, 16];

/// Blocks of that jackknife.
const BLOCKS: usize = 50;

/// Neighbours of the binomial estimator.
const BINOMIAL_K: usize = 20;

/// What one estimator says of one set.
pub struct Reading {
    pub name: String,
    pub id: Option<f64>,
    pub error: Option<(ErrorKind, f64)>,
}

/// The exact neighbour table of `data`.
pub fn table(data: &Matrix, k: usize) -> NeighbourTable {
    let points = Points::new(data, Metric::Euclidean, "calibration").expect("samples are finite");
    neighbour_table(&points, k, &SearchOptions::default(), &Silent).expect("no limit on memory")
}

/// The ratios r_n2/r_n1 of a table.
pub fn ratios(table: &NeighbourTable, orders: Orders) -> Ratios {
    let distances = |order| table.distances_of_order(order).to_vec();
    Ratios::new(&distances(orders.n1()), &distances(orders.n2()))
}

/// All estimators on `data`; `ess` only `with_ess`, for its cost.
pub fn readings(data: &Matrix, with_ess: bool) -> Vec<Reading> {
    let table = table(data, TABLE_K);
    let near = table.distances.view();
    let indices = table.indices.view();
    let mut readings = Vec::new();
    let mut note = |name: &str, outcome: Outcome| {
        readings.push(Reading::new(name, outcome));
    };

    let first = ratios(&table, Orders::FIRST);
    let fraction = Fraction::default();
    for fit in [
        Fit::Base { fraction },
        Fit::Mle,
        Fit::MleCensored { fraction },
        Fit::BAYES,
    ] {
        note(&format!("two_nn_{}", fit.name()), two_nn(&first, fit));
    }
    for n1 in GRIDE_ORDERS {
        let orders = Orders::doubled(n1).expect("orders start at 1");
        let ratios = ratios(&table, orders);
        let estimate = gride(&ratios, orders);
        note(&format!("gride_{n1}"), estimate);
        if JACKKNIFED.contains(&n1) {
            let error = gride_blocks(&ratios, orders, BLOCKS);
            let blocks = estimate.map(|found| found.with_error(ErrorKind::Jackknife, error));
            note(&format!("gride_{n1}{}", super::BLOCKS_SUFFIX), blocks);
        }
    }
    note("abide", abided(&table, &first));
    let binomial = binomial_k(near, BINOMIAL_K, BINOMIAL_RATIO, BinomialFit::Bayes);
    note("binomial", binomial);

    let pooled = mle(near, MLE_K, MleVersion::Harmonic);
    note("mle", pooled.map(|local| local.estimate));
    let averaged = mle(near, MLE_K, MleVersion::Mean);
    note("mle_mean", averaged.map(|local| local.estimate));
    let moments = mom(near, MOM_K, Combine::Mean);
    note("mom", moments.map(|local| local.estimate));
    let tight = tle(near, indices, data, TLE_K, Combine::Mean);
    note("tle", tight.map(|local| local.estimate));
    let growth = mada(near, MADA_K, Combine::Mean);
    note("mada", growth.map(|local| local.estimate));
    if with_ess {
        let skewness = ess(near, indices, data, ESS_K, EssVersion::A, Combine::Mean);
        note("ess", skewness.map(|local| local.estimate));
    }
    note("corr_int", correlation(near, data));
    let minimum = mind_ml(near, MIND_ML_K, data.n_columns(), MindVersion::Real);
    note("mind_ml", minimum);

    if let Ok(spectrum) = Spectrum::of(data, Centring::Centred) {
        for rule in LpcaRule::ALL {
            let name = match rule {
                LpcaRule::ParticipationRatio => rule.name().into(),
                // These two need to be told the noise, and here there is none.
                LpcaRule::MarchenkoPastur { .. } | LpcaRule::GavishDonoho { .. } => continue,
                _ => format!("lpca_{}", rule.name()),
            };
            note(&name, lpca(&spectrum, rule));
        }
    }
    readings
}

impl Reading {
    fn new(name: &str, outcome: Outcome) -> Self {
        let estimate = outcome.ok();
        Self {
            name: name.into(),
            id: estimate.map(|estimate| estimate.id),
            error: estimate.and_then(|found| found.error_kind.zip(found.std_error)),
        }
    }
}

/// The last step of ABIDE, begun at TwoNN's likelihood.
fn abided(table: &NeighbourTable, first: &Ratios) -> Outcome {
    let steps = abide(
        table.distances.view(),
        table.indices.view(),
        two_nn(first, Fit::Mle)?.id,
        KSTAR_ALPHA,
        ABIDE_ITERATIONS,
        AbideVersion::Gride,
    )?;
    let last = steps.last().ok_or(Reason::NotConverged)?;
    let n = last.kstar.iter().flatten().count();
    Ok(Estimate::new(last.id, n).with_error(ErrorKind::Model, last.std_error))
}

fn correlation(near: ArrayView2<f64>, data: &Matrix) -> Outcome {
    let radii = corr_int_radii(near, CORR_INT_K)?;
    let pairs = match radii.map(|radius| pairs_within(near, radius)) {
        [Some(inner), Some(outer)] => [inner, outer],
        _ => all_pairs_within(data, radii),
    };
    corr_int(radii, pairs, data.n_rows())
}

/// Ordered pairs of rows closer than each radius, where a row has more of them than the table.
fn all_pairs_within(data: &Matrix, radii: [f64; 2]) -> [u64; 2] {
    let rows: Vec<Vec<f64>> = (0..data.n_rows())
        .map(|row| {
            let mut values = vec![0.0; data.n_columns()];
            data.widen_row(row, &mut values);
            values
        })
        .collect();
    let mut pairs = [0; 2];
    for (i, row) in rows.iter().enumerate() {
        for other in &rows[..i] {
            let distance = squared_distance(row, other).sqrt();
            for (count, radius) in pairs.iter_mut().zip(radii) {
                *count += 2 * u64::from(distance < radius);
            }
        }
    }
    pairs
}
