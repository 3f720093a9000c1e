//! Chooses the kernel of a layer.
//!
//! The coarser a kernel rounds, the faster it multiplies and the more pairs it leaves to the
//! verdict. How many, only the layer can tell: rows of a few strong directions lose almost nothing
//! to bf16, rows of noise in many columns are all about equally far apart. So a sample of rows is
//! multiplied with all others, and the pairs that the bound would leave undecided are counted.

use rayon::prelude::*;

use super::bound::{Bound, median};
use super::frame::Frame;
use super::kernel::Kernel;
use super::operand::Operand;
use super::store::{Room, Store, Tiles};
use crate::neighbours::points::{Points, Verdict};

/// What a search has to decide, for the estimate of what a kernel would leave undecided.
pub(in crate::neighbours) enum Demand<'a> {
    /// Which rows are the k nearest.
    Nearest(usize),
    /// Who is nearer than some of the rows: for a row of the matrix, those rows.
    NearerThan(&'a (dyn Fn(usize) -> Vec<u32> + Sync)),
}

/// Rows that are sampled, in runs as long as a kernel multiplies at once.
const RUNS: usize = 4;
const RUN: usize = 8;

/// Below this many rows or columns products are too small a part of the work for any choice.
const FEW_ROWS: usize = 1024;
const FEW_COLUMNS: usize = 48;

/// A verdict costs about as much as this many coarse products save.
const VERDICT: usize = 64;

/// Pairs of every sampled row that are compared with their exact distances.
const CHECKED: usize = 16;

/// Packs the rows of `points` in the given order for the kernel, or for the one that suits.
///
/// `height`: rows of a tile, if there is not memory for all of them at once.
pub(in crate::neighbours) fn pack<'a>(
    points: &'a Points<'a>,
    mut order: Vec<u32>,
    kernel: Kernel,
    demand: &Demand<'_>,
    height: Option<usize>,
) -> Operand<'a> {
    let (n, width) = (order.len(), points.n_columns());
    let coarse: Vec<Kernel> = match kernel {
        Kernel::Auto if n < FEW_ROWS || width < FEW_COLUMNS => Vec::new(),
        Kernel::Auto => Kernel::coarse().collect(),
        forced if forced.is_coarse() && forced.is_available() && n > 1 => vec![forced],
        _ => Vec::new(),
    };
    let frame = Frame::of(points);
    for coarse in coarse {
        let mut operand = store(points, order, coarse, frame.clone(), height);
        if let Some(undecided) = fit_bound(&mut operand, points, demand)
            && (kernel != Kernel::Auto || VERDICT * undecided <= n)
        {
            operand.spare = undecided.min(n);
            return operand;
        }
        order = operand.into_order();
    }
    let precise = match kernel {
        Kernel::Auto => Kernel::best_precise(),
        forced if forced.is_coarse() || !forced.is_available() => Kernel::best_precise(),
        forced => forced,
    };
    store(points, order, precise, frame, height)
}

/// Packs rows for one kernel, or only measures what rounding does to them.
fn store<'a>(
    points: &'a Points<'a>,
    order: Vec<u32>,
    kernel: Kernel,
    frame: Frame,
    height: Option<usize>,
) -> Operand<'a> {
    let (width, scale) = (points.n_columns(), frame.scale());
    let (store, measured, steps) = match height {
        None => {
            let rounded = kernel.packed_rows(points, &order, &frame);
            let store = Store::Whole(rounded.packed);
            (store, rounded.measured, rounded.steps)
        }
        Some(height) => {
            let (mut measured, mut steps) = (Vec::with_capacity(order.len()), 0);
            for rows in order.chunks(height) {
                let rounded = kernel.packed_rows(points, rows, &frame);
                measured.extend(rounded.measured);
                steps = steps.max(rounded.steps);
            }
            let tiles = Tiles {
                points,
                frame,
                height,
            };
            (Store::Tiles(tiles), measured, steps)
        }
    };
    let bound = Bound::new(&measured, width, steps);
    Operand::new(order, scale, kernel, store, bound)
}

