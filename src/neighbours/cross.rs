//! Queries from another dump: which rows of this one are nearest to each of its rows.

use rayon::prelude::*;

use super::candidates::Candidates;
use super::filter::{Demand, pack};
use super::memory::{Needs, tile_height};
use super::options::SearchOptions;
use super::points::{Points, Verdict};
use super::ranks::nearest;
use super::sweep::{Tile, Worker};
use super::table::{TableRow, by_distance_then_row, index};
use super::visiting::visiting_order;
use crate::error::Result;
use crate::progress::Progress;

/// Rows of a tile, and columns that are multiplied with them at once.
const TILE: usize = 512;

/// The `k` nearest rows of `points`, at most all, to each row of `queries`, of which there are some.
///
/// The same kernels and verdicts as the symmetric sweep: M·N·D multiply-adds for M queries.
pub(super) fn nearest_to(
    points: &Points<'_>,
    queries: &Points<'_>,
    k: usize,
    options: &SearchOptions,
    progress: &dyn Progress,
) -> Result<Vec<TableRow>> {
    let (n, m) = (points.n_rows(), queries.n_rows());
    let both = points.with_queries(queries);
    let needs = Needs {
        asking: both.n_rows(),
        every: 0,
        row: 24 * k as u64 + Candidates::bytes(k),
        thread: 0,
    };
    let height = tile_height(&both, &needs, options)?;
    let mut order = visiting_order(n);
    order.extend(index(n)..index(n + m));
    let operand = pack(&both, order, options.kernel, &Demand::Nearest(k), height);
    let side = options.tile.unwrap_or(TILE).max(1);
    let few = m.div_ceil(2 * rayon::current_num_threads()).max(1);
    let tiles: Vec<_> = (n..n + m)
        .step_by(side.min(few))
        .map(|start| start..(start + side.min(few)).min(n + m))
        .collect();
    progress.begin("neighbours", tiles.len() as u64);
    let rows: Vec<TableRow> = tiles
        .into_par_iter()
        .map_init(
            || (Worker::new(&both, &operand), Verdict::new(&both)),
            |(worker, verdict), positions| {
                let mut tile = Tile::new(&operand, positions, k);
                let rows = tile.positions();
                worker.open(&mut tile, &rows, 0..side.min(n));
                for start in (side..n).step_by(side) {
                    let mut others = Tile::without_lists(&operand, start..(start + side).min(n));
                    worker.visit(&mut tile, &mut others);
                }
                progress.advance(1);
                tile.finish(&operand, verdict, |p, list, verdict| {
                    let mut judged = nearest(&operand, p, k, list, verdict);
                    judged.sort_unstable_by(by_distance_then_row);
                    TableRow::new(index(p - n), judged.into_iter().take(k))
                })
            },
        )
        .flatten_iter()
        .collect();
    progress.end();
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use crate::input::Matrix;
    use crate::neighbours::cross_table;
    use crate::neighbours::tests::{adversarial, gaussian, kernels};
    use crate::neighbours::{Metric, squared_distance};
    use crate::progress::Silent;

    /// The definition.
    fn by_definition(points: &Points<'_>, queries: &Points<'_>, k: usize) -> Vec<Vec<(f64, u32)>> {
        let rows = |points: &Points<'_>| -> Vec<Vec<f64>> {
            let row = |i| {
                let mut row = vec![0.0; points.n_columns()];
                points.row(i, &mut row);
                row
            };
            (0..points.n_rows()).map(row).collect()
        };
        let (targets, sources) = (rows(points), rows(queries));
        let nearest = |query: &Vec<f64>| {
            let mut all: Vec<(f64, u32)> = (0..)
                .zip(&targets)
                .map(|(j, target)| (squared_distance(query, target).sqrt(), j))
                .collect();
            all.sort_by(|a, b| a.partial_cmp(b).unwrap());
            all.truncate(k);
            all
        };
        sources.iter().map(nearest).collect()
    }

    fn check(name: &str, here: &Matrix, there: &Matrix, metric: Metric, options: &SearchOptions) {
        let points = Points::new(here, metric, name).unwrap();
        let queries = Points::new(there, metric, name).unwrap();
        let found = cross_table(&points, &queries, 7, options, &Silent).unwrap();
        for (i, expected) in by_definition(&points, &queries, 7).into_iter().enumerate() {
            let (distances, rows): (Vec<f64>, Vec<u32>) = expected.into_iter().unzip();
            assert_eq!(found.indices.row(i).to_vec(), rows, "{name} {i}");
            assert_eq!(found.distances.row(i).to_vec(), distances, "{name} {i}");
        }
    }

    #[test]
    fn nearest_rows_of_another_dump_are_those_of_the_definition() {
        for (name, matrix) in adversarial().into_iter().filter(|(_, m)| m.n_columns() > 0) {
            // Queries near the rows, among them the rows themselves, and far away.
            let n = matrix.n_rows();
            let mut values = vec![0.0; n * matrix.n_columns()];
            for (i, row) in values.chunks_mut(matrix.n_columns()).enumerate() {
                matrix.widen_row(i, row);
                row.iter_mut().for_each(|x| *x *= 1.0 + (i % 3) as f64);
            }
            let there = Matrix::from_f64(n, matrix.n_columns(), values);
            for kernel in kernels() {
                for tile in [None, Some(7)] {
                    let options = SearchOptions {
                        kernel,
                        tile,
                        ..SearchOptions::default()
                    };
                    check(name, &matrix, &there, Metric::Euclidean, &options);
                }
            }
        }
    }

    #[test]
    fn cosine_threads_and_limits_change_nothing() {
        let (here, there) = (gaussian(2000, 64, 1), gaussian(90, 64, 2));
        for (kernel, threads) in kernels().into_iter().flat_map(|k| [(k, 1), (k, 3)]) {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            pool.build().unwrap().install(|| {
                for metric in [Metric::Cosine, Metric::Euclidean] {
                    let under = |max_memory| SearchOptions {
                        kernel,
                        max_memory,
                        ..SearchOptions::default()
                    };
                    let points = Points::new(&here, metric, "here").unwrap();
                    let queries = Points::new(&there, metric, "there").unwrap();
                    let refused = cross_table(&points, &queries, 7, &under(Some(1)), &Silent);
                    let Err(Error::Memory { needed, .. }) = refused else {
                        panic!("one byte is no room");
                    };
                    // Not all rows can be packed at once.
                    let lists = 2090 * (64 + 24 * 7 + Candidates::bytes(7));
                    assert!(needed < lists + 2090 * kernel.packed_row(64), "{needed}");
                    for max_memory in [None, Some(needed)] {
                        check("gaussian", &here, &there, metric, &under(max_memory));
                    }
                }
            });
        }
    }

    #[test]
    fn few_rows_have_few_neighbours_and_no_query_has_none() {
        let (here, there) = (gaussian(3, 5, 1), gaussian(4, 5, 2));
        let points = Points::new(&here, Metric::Euclidean, "here").unwrap();
        let queries = Points::new(&there, Metric::Euclidean, "there").unwrap();
        let table = cross_table(&points, &queries, 9, &SearchOptions::default(), &Silent).unwrap();
        assert_eq!(table.indices.dim(), (4, 3));
    }
}
