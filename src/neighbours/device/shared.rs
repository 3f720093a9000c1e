//! Tests of searches whose rows are shared among devices, or do not fit on one: the bytes of a scan.

use std::sync::{Arc, Mutex};

use super::host::{HostStation, Ills, WELL};
use super::machine::{Aim, Fault, Station};
use super::searcher::OnDevice;
use crate::input::Matrix;
use crate::neighbours::searcher::Searcher;
use crate::neighbours::table::assemble;
use crate::neighbours::tests::{adversarial, gaussian};
use crate::neighbours::{
    Metric, NeighbourTable, Points, SearchOptions, Strategy, cross_table, neighbour_table,
};
use crate::progress::{Progress, Silent};

/// A searcher that has these devices, whatever their number.
pub(super) fn on(stations: Vec<HostStation>, options: SearchOptions) -> OnDevice {
    let stations: Vec<Arc<dyn Station>> = stations
        .into_iter()
        .map(|station| Arc::new(station) as Arc<dyn Station>)
        .collect();
    OnDevice::of(options, Box::new(move |_| Ok(stations.clone())))
}

pub(super) fn named() -> SearchOptions {
    SearchOptions {
        device: "cuda".parse().unwrap(),
        ..SearchOptions::default()
    }
}

fn by_scan(points: &Points<'_>, k: usize) -> NeighbourTable {
    let options = SearchOptions {
        strategy: Strategy::Direct,
        ..SearchOptions::default()
    };
    neighbour_table(points, k, &options, &Silent).unwrap()
}

fn with_room(name: &'static str, rows: usize, points: &Points<'_>, k: usize) -> HostStation {
    with_aim(name, rows, points, Aim::Nearest(k))
}

/// A device with memory for this number of rows that seek, and as many others.
pub(super) fn with_aim(
    name: &'static str,
    rows: usize,
    points: &Points<'_>,
    aim: Aim,
) -> HostStation {
    let mut station = HostStation {
        name,
        free: 0,
        tile: 4,
        ills: WELL,
    };
    let costs = station.costs(points, aim);
    station.free = costs.fixed + rows as u64 * (costs.seeker + costs.target);
    station
}

/// Writes down what the user is told.
#[derive(Default)]
pub(super) struct Notes(pub(super) Mutex<Vec<String>>);

impl Progress for Notes {
    fn begin(&self, _label: &str, _total: u64) {}
    fn advance(&self, _steps: u64) {}
    fn end(&self) {}
    fn note(&self, text: &str) {
        self.0.lock().unwrap().push(text.to_owned());
    }
}

/// Layers of some hundred rows that break careless arithmetic.
pub(super) fn layers() -> impl Iterator<Item = (&'static str, Matrix)> {
    let equal = Matrix::from_f32(97, 5, vec![2.5; 97 * 5]);
    let small =
        |(_, matrix): &(&str, Matrix)| (1..80).contains(&matrix.n_columns()) && matrix.n_rows() > 2;
    adversarial()
        .into_iter()
        .filter(small)
        .chain([("all rows equal", equal)])
}

#[test]
fn layers_beyond_the_memory_of_devices_have_the_bytes_of_a_scan() {
    for (name, matrix) in layers() {
        for metric in [Metric::Euclidean, Metric::Cosine] {
            let Ok(points) = Points::new(&matrix, metric, name) else {
                assert_eq!(metric, Metric::Cosine, "{name}");
                continue;
            };
            let n = matrix.n_rows();
            for (k, rooms) in [(1, &[40][..]), (7, &[132, 190]), (n - 1, &[132, 200, 140])] {
                let names = ["a", "b", "c"].into_iter();
                let stations = names
                    .zip(rooms)
                    .map(|(name, &rows)| with_room(name, rows, &points, k));
                let searcher = on(stations.collect(), named());
                let found = searcher.nearest(&points, &(0..n), k, &Silent).unwrap();
                assert!(
                    assemble(n, k, found) == by_scan(&points, k),
                    "{name}, {metric:?}, {k}, {rooms:?}"
                );
            }
        }
    }
}

