//! The GPU against the definition, where there is one.

use super::describe;
use super::gpu::{gpu, refuse_capability, refuse_number, refuse_version};
use ndarray::Array2;

use crate::input::Matrix;
use crate::neighbours::device::machine::Aim;
use crate::neighbours::device::{Device, Gpus};
use crate::neighbours::tests::{adversarial, gaussian};
use crate::neighbours::{
    Metric, Points, SearchOptions, Strategy, Targets, count_ranks, cross_table, neighbour_table,
    order_distances,
};
use crate::progress::{Progress, Silent};

const ON_GPU: SearchOptions = SearchOptions {
    strategy: Strategy::Sweep,
    tile: None,
    kernel: crate::neighbours::Kernel::Auto,
    device: Device::Cuda(Gpus::FIRST),
    max_memory: None,
    beside: 0,
};

const BY_SCAN: SearchOptions = SearchOptions {
    strategy: Strategy::Direct,
    device: Device::Cpu,
    ..ON_GPU
};

fn is_here() -> bool {
    gpu(0)
        .inspect_err(|fault| eprintln!("skipped: {}", fault.0))
        .is_ok()
}

/// Layers that fill several tiles, and those that break careless arithmetic.
fn layers() -> Vec<(&'static str, Matrix)> {
    let clusters = {
        let wide = gaussian(3000, 70, 3);
        let mut values = vec![0.0; 3000 * 70];
        for (i, row) in values.chunks_mut(70).enumerate() {
            wide.widen_row(if i % 7 == 0 { 7 } else { i }, row);
            if i % 2 == 0 {
                row.iter_mut().for_each(|x| *x = 40.0 + *x * 1e-6);
            }
        }
        Matrix::from_f64(3000, 70, values)
    };
    let mut layers = adversarial();
    layers.retain(|(_, matrix)| matrix.n_columns() > 0);
    layers.push(("clusters and repeated rows", clusters));
    layers.push(("several tiles", gaussian(2000, 100, 5)));
    // Halves, of a width that is a multiple of nothing.
    let base = gaussian(1100, 67, 7);
    let mut values = vec![0.0; 1100 * 67];
    for (i, row) in values.chunks_mut(67).enumerate() {
        base.widen_row(i, row);
    }
    let halves: Vec<_> = values.iter().map(|&x| half::f16::from_f64(x)).collect();
    layers.push(("half precision", Matrix::from_f16(1100, 67, halves)));
    let halves: Vec<_> = values.iter().map(|&x| half::bf16::from_f64(x)).collect();
    layers.push(("bfloat16", Matrix::from_bf16(1100, 67, halves)));
    layers.push((
        "many equal rows",
        Matrix::from_f32(1500, 9, vec![2.5; 1500 * 9]),
    ));
    layers
}

#[test]
fn tables_and_orders_are_those_of_a_scan() {
    if !is_here() {
        return;
    }
    for (name, matrix) in layers() {
        for metric in [Metric::Euclidean, Metric::Cosine] {
            let Ok(points) = Points::new(&matrix, metric, name) else {
                assert_eq!(metric, Metric::Cosine, "{name}");
                continue;
            };
            let n = matrix.n_rows();
            let largest = (n - 1).min(1000);
            for k in [1, 30, largest] {
                let truth = neighbour_table(&points, k, &BY_SCAN, &Silent).unwrap();
                let found = neighbour_table(&points, k, &ON_GPU, &Silent).unwrap();
                assert!(found == truth, "{name}, {metric:?}, {k}");
            }
            let orders = [1, 2, 4, 8, 16, largest];
            let truth = order_distances(&points, &orders, &BY_SCAN, &Silent).unwrap();
            let found = order_distances(&points, &orders, &ON_GPU, &Silent).unwrap();
            assert!(found == truth, "{name}, {metric:?}");
        }
    }
}

#[test]
fn queries_find_what_the_processor_finds() {
    if !is_here() {
        return;
    }
    let on_processor = SearchOptions {
        device: Device::Cpu,
        ..ON_GPU
    };
    for (name, matrix) in layers() {
        let (n, width) = (matrix.n_rows(), matrix.n_columns());
        let mut values = vec![0.0; 150 * width];
        for (i, row) in values.chunks_mut(width).enumerate() {
            matrix.widen_row(i * n / 150, row);
            row.iter_mut().for_each(|x| *x *= 1.0 + (i % 3) as f64);
        }
        // Stored otherwise than the rows of some layers.
        let there = Matrix::from_f64(150, width, values);
        let points = Points::new(&matrix, Metric::Euclidean, name).unwrap();
        let queries = Points::new(&there, Metric::Euclidean, name).unwrap();
        for k in [1, 20, n.min(1000)] {
            let truth = cross_table(&points, &queries, k, &on_processor, &Silent).unwrap();
            let found = cross_table(&points, &queries, k, &ON_GPU, &Silent).unwrap();
            assert!(found == truth, "{name}, {k}");
        }
    }
}

