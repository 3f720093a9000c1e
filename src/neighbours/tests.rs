//! Every way of searching against the definition, over data that breaks careless arithmetic.

use ndarray::Array2;

use super::candidates::Candidates;
use super::{Kernel, Metric, NeighbourTable, Points, SearchOptions, Strategy};
use super::{Targets, count_ranks, pairs_within};
use super::{neighbour_table, order_distances, squared_distance};
use crate::error::Error;
use crate::input::Matrix;
use crate::progress::Silent;
use crate::random::SplitMix64;

/// Standard normal numbers (Box–Muller).
pub(super) fn gaussian(n: usize, d: usize, seed: u64) -> Matrix {
    let mut random = SplitMix64::new(seed);
    let values = (0..n * d)
        .map(|_| {
            let (u, v) = (1.0 - random.uniform(), random.uniform());
            ((-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()) as f32
        })
        .collect::<Vec<_>>();
    Matrix::from_f32(n, d, values)
}

fn map(matrix: &Matrix, f: impl Fn(usize, usize, f64) -> f64) -> Matrix {
    let (n, d) = (matrix.n_rows(), matrix.n_columns());
    let mut row = vec![0.0; d];
    let mut values = Vec::new();
    for i in 0..n {
        matrix.widen_row(i, &mut row);
        values.extend(row.iter().enumerate().map(|(j, &x)| f(i, j, x) as f32));
    }
    Matrix::from_f32(n, d, values)
}

/// Small layers of every kind that has broken a neighbour search somewhere.
pub(super) fn adversarial() -> Vec<(&'static str, Matrix)> {
    let base = gaussian(211, 37, 1);
    let lattice = |i: usize, j: usize, _: f64| ((i / 3usize.pow(j as u32 % 4)) % 3) as f64;
    let tight = |_: usize, _: usize, x: f64| 1000.0 + (x * 4.0).round() * 1e-4;
    let f64_cluster = {
        let wide = gaussian(150, 9, 4);
        let mut row = vec![0.0; 9];
        let mut values = Vec::new();
        for i in 0..150 {
            wide.widen_row(i, &mut row);
            let centre = if i % 2 == 0 { 1.0 } else { -5.0 };
            values.extend(row.iter().map(|x| centre + x * 1e-12));
        }
        Matrix::from_f64(150, 9, values)
    };
    vec![
        ("gaussian", base.clone()),
        ("shared offset", map(&base, |_, _, x| x + 1e4)),
        (
            "massive columns",
            map(
                &base,
                |i, j, x| if j < 3 { x + 1e3 * (i % 7) as f64 } else { x },
            ),
        ),
        (
            "massive rows",
            map(&base, |i, _, x| if i % 40 == 0 { x * 1e3 } else { x }),
        ),
        (
            "massive equal rows",
            map(
                &base,
                |i, j, x| if i % 50 == 0 { 900.0 + j as f64 } else { x },
            ),
        ),
        (
            "duplicates",
            map(&base, |i, j, x| if i % 3 == 0 { j as f64 } else { x }),
        ),
        ("all equal", map(&base, |_, j, _| j as f64)),
        ("lattice", map(&gaussian(243, 8, 2), lattice)),
        ("tiny", map(&base, |_, _, x| x * 1e-25)),
        ("huge", map(&base, |_, _, x| x * 1e25)),
        ("denormal", map(&base, |_, _, x| x * 1e-41)),
        (
            "mixed scales",
            map(&base, |_, j, x| x * 10f64.powi(j as i32 - 18)),
        ),
        ("tighter than f32 resolves", map(&base, tight)),
        ("tighter than any f32", f64_cluster),
        ("one column", gaussian(301, 1, 6)),
        ("two columns", gaussian(301, 2, 7)),
        ("wide", gaussian(64, 2000, 8)),
        ("very wide", gaussian(53, 20_000, 8)),
        ("power of two", gaussian(256, 16, 9)),
        ("no columns", Matrix::from_f32(60, 0, Vec::new())),
    ]
}

/// Every kernel of this machine, the portable one first; says which it lacks.
///
/// `REPGEO_TEST_KERNELS` names some of them, for a machine on which all would take hours.
pub(super) fn kernels() -> Vec<Kernel> {
    let asked = std::env::var("REPGEO_TEST_KERNELS").ok();
    let is_asked = |kernel: &Kernel| match &asked {
        Some(names) => names.split(',').any(|name| name == kernel.as_str()),
        None => *kernel != Kernel::Auto,
    };
    let (here, missing): (Vec<Kernel>, Vec<Kernel>) = Kernel::ALL
        .into_iter()
        .filter(is_asked)
        .partition(|kernel| kernel.is_available());
    for kernel in missing {
        eprintln!("skipped: this machine has no {} kernel", kernel.as_str());
    }
    here
}

/// The definition, written without any code of the search.
fn by_definition(matrix: &Matrix, k: usize) -> NeighbourTable {
    let (n, d) = (matrix.n_rows(), matrix.n_columns());
    let rows: Vec<Vec<f64>> = (0..n)
        .map(|i| {
            let mut row = vec![0.0; d];
            matrix.widen_row(i, &mut row);
            row
        })
        .collect();
    let mut table = NeighbourTable {
        indices: Array2::zeros((n, k)),
        distances: Array2::zeros((n, k)),
    };
    for i in 0..n {
        let mut all: Vec<(f64, u32)> = (0..n)
            .filter(|&j| j != i)
            .map(|j| (squared_distance(&rows[i], &rows[j]), j as u32))
            .collect();
        all.sort_by(|a, b| a.partial_cmp(b).unwrap());
        for (m, &(squared, j)) in all[..k].iter().enumerate() {
            table.indices[[i, m]] = j;
            table.distances[[i, m]] = squared.sqrt();
        }
    }
    table
}

fn table(matrix: &Matrix, k: usize, strategy: Strategy, tile: Option<usize>) -> NeighbourTable {
    let options = SearchOptions {
        strategy,
        tile,
        ..SearchOptions::default()
    };
    table_by(matrix, k, &options)
}

fn table_by(matrix: &Matrix, k: usize, options: &SearchOptions) -> NeighbourTable {
    let points = Points::new(matrix, Metric::Euclidean, "test").unwrap();
    neighbour_table(&points, k, options, &Silent).unwrap()
}

/// The sweep with tiles of `tile` rows and one kernel after the other.
fn sweeps(tile: Option<usize>) -> Vec<SearchOptions> {
    let with = |kernel| SearchOptions {
        strategy: Strategy::Sweep,
        tile,
        kernel,
        ..SearchOptions::default()
    };
    kernels().into_iter().map(with).collect()
}

fn with_threads<R: Send>(threads: usize, work: impl FnOnce() -> R + Send) -> R {
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .unwrap()
        .install(work)
}

#[test]
fn every_strategy_returns_the_definition_on_adversarial_data() {
    for (name, matrix) in adversarial() {
        for k in [1, 2, 10, 40] {
            let truth = by_definition(&matrix, k);
            for strategy in [Strategy::Auto, Strategy::Direct, Strategy::Tree] {
                // A tree over thousands of columns is a slow scan; once is enough.
                if strategy == Strategy::Tree && matrix.n_columns() > 100 && k > 1 {
                    continue;
                }
                assert!(
                    table(&matrix, k, strategy, None) == truth,
                    "{name}, k = {k}, {strategy:?}"
                );
            }
            for options in sweeps(None) {
                assert!(
                    table_by(&matrix, k, &options) == truth,
                    "{name}, k = {k}, {options:?}"
                );
            }
        }
    }
}

#[test]
fn k_up_to_all_other_rows_equals_a_full_sort() {
    for (name, matrix) in adversarial() {
        let k = matrix.n_rows() - 1;
        let truth = by_definition(&matrix, k);
        for options in sweeps(None) {
            assert!(
                table_by(&matrix, k, &options) == truth,
                "{name}, {options:?}"
            );
        }
        assert_eq!(
            table(&matrix, k + 5, Strategy::Sweep, None).k(),
            k,
            "{name}"
        );
    }
}

#[test]
fn tiles_and_threads_change_no_byte() {
    for (name, matrix) in adversarial() {
        let truth = by_definition(&matrix, 7);
        for tile in [1, 7, 64, 1000] {
            for threads in [1, 2, 3] {
                for options in sweeps(Some(tile)) {
                    let found = with_threads(threads, || table_by(&matrix, 7, &options));
                    assert!(found == truth, "{name}, {threads} threads, {options:?}");
                }
            }
        }
    }
}

#[test]
fn order_distances_equal_the_columns_of_the_full_table() {
    for (name, matrix) in adversarial() {
        let n = matrix.n_rows();
        let truth = by_definition(&matrix, n - 1);
        let orders: Vec<usize> = [1, 2, 3, 4, 8, 16, 32, n / 2, n - 1, n, n + 9].into();
        let points = Points::new(&matrix, Metric::Euclidean, name).unwrap();
        let strategies = [Strategy::Auto, Strategy::Direct].map(|strategy| SearchOptions {
            strategy,
            ..SearchOptions::default()
        });
        let panels = sweeps(None).into_iter().map(|options| SearchOptions {
            strategy: Strategy::Panel,
            ..options
        });
        for options in strategies.into_iter().chain(panels).chain(sweeps(None)) {
            let found = order_distances(&points, &orders, &options, &Silent).unwrap();
            assert_eq!(found.n(), n);
            assert_eq!(found.get(n), None);
            for &order in orders.iter().filter(|&&order| order < n) {
                let column = truth.distances_of_order(order).to_vec();
                assert!(
                    found.get(order).unwrap() == column,
                    "{name} {options:?} {order}"
                );
            }
        }
    }
}

#[test]
fn a_layer_larger_than_several_tiles_is_right_too() {
    let matrix = gaussian(1500, 24, 11);
    let truth = by_definition(&matrix, 20);
    for (threads, options) in [1, 4].into_iter().zip(sweeps(None)) {
        let found = with_threads(threads, || table_by(&matrix, 20, &options));
        assert!(found == truth, "{options:?}");
    }
    assert!(table(&matrix, 20, Strategy::Auto, None) == truth);
    let points = Points::new(&matrix, Metric::Euclidean, "test").unwrap();
    let full = by_definition(&matrix, 1499);
    let orders = [1, 2, 128, 256, 512, 700, 1024, 1499];
    for kernel in kernels() {
        let options = SearchOptions {
            strategy: Strategy::Panel,
            kernel,
            ..SearchOptions::default()
        };
        let found = order_distances(&points, &orders, &options, &Silent).unwrap();
        for order in orders {
            assert!(
                found.get(order).unwrap() == full.distances_of_order(order).to_vec(),
                "{kernel:?} {order}"
            );
        }
    }
}

#[test]
fn stored_precision_and_its_f32_and_f64_copies_agree() {
    use half::{bf16, f16};
    let base = gaussian(300, 20, 3);
    let mut row = vec![0.0; 20];
    let mut coarse = Vec::new();
    for i in 0..300 {
        base.widen_row(i, &mut row);
        coarse.extend(row.iter().map(|&x| f32::from(bf16::from_f64(x))));
    }
    // A bf16 value of moderate size is exact in each of the four types.
    let halves: Vec<f16> = coarse.iter().map(|&x| f16::from_f32(x)).collect();
    assert!(
        halves
            .iter()
            .zip(&coarse)
            .filter(|(h, x)| f32::from(**h) == **x)
            .count()
            > 5900
    );
    let exact: Vec<f32> = halves.iter().map(|&h| f32::from(h)).collect();
    let wide: Vec<f64> = exact.iter().map(|&x| f64::from(x)).collect();
    let truth = by_definition(&Matrix::from_f32(300, 20, exact.clone()), 12);
    for matrix in [
        Matrix::from_f16(300, 20, halves),
        Matrix::from_f32(300, 20, exact),
        Matrix::from_f64(300, 20, wide),
    ] {
        assert!(
            table(&matrix, 12, Strategy::Sweep, None) == truth,
            "{matrix:?}"
        );
    }
    let brain: Vec<bf16> = coarse.iter().map(|&x| bf16::from_f32(x)).collect();
    let truth = by_definition(&Matrix::from_f32(300, 20, coarse), 12);
    assert!(
        table(
            &Matrix::from_bf16(300, 20, brain),
            12,
            Strategy::Sweep,
            None
        ) == truth
    );
}

#[test]
fn permuted_rows_give_the_same_neighbours_under_their_new_names() {
    let matrix = gaussian(400, 12, 13);
    let order: Vec<u32> = SplitMix64::new(5)
        .choose(400, 400)
        .into_iter()
        .map(|i| i as u32)
        .collect();
    let here = table(&matrix, 9, Strategy::Sweep, None);
    let there = table(&matrix.select(&order), 9, Strategy::Sweep, None);
    for (new, &old) in order.iter().enumerate() {
        assert_eq!(there.distances.row(new), here.distances.row(old as usize));
        let named: Vec<u32> = there
            .indices
            .row(new)
            .iter()
            .map(|&j| order[j as usize])
            .collect();
        assert_eq!(named, here.indices.row(old as usize).to_vec());
    }
}

#[test]
fn cosine_is_the_chord_and_forgets_lengths() {
    let matrix = gaussian(200, 15, 17);
    let longer = map(&matrix, |i, _, x| x * 2f64.powi((i % 5) as i32));
    let search = |matrix: &Matrix| {
        let points = Points::new(matrix, Metric::Cosine, "test").unwrap();
        neighbour_table(&points, 5, &SearchOptions::default(), &Silent).unwrap()
    };
    let (a, b) = (search(&matrix), search(&longer));
    assert!(a == b, "powers of two scale exactly");
    let (mut x, mut y) = (vec![0.0; 15], vec![0.0; 15]);
    matrix.widen_row(0, &mut x);
    matrix.widen_row(a.indices[[0, 0]] as usize, &mut y);
    let dot: f64 = x.iter().zip(&y).map(|(x, y)| x * y).sum();
    let norm = |v: &[f64]| v.iter().map(|x| x * x).sum::<f64>().sqrt();
    let chord = (2.0 - 2.0 * dot / norm(&x) / norm(&y)).sqrt();
    assert!((a.distances[[0, 0]] - chord).abs() < 1e-12);
}

#[test]
fn few_rows_have_few_neighbours() {
    for n in [0, 1, 2, 3] {
        let matrix = gaussian(n, 4, 1);
        let found = table(&matrix, 5, Strategy::Auto, None);
        assert_eq!((found.n(), found.k()), (n, n.saturating_sub(1)));
    }
}

#[test]
fn the_worked_example_on_a_line() {
    let matrix = Matrix::from_f64(3, 3, vec![0.0, 0.0, 0.0, 0.5, 0.0, 0.0, 0.9, 0.0, 0.0]);
    let found = table(&matrix, 2, Strategy::Auto, None);
    assert_eq!(found.indices, ndarray::arr2(&[[1, 2], [2, 0], [1, 0]]));
    assert_eq!(
        found.distances,
        ndarray::arr2(&[[0.5, 0.9], [0.4, 0.5], [0.4, 0.9]])
    );
}

#[test]
fn values_that_cannot_be_compared_are_refused_by_name() {
    let refuse = |values: Vec<f64>, metric| {
        Points::new(&Matrix::from_f64(2, 2, values), metric, "blocks.3")
            .err()
            .unwrap()
            .to_string()
    };
    let text = refuse(vec![0.0, 1.0, f64::NAN, 0.0], Metric::Euclidean);
    assert!(
        text.contains("blocks.3") && text.contains("row 1, column 0"),
        "{text}"
    );
    assert!(refuse(vec![0.0, 1.0, 0.0, 1e200], Metric::Euclidean).contains("rescale"));
    assert!(refuse(vec![0.0, 0.0, 0.0, 1e-200], Metric::Euclidean).contains("rescale"));
    let zero = Matrix::from_f64(2, 2, vec![0.0; 4]);
    assert!(Points::new(&zero, Metric::Euclidean, "zero").is_ok());
    assert!(refuse(vec![0.0, 0.0, 0.0, 1.0], Metric::Cosine).contains("row 0 is all zero"));
}

#[test]
fn a_limit_on_memory_changes_no_byte_and_one_too_low_says_what_is_needed() {
    let matrix = gaussian(1500, 48, 3);
    let points = Points::new(&matrix, Metric::Euclidean, "layer").unwrap();
    for kernel in kernels() {
        with_threads(2, || {
            let under = |max_memory| SearchOptions {
                kernel,
                max_memory,
                ..SearchOptions::default()
            };
            let free = under(None);
            let table = neighbour_table(&points, 7, &free, &Silent).unwrap();
            let refused = neighbour_table(&points, 7, &under(Some(1)), &Silent).unwrap_err();
            let Error::Memory { needed, .. } = refused else {
                panic!("{refused}");
            };
            // Less than the packed rows alone, so they cannot all have been packed at once.
            let lists = 1500 * (64 + 24 * 7 + Candidates::bytes(7));
            assert!(needed < lists + 1500 * kernel.packed_row(48), "{needed}");
            let least = under(Some(needed));
            assert_eq!(neighbour_table(&points, 7, &least, &Silent).unwrap(), table);

            let radii = [table.distances[[3, 6]], table.distances[[8, 6]]];
            let short = table.distances.slice(ndarray::s![.., ..2]);
            let pairs = pairs_within(&points, short, radii, &free);
            assert_eq!(pairs_within(&points, short, radii, &least), pairs);

            let targets = Targets {
                rows: table.indices.slice(ndarray::s![.., 2..4]),
                groups: &[0..1, 1..2],
            };
            let ranks = |options: &SearchOptions| count_ranks(&points, &targets, options, &Silent);
            let Err(Error::Memory { needed, .. }) = ranks(&under(Some(1))) else {
                panic!("one byte is no room");
            };
            let counts = ranks(&free).unwrap();
            assert_eq!(ranks(&under(Some(needed))).unwrap(), counts);

            let orders = |options: &SearchOptions| {
                order_distances(&points, &[1, 3, 9], options, &Silent).map(|found| found.distances)
            };
            assert_eq!(orders(&least).unwrap(), orders(&free).unwrap());
            let far = order_distances(&points, &[700], &least, &Silent);
            assert!(
                matches!(far, Err(Error::Memory { .. })),
                "panels need all rows"
            );
        });
    }
}