#[test]
fn parts_of_a_layer_and_queries_of_another_dump_go_by_blocks_too() {
    for (name, matrix) in layers() {
        let (n, width) = (matrix.n_rows(), matrix.n_columns());
        let points = Points::new(&matrix, Metric::Euclidean, name).unwrap();
        let whole = by_scan(&points, 5.min(n - 1));
        let k = whole.k();
        let part = n / 3..n - n / 4;
        let searcher = on(vec![with_room("a", 24, &points, k)], named());
        let mut found = searcher.nearest(&points, &part, k, &Silent).unwrap();
        found
            .iter_mut()
            .for_each(|row| row.row -= part.start as u32);
        let found = assemble(part.len(), k, found);
        let rows = ndarray::s![part.clone(), ..];
        assert_eq!(found.indices, whole.indices.slice(rows), "{name}");
        assert_eq!(found.distances, whole.distances.slice(rows), "{name}");

        let mut values = vec![0.0; 30 * width];
        for (i, row) in values.chunks_mut(width).enumerate() {
            matrix.widen_row(i * n / 30, row);
            row.iter_mut().for_each(|x| *x *= 1.0 + (i % 3) as f64);
        }
        let there = Matrix::from_f64(30, width, values);
        let queries = Points::new(&there, Metric::Euclidean, name).unwrap();
        let truth = cross_table(&points, &queries, k, &SearchOptions::default(), &Silent).unwrap();
        let stations = [("a", 16), ("b", 30)].map(|(name, rows)| with_room(name, rows, &points, k));
        let searcher = on(stations.into(), named());
        let found = searcher.nearest_to(&points, &queries, k, &Silent).unwrap();
        assert!(assemble(30, k, found) == truth, "{name}");
    }
}

/// Devices of which some are ill, with what the user must be told; `None` where the processor has to
/// do it all.
fn ill(ills: &[Ills], wanted: &[&str]) {
    let matrix = gaussian(200, 24, 5);
    let points = Points::new(&matrix, Metric::Euclidean, "layer").unwrap();
    let truth = by_scan(&points, 6);
    let stations = ["a", "b", "c"]
        .into_iter()
        .zip(ills)
        .map(|(name, &ills)| HostStation {
            ills,
            ..with_room(name, 32, &points, 6)
        });
    let notes = Notes::default();
    let searcher = on(stations.collect(), named());
    let found = searcher.nearest(&points, &(0..200), 6, &notes).unwrap();
    assert!(assemble(200, 6, found) == truth, "{ills:?}");
    let mut told = notes.0.into_inner().unwrap();
    told.sort();
    assert_eq!(told, wanted, "{ills:?}");
}

#[test]
fn the_blocks_of_a_device_that_fails_go_to_the_others_or_to_the_processor() {
    let dies = |visits| Ills { visits, ..WELL };
    let lies = Ills { lie: 0.5, ..WELL };
    let garbles = Ills {
        garble: 1.0 + f64::EPSILON,
        ..WELL
    };
    ill(&[WELL, WELL, WELL], &[]);
    // A device may be done before another fails, so those who go on are asked again.
    for visits in [0, 1, 9] {
        ill(
            &[dies(visits), WELL],
            &["layer: a: it fell off the bus, the others go on"],
        );
    }
    ill(
        &[WELL, lies],
        &["layer: b: its products break their bound, the others go on"],
    );
    ill(
        &[garbles, WELL],
        &["layer: a: its distances are not the processor's, the others go on"],
    );
    ill(
        &[dies(0), dies(3)],
        &[
            "layer: a: it fell off the bus, the processor goes on",
            "layer: b: it fell off the bus, the processor goes on",
        ],
    );
}

