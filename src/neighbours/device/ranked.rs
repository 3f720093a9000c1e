//! Tests of rank counts on the twin of a device: the counts of the processor.

use ndarray::Array2;

use super::host::{Ills, WELL};
use super::machine::Aim;
use super::shared::{Notes, layers, named, on, with_aim};
use crate::neighbours::searcher::Searcher;
use crate::neighbours::tests::gaussian;
use crate::neighbours::{
    Metric, Points, RankCounts, SearchOptions, Strategy, Targets, count_ranks,
};
use crate::progress::Silent;

/// Targets near, far, in between and twice.
fn some_targets(n: usize, count: usize) -> Array2<u32> {
    Array2::from_shape_fn((n, count), |(i, t)| {
        let shift = match t {
            0 | 1 => 1,
            2 => n / 2,
            3 => n - 1,
            _ => 1 + (13 * t) % (n - 1),
        };
        ((i + shift) % n) as u32
    })
}

fn by_scan(points: &Points<'_>, targets: &Targets<'_>) -> RankCounts {
    let options = SearchOptions {
        strategy: Strategy::Direct,
        ..SearchOptions::default()
    };
    count_ranks(points, targets, &options, &Silent).unwrap()
}

#[test]
fn ranks_are_those_of_a_scan_whatever_the_rows_and_the_memory() {
    let ways = [
        (Metric::Euclidean, &[132, 150][..]),
        (Metric::Cosine, &[60]),
    ];
    // Every layer goes one way, the ways take turns.
    for ((name, matrix), (metric, rooms)) in layers().zip(ways.into_iter().cycle()) {
        let (n, groups) = (matrix.n_rows(), [0..1, 0..4, 2..2, 3..7]);
        let rows = some_targets(n, 7);
        let targets = Targets {
            rows: rows.view(),
            groups: &groups,
        };
        let points = match Points::new(&matrix, metric, name) {
            Ok(points) => points,
            // A row of zeros has no direction.
            Err(_) => Points::new(&matrix, Metric::Euclidean, name).unwrap(),
        };
        let aim = Aim::Ranks {
            wanted: 7,
            groups: 4,
        };
        let stations = ["a", "b"].into_iter().zip(rooms);
        let stations = stations.map(|(name, &rows)| with_aim(name, rows, &points, aim));
        let searcher = on(stations.collect(), named());
        let notes = Notes::default();
        let found = searcher.ranks(&points, &(0..n), &targets, &notes).unwrap();
        assert_eq!(found, by_scan(&points, &targets), "{name}, {metric:?}");
        let told = notes.0.into_inner().unwrap();
        assert!(told.is_empty(), "{name}: {told:?}");
    }
}

#[test]
fn ranks_of_a_part_of_the_rows_add_up() {
    let matrix = gaussian(150, 20, 3);
    let points = Points::new(&matrix, Metric::Euclidean, "x").unwrap();
    let rows = some_targets(150, 5);
    let groups = [0..2, 1..5];
    let whole = by_scan(
        &points,
        &Targets {
            rows: rows.view(),
            groups: &groups,
        },
    );
    let aim = Aim::Ranks {
        wanted: 5,
        groups: 2,
    };
    let searcher = on(vec![with_aim("a", 40, &points, aim)], named());
    let mut nearer = Array2::zeros((150, 2));
    for part in [0..41, 41..42, 42..150] {
        let targets = Targets {
            rows: rows.slice(ndarray::s![part.clone(), ..]),
            groups: &groups,
        };
        let found = searcher.ranks(&points, &part, &targets, &Silent).unwrap();
        assert_eq!(found.ranks, whole.ranks.slice(ndarray::s![part, ..]));
        nearer += &found.nearer;
    }
    assert_eq!(nearer, whole.nearer);
}

#[test]
fn a_device_that_counts_wrong_is_found_out() {
    let matrix = gaussian(200, 24, 5);
    let points = Points::new(&matrix, Metric::Euclidean, "layer").unwrap();
    let rows = some_targets(200, 4);
    let groups = [0..4, 1..2];
    let targets = Targets {
        rows: rows.view(),
        groups: &groups,
    };
    let truth = by_scan(&points, &targets);
    let aim = Aim::Ranks {
        wanted: 4,
        groups: 2,
    };
    let lies = Ills { lie: 0.5, ..WELL };
    let stutters = Ills { stutter: 7, ..WELL };
    let dies = Ills { visits: 0, ..WELL };
    for (ills, fact) in [
        (lies, "its ranks are not those of the exact distances"),
        (stutters, "its ranks are not those of the exact distances"),
        (dies, "it fell off the bus"),
    ] {
        let mut station = with_aim("a", 200, &points, aim);
        station.ills = ills;
        let notes = Notes::default();
        let searcher = on(vec![station], named());
        let found = searcher
            .ranks(&points, &(0..200), &targets, &notes)
            .unwrap();
        assert_eq!(found, truth, "{ills:?}");
        let told = notes.0.into_inner().unwrap();
        assert_eq!(told, [format!("layer: a: {fact}, the processor goes on")]);
    }
}