/// The kernel that the rows would get.
pub(in crate::neighbours) fn choose(
    points: &Points<'_>,
    order: Vec<u32>,
    demand: &Demand<'_>,
) -> Kernel {
    pack(points, order, Kernel::Auto, demand, None).kernel()
}

/// A sampled row: its scores, and those at which the search decides.
struct Sampled {
    position: usize,
    scores: Vec<f64>,
    decisive: Vec<f64>,
}

/// Sets θ for the scores that decide the search and returns how many pairs a row would be left
/// undecided without need, as the sample has it; `None` if the bound does not even hold there.
fn fit_bound(operand: &mut Operand, points: &Points<'_>, demand: &Demand<'_>) -> Option<usize> {
    let n = operand.n_rows();
    let run = RUN.min(n);
    let starts: Vec<usize> = (0..RUNS)
        .map(|at| (at * n / RUNS / RUN * RUN).min(n - run))
        .collect();
    let sample: Vec<Sampled> = starts
        .into_par_iter()
        .flat_map_iter(|start| {
            let mut products = vec![0.0; run * n];
            operand.products(
                start..start + run,
                0..n,
                &mut Room::default(),
                &mut products,
            );
            let mut verdict = Verdict::new(points);
            let rows = (start..start + run).zip(products.chunks(n));
            rows.map(|(p, products)| Sampled::of(operand, p, products, demand, &mut verdict))
                .collect::<Vec<_>>()
        })
        .collect();
    let decisive = sample.iter().flat_map(|row| &row.decisive).copied();
    let distance = median(decisive.collect()).max(0.0).sqrt();
    operand.bound.fit(distance);
    if !keeps_bound(operand, points, &sample) {
        return None;
    }
    let typical = median(operand.bound.errors().to_vec());
    let undecided = sample
        .iter()
        .map(|row| row.undecided(operand, typical, demand));
    Some(undecided.sum::<usize>().div_ceil(sample.len()))
}

/// Whether the bound holds for some pairs of every sampled row.
///
/// It always does, by its derivation and by the tests. But nobody has run every kernel on every
/// processor, and a search trusts a bound blindly: a kernel that breaks its word here is not used.
fn keeps_bound(operand: &Operand, points: &Points<'_>, sample: &[Sampled]) -> bool {
    let n = points.n_targets();
    sample.par_iter().all(|row| {
        let step = operand.n_rows().div_ceil(CHECKED);
        let others = (row.position % step..operand.n_rows()).step_by(step);
        let others: Vec<usize> = others
            .filter(|&q| q != row.position && operand.row(q) < n)
            .collect();
        let mut verdict = Verdict::new(points);
        verdict.stand_at(operand.row(row.position));
        let judged = verdict.judge(others.iter().map(|&q| operand.order()[q]).collect());
        others.into_iter().zip(judged).all(|(q, (squared, _))| {
            let p = row.position;
            // Scores leave out the row itself.
            let score = row.scores[if q > p { q - 1 } else { q }];
            let exact = squared * operand.scale() * operand.scale();
            operand.bound.lower(p, q, score) <= exact && exact <= operand.bound.upper(p, q, score)
        })
    })
}

impl Sampled {
    fn of(
        operand: &Operand,
        p: usize,
        products: &[f32],
        demand: &Demand<'_>,
        verdict: &mut Verdict<'_>,
    ) -> Self {
        let others = (0..products.len()).filter(|&q| q != p);
        let scores: Vec<f64> = others
            .map(|q| operand.bound.score(p, q, products[q]))
            .collect();
        let mut scratch = scores.clone();
        let mut of_order = |order: usize| {
            let at = order.clamp(1, scratch.len()) - 1;
            *scratch.select_nth_unstable_by(at, f64::total_cmp).1
        };
        let decisive = match demand {
            Demand::Nearest(k) => vec![of_order(*k)],
            Demand::NearerThan(rows) => {
                verdict.stand_at(operand.row(p));
                let judged = verdict.judge(rows(operand.row(p)));
                judged
                    .into_iter()
                    .map(|(squared, _)| squared * operand.scale() * operand.scale())
                    .collect()
            }
        };
        Self {
            position: p,
            scores,
            decisive,
        }
    }

