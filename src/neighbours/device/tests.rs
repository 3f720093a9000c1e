//! The plan against the definition, on the twin of a device.

use super::host::{Host, Ills, WELL};
use super::machine::{Fault, Layout, Machine};
use super::plan::{MOST, capacity, nearest};
use crate::input::Matrix;
use crate::neighbours::table::{TableRow, assemble};
use crate::neighbours::tests::{adversarial, gaussian};
use crate::neighbours::{
    Metric, NeighbourTable, Points, SearchOptions, Strategy, cross_table, neighbour_table,
};
use crate::progress::Silent;

fn by_plan(host: &mut Host<'_>, points: &Points<'_>, k: usize) -> NeighbourTable {
    let lists = nearest(host, points, k, &[], &Silent).unwrap();
    let layout = host.layout();
    let first = if layout.is_symmetric() {
        0
    } else {
        layout.targets.len()
    };
    let seekers = layout.order[layout.seekers.clone()].iter();
    let rows = seekers.zip(lists);
    let rows = rows.map(|(&row, list)| TableRow::new(row - first as u32, list.into_iter()));
    assemble(layout.seekers.len(), k, rows.collect())
}

fn by_scan(points: &Points<'_>, k: usize) -> NeighbourTable {
    let options = SearchOptions {
        strategy: Strategy::Direct,
        ..SearchOptions::default()
    };
    neighbour_table(points, k, &options, &Silent).unwrap()
}

#[test]
fn the_plan_finds_what_a_scan_finds_whatever_the_rows_tiles_and_k() {
    let (mut overflows, mut crowds) = (0, 0);
    for (name, matrix) in adversarial() {
        if !(1..3000).contains(&matrix.n_columns()) {
            continue;
        }
        for metric in [Metric::Euclidean, Metric::Cosine] {
            let Ok(points) = Points::new(&matrix, metric, name) else {
                // A repeated row of zeros has no direction.
                assert_eq!(metric, Metric::Cosine, "{name}");
                continue;
            };
            let n = matrix.n_rows();
            for (k, tile) in [(1, 4), (7, 4), (7, 16), (10, 64), (n - 1, 16)] {
                let mut host = Host::whole(&points, tile);
                let found = by_plan(&mut host, &points, k);
                assert!(
                    found == by_scan(&points, k),
                    "{name}, {metric:?}, {k}, {tile}"
                );
                overflows += host.overflows;
                crowds += host.crowds;
            }
        }
    }
    // What is rare must have happened here.
    assert!(
        overflows > 30 && crowds > 1000,
        "{overflows} overflows, {crowds} crowds"
    );
}

#[test]
fn queries_from_another_dump_find_what_the_processor_finds() {
    for (name, matrix) in adversarial() {
        if !(1..3000).contains(&matrix.n_columns()) {
            continue;
        }
        let (n, width) = (matrix.n_rows(), matrix.n_columns());
        let mut values = vec![0.0; 50 * width];
        for (i, row) in values.chunks_mut(width).enumerate() {
            matrix.widen_row(i * n / 50, row);
            row.iter_mut().for_each(|x| *x *= 1.0 + (i % 3) as f64);
        }
        let there = Matrix::from_f64(50, width, values);
        let points = Points::new(&matrix, Metric::Euclidean, name).unwrap();
        let queries = Points::new(&there, Metric::Euclidean, name).unwrap();
        let both = points.with_queries(&queries);
        for (k, tile) in [(1, 4), (5, 16), (n, 16)] {
            let truth =
                cross_table(&points, &queries, k, &SearchOptions::default(), &Silent).unwrap();
            let found = by_plan(&mut Host::whole(&both, tile), &both, k);
            assert!(found == truth, "{name}, {k}, {tile}");
        }
    }
}

#[test]
fn lists_overflow_where_rows_come_in_crowds_and_nothing_is_lost() {
    // Half the rows in one tight cluster that bf16 does not resolve, and repeated rows.
    let wide = gaussian(600, 20, 3);
    let mut values = vec![0.0; 600 * 20];
    for (i, row) in values.chunks_mut(20).enumerate() {
        wide.widen_row(if i % 7 == 0 { 7 } else { i }, row);
        if i % 2 == 0 {
            row.iter_mut().for_each(|x| *x = 40.0 + *x * 1e-6);
        }
    }
    let matrix = Matrix::from_f64(600, 20, values);
    let points = Points::new(&matrix, Metric::Euclidean, "x").unwrap();
    let mut host = Host::whole(&points, 4);
    assert!(by_plan(&mut host, &points, 5) == by_scan(&points, 5));
    assert!(host.overflows > 0 && host.crowds > 0);
}

#[test]
fn products_that_break_their_bound_are_found_out() {
    let matrix = gaussian(300, 40, 1);
    let points = Points::new(&matrix, Metric::Euclidean, "x").unwrap();
    let mut host = Host::whole(&points, 16);
    host.ills = Ills { lie: 0.5, ..WELL };
    let found = nearest(&mut host, &points, 5, &[], &Silent);
    assert_eq!(
        found.err(),
        Some(Fault("its products break their bound".into()))
    );
}

#[test]
fn rows_that_arrived_garbled_are_found_out() {
    let matrix = gaussian(300, 40, 1);
    let points = Points::new(&matrix, Metric::Euclidean, "x").unwrap();
    let mut host = Host::whole(&points, 16);
    host.ills = Ills {
        garble: 1.0 + f64::EPSILON,
        ..WELL
    };
    let found = nearest(&mut host, &points, 5, &[], &Silent);
    assert_eq!(
        found.err(),
        Some(Fault("its distances are not the processor's".into()))
    );
}

#[test]
fn a_pruned_list_has_room_for_one_more_diagonal() {
    for (k, tile) in [(1, 4), (30, 128), (500, 128), (MOST, 128)] {
        let capacity = capacity(k, tile);
        assert!(capacity / 2 >= k && capacity - capacity / 2 >= 2 * tile);
    }
}

#[test]
fn every_pair_of_tiles_meets_once() {
    for n in [1, 4, 5, 8, 9, 31, 32, 33] {
        let layout = Layout::among(&(0..n as u32).collect::<Vec<_>>(), 4);
        let tiles = layout.tiles();
        let mut met = vec![0; tiles * tiles];
        for d in 0..layout.diagonals() {
            for a in (0..tiles).filter(|&a| 2 * d != tiles || a < d) {
                let b = (a + d) % tiles;
                met[a * tiles + b] += 1;
                if a != b {
                    met[b * tiles + a] += 1;
                }
            }
        }
        assert!(met.iter().all(|&times| times == 1), "{n}");
    }
}