#[test]
fn what_no_device_could_do_the_processor_does_row_for_row() {
    // Of two devices one does a block before the other fails; then it fails itself.
    let repeated = {
        let wide = gaussian(160, 8, 3);
        let mut values = vec![0.0; 160 * 8];
        for (i, row) in values.chunks_mut(8).enumerate() {
            wide.widen_row(if i % 3 == 0 { 0 } else { i }, row);
        }
        Matrix::from_f64(160, 8, values)
    };
    let points = Points::new(&repeated, Metric::Euclidean, "layer").unwrap();
    let searcher = on(vec![with_room("a", 40, &points, 4)], named());
    let search = super::cut::Search::of_rows(&points, &(0..160), 4);
    let truth = by_scan(&points, 4);
    for left in [vec![0, 3, 6, 9], vec![1, 159, 80], vec![]] {
        for found in searcher.rest(&search, &left, &Silent).unwrap() {
            assert!(left.contains(&found.row));
            let row = found.row as usize;
            assert_eq!(found.indices[..], truth.indices.row(row).to_vec()[..]);
            assert_eq!(found.distances[..], truth.distances.row(row).to_vec()[..]);
        }
    }
    let there = gaussian(20, 8, 9);
    let queries = Points::new(&there, Metric::Euclidean, "there").unwrap();
    let truth = cross_table(&points, &queries, 4, &SearchOptions::default(), &Silent).unwrap();
    let both = points.with_queries(&queries);
    let search = super::cut::Search::of_queries(&both, 4);
    let found = searcher.rest(&search, &[160, 165, 179], &Silent).unwrap();
    let rows: Vec<u32> = found.iter().map(|found| found.row).collect();
    assert_eq!(rows, [0, 5, 19]);
    for found in found {
        let row = found.row as usize;
        assert_eq!(found.indices[..], truth.indices.row(row).to_vec()[..]);
    }
}

#[test]
fn too_little_memory_is_an_error_by_name_and_a_note_by_auto() {
    let matrix = gaussian(200, 24, 5);
    let points = Points::new(&matrix, Metric::Euclidean, "layer").unwrap();
    let roomy = || vec![with_room("a", 200, &points, 6)];
    let little = SearchOptions {
        max_memory: Some(1500),
        ..named()
    };
    let refused = on(roomy(), little).nearest(&points, &(0..200), 6, &Silent);
    let words = refused.err().unwrap().to_string();
    assert!(
        words.starts_with("layer: cuda:0: the search needs"),
        "{words}"
    );
    assert!(
        words.contains("MiB") && words.contains("--device"),
        "{words}"
    );
    // A GPU that nobody asked for takes part where it wins, never here.
    let auto = on(roomy(), SearchOptions::default());
    let found = auto.nearest(&points, &(0..200), 6, &Silent).unwrap();
    assert!(assemble(200, 6, found) == by_scan(&points, 6));
}

#[test]
fn a_device_with_next_to_no_memory_is_left_out_in_words() {
    let matrix = gaussian(300, 24, 5);
    let points = Points::new(&matrix, Metric::Euclidean, "layer").unwrap();
    let stations = [("a", 200), ("b", 4)].map(|(name, rows)| with_room(name, rows, &points, 6));
    let notes = Notes::default();
    let searcher = on(stations.into(), named());
    let found = searcher.nearest(&points, &(0..300), 6, &notes).unwrap();
    assert!(assemble(300, 6, found) == by_scan(&points, 6));
    let told = notes.0.into_inner().unwrap();
    assert_eq!(
        told,
        ["layer: b: too little memory is free, the others go on"]
    );
}

#[test]
fn devices_that_are_not_there_are_an_error_by_name() {
    let matrix = gaussian(100, 24, 5);
    let points = Points::new(&matrix, Metric::Euclidean, "layer").unwrap();
    let none = |options| OnDevice::of(options, Box::new(|_| Err(Fault("no driver".into()))));
    let refused = none(named()).nearest(&points, &(0..100), 6, &Silent);
    let words = refused.err().unwrap().to_string();
    assert!(words.starts_with("layer: cuda:0: no driver;"), "{words}");
    let found = none(SearchOptions::default()).nearest(&points, &(0..100), 6, &Silent);
    assert!(assemble(100, 6, found.unwrap()) == by_scan(&points, 6));
}