    /// Scores that the bound cannot tell from the decisive ones, less those that ask for it.
    fn undecided(&self, operand: &Operand, typical: f64, demand: &Demand<'_>) -> usize {
        let near = |&g: &f64| {
            let error = operand.bound.relative() * g.max(0.0)
                + operand.bound.errors()[self.position]
                + typical;
            let (below, above) = match demand {
                // Everything nearer is wanted; the threshold and the pair err.
                Demand::Nearest(_) => (0.0, 2.0 * error),
                // The threshold is exact.
                Demand::NearerThan(_) => (error, error),
            };
            let inside = |&&score: &&f64| score >= g - below && score <= g + above;
            self.scores.iter().filter(inside).count().saturating_sub(1)
        };
        self.decisive.iter().map(near).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::Matrix;
    use crate::neighbours::points::Metric;
    use crate::neighbours::tests::{gaussian, kernels};

    /// Rows in a space of 4 dimensions, bent into 64 columns; every other row is `apart`.
    fn strong_directions(n: usize, apart: f64) -> Matrix {
        let (low, mixing) = (gaussian(n, 4, 1), gaussian(64, 4, 2));
        let (mut x, mut weights) = (vec![0.0; 4], vec![0.0; 4]);
        let mut values = Vec::new();
        for i in 0..n {
            low.widen_row(i, &mut x);
            for j in 0..64 {
                mixing.widen_row(j, &mut weights);
                let inside: f64 = x.iter().zip(&weights).map(|(x, w)| x * w).sum();
                values.push((inside + apart * (i % 2) as f64) as f32);
            }
        }
        Matrix::from_f32(n, 64, values)
    }

    #[test]
    fn rows_that_bf16_can_tell_apart_get_it_and_tight_clusters_do_not() {
        let Some(single) = Kernel::coarse().next() else {
            eprintln!("skipped: this machine has no kernel for bf16");
            return;
        };
        let chosen = |matrix: &Matrix, demand: &Demand<'_>| {
            let points = Points::new(matrix, Metric::Euclidean, "x").unwrap();
            choose(&points, (0..matrix.n_rows() as u32).collect(), demand)
        };
        let next = |row: usize| vec![(row as u32 + 2) % 2000];
        for demand in [Demand::Nearest(5), Demand::NearerThan(&next)] {
            let wide = strong_directions(2000, 0.0);
            assert_eq!(chosen(&wide, &demand), single);
            let tight = strong_directions(2000, 1000.0);
            // Three products can tell more apart than one.
            let finer = |kernel: Kernel| kernel == Kernel::AmxSplit || !kernel.is_coarse();
            assert!(finer(chosen(&tight, &demand)));
        }
        let small = strong_directions(FEW_ROWS - 1, 0.0);
        assert!(!chosen(&small, &Demand::Nearest(5)).is_coarse());
    }

    #[test]
    fn a_bound_that_exact_distances_break_is_found_out() {
        let matrix = gaussian(200, 64, 3);
        let points = Points::new(&matrix, Metric::Euclidean, "x").unwrap();
        for kernel in kernels() {
            let order = (0..200).collect();
            let mut operand = pack(&points, order, kernel, &Demand::Nearest(5), None);
            let mut products = vec![0.0; 200 * 200];
            operand.products(0..200, 0..200, &mut Room::default(), &mut products);
            let mut verdict = Verdict::new(&points);
            let rows = products.chunks(200).enumerate().take(8);
            let sample: Vec<Sampled> = rows
                .map(|(p, row)| Sampled::of(&operand, p, row, &Demand::Nearest(5), &mut verdict))
                .collect();
            assert!(keeps_bound(&operand, &points, &sample), "{kernel:?}");
            // A kernel that promised to be exact would break its word.
            operand.bound.deny_errors();
            assert!(!keeps_bound(&operand, &points, &sample), "{kernel:?}");
        }
    }
}