#[test]
fn too_little_memory_is_an_error_that_says_how_much() {
    if !is_here() {
        return;
    }
    let matrix = gaussian(500, 60, 1);
    let points = Points::new(&matrix, Metric::Euclidean, "x").unwrap();
    let options = SearchOptions {
        max_memory: Some(1 << 20),
        ..ON_GPU
    };
    let refused = neighbour_table(&points, 5, &options, &Silent).unwrap_err();
    assert!(refused.to_string().contains("MiB"), "{refused}");
}

#[test]
fn what_is_missing_is_said_in_words() {
    let words = |refused: Result<(), super::Fault>| refused.unwrap_err().0;
    assert_eq!(
        words(refuse_version(11_080)),
        "the NVIDIA driver speaks CUDA 11.8, and 12.0 is needed"
    );
    assert_eq!(refuse_version(12_000), Ok(()));
    assert_eq!(
        words(refuse_number(0, 0)),
        "there is no cuda:0: the driver knows no GPU"
    );
    assert_eq!(
        words(refuse_number(3, 2)),
        "there is no cuda:3: the driver knows 2 GPUs, cuda:0 to cuda:1"
    );
    assert_eq!(refuse_number(1, 2), Ok(()));
    assert!(words(refuse_capability((7, 5))).contains("7.5"));
    assert_eq!(refuse_capability((8, 0)), Ok(()));
}

#[test]
fn where_there_is_no_driver_nothing_panics_and_nobody_searches() {
    let Err(missing) = gpu(0) else {
        return;
    };
    assert!(!missing.0.is_empty());
    assert!(describe().is_ok_and(|all| all.is_empty()) || describe().is_err());
    let named = Device::Cuda(Gpus::FIRST).check();
    assert_eq!(named, Err(missing.0.clone()));
    let matrix = gaussian(100, 20, 1);
    let points = Points::new(&matrix, Metric::Euclidean, "x").unwrap();
    let refused = neighbour_table(&points, 5, &ON_GPU, &Silent).unwrap_err();
    assert!(refused.to_string().contains(&missing.0), "{refused}");
}

/// Rows of which a GPU has memory for a part at a time.
#[test]
fn layers_beyond_the_memory_that_is_allowed_have_the_bytes_of_the_processor() {
    if !is_here() {
        return;
    }
    let matrix = gaussian(30_000, 64, 1);
    let points = Points::new(&matrix, Metric::Euclidean, "x").unwrap();
    let on_processor = SearchOptions {
        device: Device::Cpu,
        ..ON_GPU
    };
    let truth = neighbour_table(&points, 20, &on_processor, &Silent).unwrap();
    let costs = super::costs(&points, Aim::Nearest(20));
    for rows in [4096, 9000] {
        let options = SearchOptions {
            max_memory: Some(costs.fixed + rows * (costs.seeker + costs.target)),
            ..ON_GPU
        };
        let found = neighbour_table(&points, 20, &options, &Silent).unwrap();
        assert!(found == truth, "{rows} rows at a time");
    }
}

#[test]
fn ranks_are_those_of_the_processor() {
    if !is_here() {
        return;
    }
    let on_processor = SearchOptions {
        device: Device::Cpu,
        ..ON_GPU
    };
    for (name, matrix) in layers() {
        let n = matrix.n_rows();
        let rows = Array2::from_shape_fn((n, 9), |(i, t)| {
            let shift = [1, 1, n / 2, n - 1, 3, 5, 7, 11, 13][t];
            ((i + 1 + (shift - 1) % (n - 1)) % n) as u32
        });
        let targets = Targets {
            rows: rows.view(),
            groups: &[0..1, 0..4, 2..2, 3..9],
        };
        for metric in [Metric::Euclidean, Metric::Cosine] {
            let Ok(points) = Points::new(&matrix, metric, name) else {
                continue;
            };
            let truth = count_ranks(&points, &targets, &on_processor, &Silent).unwrap();
            let found = count_ranks(&points, &targets, &ON_GPU, &Never).unwrap();
            assert_eq!(found, truth, "{name}, {metric:?}");
        }
    }
}

/// The processor must not help out.
struct Never;

impl Progress for Never {
    fn begin(&self, _label: &str, _total: u64) {}
    fn advance(&self, _steps: u64) {}
    fn end(&self) {}
    fn note(&self, text: &str) {
        panic!("{text}");
    }
}

/// All GPUs of this machine, where there are two or more.
#[test]
fn several_gpus_find_what_one_finds() {
    let count = describe().map_or(0, |all| all.len());
    if count < 2 {
        eprintln!("skipped: {count} GPUs");
        return;
    }
    let numbers: Vec<String> = (0..count.min(64))
        .map(|number| number.to_string())
        .collect();
    let all = SearchOptions {
        device: format!("cuda:{}", numbers.join(",")).parse().unwrap(),
        ..ON_GPU
    };
    let matrix = gaussian(20_000, 80, 1);
    let points = Points::new(&matrix, Metric::Euclidean, "x").unwrap();
    let one = neighbour_table(&points, 20, &ON_GPU, &Silent).unwrap();
    assert!(neighbour_table(&points, 20, &all, &Silent).unwrap() == one);
}
