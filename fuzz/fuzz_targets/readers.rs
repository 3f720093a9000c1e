//! Feeds bytes to every reader of repgeo, and to the kernels of the neighbour search: none may panic,
//! abort, hang, or take more memory than the bytes are worth.
//!
//! `RG=labels` chooses one reader; without it the first byte does, so that one short run meets all.

#![no_main]

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use repgeo::cache::{Cache, fingerprint};
use repgeo::cluster::Plan;
use repgeo::input::{
    Dump, DumpOptions, ExpectedLabels, Join, Labels, Mask, Matrix, Pooling, ReadOptions, RowChoice,
    RowSource, Sample, Selection, SeriesChoice, Tensors, find_duplicates, find_tables, index_list,
    read_lines, read_runs, scan,
};
use repgeo::mechanisms::model::Checkpoint;
use repgeo::mechanisms::{Prompts, StreamDump};
use repgeo::neighbours::{Kernel, Metric, Points, SearchOptions, Strategy, neighbour_table};
use repgeo::progress::Silent;
use repgeo::report::read_series;

/// A reader, and the name that chooses it.
type Reader = (&'static str, fn(u8, &[u8]));

const READERS: &[Reader] = &[
    ("array", array),
    ("file", file),
    ("index", index),
    ("labels", labels),
    ("mask", mask),
    ("rows", rows),
    ("series", series),
    ("tables", tables),
    ("cache", cache),
    ("config", config),
    ("prompts", prompts),
    ("text", text),
    ("names", names),
    ("search", search),
    ("pickle", pickle),
    ("order", order),
    ("plan", plan),
    #[cfg(feature = "hdf5")]
    ("hdf5", hdf5),
];

fuzz_target!(|data: &[u8]| {
    static CHOSEN: OnceLock<Option<Reader>> = OnceLock::new();
    let chosen = CHOSEN.get_or_init(|| {
        let name = env::var("RG").ok()?;
        let found = READERS.iter().copied().find(|(known, _)| *known == name);
        Some(found.unwrap_or_else(|| panic!("there is no reader {name}")))
    });
    let Some((&first, rest)) = data.split_first() else {
        return;
    };
    match chosen {
        Some((_, reader)) => reader(first, rest),
        None => {
            let (_, reader) = READERS[usize::from(first) % READERS.len()];
            if let Some((&head, rest)) = rest.split_first() {
                reader(head, rest);
            }
        }
    }
});

fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = env::temp_dir().join(format!("repgeo-fuzz-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        folder
    })
}

fn fixtures() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures"))
}

/// A file with this content: a new one every time, since readers map files.
fn put(name: &str, data: &[u8]) -> PathBuf {
    let path = folder().join(name);
    let _ = fs::remove_file(&path);
    fs::write(&path, data).unwrap();
    path
}

/// Reads the layers of a dump in every way.
fn read_all(dump: &Dump) {
    let pools = [
        None,
        Some(Pooling::Flatten),
        Some(Pooling::Last),
        Some(Pooling::Mean),
        Some(Pooling::Gap),
        Some(Pooling::Token(-1)),
        Some(Pooling::Tokens),
    ];
    for layer in dump.layers().iter().take(8) {
        for pool in pools {
            let options = ReadOptions {
                pool,
                ..ReadOptions::default()
            };
            if let Ok(read) = dump.read(layer, &options) {
                let matrix = &read.matrix;
                let (n, columns) = (matrix.n_rows(), matrix.n_columns());
                if n > 0 && n.saturating_mul(columns) <= 1 << 20 {
                    matrix.widen_row(n - 1, &mut vec![0.0; columns]);
                    scan(matrix);
                    find_duplicates(matrix);
                    fingerprint(matrix);
                }
            }
            let some = ReadOptions {
                rows: Some(&[0, 3]),
                ..options
            };
            let _ = dump.read(layer, &some);
        }
    }
}

fn array(_: u8, data: &[u8]) {
    if let Ok(dump) = Dump::from_reader(data, "x") {
        read_all(&dump);
    }
}

fn file(head: u8, data: &[u8]) {
    let name = [
        "x.npy",
        "x.npz",
        "x.safetensors",
        "x",
        "x.pt",
        "x.h5",
        "x.csv",
    ];
    let path = put(name[usize::from(head) % name.len()], data);
    if let Ok(dump) = Dump::open(&path) {
        read_all(&dump);
    }
    let _ = Dump::list(&path);
    let Ok(tensors) = Tensors::open(&path) else {
        return;
    };
    for name in tensors.names().take(4) {
        let Some(tensor) = tensors.get(name) else {
            continue;
        };
        let _ = tensor.integers();
        let _ = tensor.to_f64();
        let _ = tensor.stored().map(|stored| stored.as_slice().len());
        let _ = tensor.rows_of(tensor.shape().last().copied().unwrap_or(1));
        let _ = tensor.rows_of(3);
    }
}

fn index(_: u8, data: &[u8]) {
    for shard in 1..=3 {
        let name = format!("model-0000{shard}-of-00003.safetensors");
        let path = folder().join(&name);
        if !path.exists() {
            fs::copy(fixtures().join("mechanisms/gpt2").join(&name), &path).unwrap();
        }
    }
    let path = put("model.safetensors.index.json", data);
    if let Ok(dump) = Dump::open(&path) {
        read_all(&dump);
    }
    let _ = Tensors::open(&path);
}

fn labels(head: u8, data: &[u8]) {
    let name = ["l.csv", "l.txt", "l.npy", "l.csv", "l.json"][usize::from(head) % 5];
    let path = put(name, data);
    let spec = match head % 5 {
        3 => PathBuf::from(format!("{}:class", path.display())),
        _ => path,
    };
    let found = Labels::open(&spec);
    for n in [3, 50] {
        let expected = Labels::open_for(&spec, ExpectedLabels::rows(n, "the dump"));
        // The number is looked at first, and nothing else differs.
        let fits = found.as_ref().is_ok_and(|found| found.codes.len() == n);
        assert_eq!(expected.is_ok(), fits, "{n}");
    }
    if let Ok(labels) = found {
        labels.n_missing();
        if !labels.codes.is_empty() {
            labels.select(&[0]);
        }
    }
}

fn mask(_: u8, data: &[u8]) {
    let Ok(mask) = Mask::open(&put("m.npy", data)) else {
        return;
    };
    let Ok(dump) = Dump::open(&fixtures().join("formats/threed.npy")) else {
        return;
    };
    for layer in dump.layers() {
        for pool in [
            Pooling::Last,
            Pooling::Mean,
            Pooling::First,
            Pooling::Gap,
            Pooling::Tokens,
        ] {
            for rows in [None, Some(&[1, 2][..])] {
                let options = ReadOptions {
                    pool: Some(pool),
                    mask: Some(&mask),
                    rows,
                };
                let _ = dump.read(layer, &options);
            }
        }
    }
}

fn rows(head: u8, data: &[u8]) {
    let path = put(["r.txt", "r.npy"][usize::from(head % 2)], data);
    for n in [0, 1, 50] {
        let m = usize::from(head) / 2;
        for sample in [Sample::All, Sample::Rows { m }] {
            let choice = RowChoice {
                source: RowSource::File(path.clone()),
                sample,
                seed: 1,
            };
            let _ = choice.resolve(n, None);
        }
    }
}

fn series(head: u8, data: &[u8]) {
    use repgeo::profile::events::{EventOptions, events_with_parts};
    let path = put(["s.csv", "s.json"][usize::from(head >> 7)], data);
    let named = |name: &str| Some(name.to_owned());
    let choices = [
        SeriesChoice::default(),
        SeriesChoice {
            column: named("value"),
            ..SeriesChoice::default()
        },
        SeriesChoice {
            column: named("id"),
            x: named("x"),
            ..SeriesChoice::default()
        },
        SeriesChoice {
            quantity: named("id"),
            variant: named("gride"),
            scale: Some(2),
            ..SeriesChoice::default()
        },
    ];
    let options = EventOptions {
        smooth: if head & 1 == 1 { 3 } else { 1 },
        skip_first: head & 2 == 2,
        bottleneck: (head & 4 == 4).then_some(1),
        threshold: (head & 8 == 8).then_some(0.5),
        ..EventOptions::default()
    };
    for choice in &choices {
        if let Ok(file) = read_series(&path, choice)
            && options.check(file.series.len()).is_ok()
        {
            events_with_parts(&file.series, &file.parts, &options);
        }
    }
}

fn tables(head: u8, data: &[u8]) {
    let path = put(
        ["t.npz", "t.npy", "t.safetensors"][usize::from(head) % 3],
        data,
    );
    for source in find_tables(&path).unwrap_or_default().iter().take(3) {
        for k in [0, 1, 5, usize::MAX] {
            let Ok(table) = source.read(k) else { continue };
            assert_eq!(table.indices.dim(), (table.n, table.k));
            assert_eq!(table.distances.dim(), (table.n, table.k));
            assert!(table.indices.iter().all(|&at| (at as usize) < table.n));
        }
    }
}

fn cache(_: u8, data: &[u8]) {
    let place = folder().join("cache");
    fs::create_dir_all(&place).unwrap();
    put("cache/e.npz", data);
    let cache = Cache::open(&place);
    let content = env::var("RG_CONTENT").unwrap_or_default();
    for metric in [Metric::Euclidean, Metric::Cosine] {
        for k in [0, 1, 3, 100] {
            if let Some(table) = cache.table(&content, metric, k, &mut Vec::new()) {
                let n = table.indices.nrows();
                assert!(table.indices.iter().all(|&at| (at as usize) < n));
            }
        }
    }
    cache.take_warnings();
}

fn config(_: u8, data: &[u8]) {
    let weights = folder().join("model.safetensors");
    if !weights.exists() {
        let tiny = fixtures().join("mechanisms/gpt2_tiny/model.safetensors");
        fs::copy(tiny, &weights).unwrap();
    }
    put("config.json", data);
    let Ok(checkpoint) = Checkpoint::open(folder()) else {
        return;
    };
    let _ = checkpoint.check_blocks();
    let _ = checkpoint.embedding();
    let _ = checkpoint.positions();
    let _ = checkpoint.final_norm::<f32>();
    let _ = checkpoint.unembedding();
    let _ = checkpoint.block::<f32>(0);
}

fn prompts(head: u8, data: &[u8]) {
    if head & 1 == 1 {
        let _ = Prompts::read(None, Some(&put("t.csv", data)), None);
        return;
    }
    let path = put("p.safetensors", data);
    let _ = Prompts::read(Some(&path), None, None);
    let _ = Prompts::read(None, Some(&path), None);
    if let Ok(dump) = StreamDump::open(&path, None, None) {
        dump.n_layers();
        dump.says("eps");
    }
}

fn text(head: u8, data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Ok(selection) = Selection::from_str(text) {
        static DUMP: OnceLock<Dump> = OnceLock::new();
        let dump = DUMP.get_or_init(|| Dump::open(&fixtures().join("formats/order")).unwrap());
        let _ = dump.select(&selection);
    }
    let _ = index_list(text, usize::from(head), "--x");
    if let Ok(source @ RowSource::Range(_)) = RowSource::from_str(text) {
        let choice = RowChoice {
            source,
            ..RowChoice::default()
        };
        let _ = choice.resolve(usize::from(head), None);
    }
    let _ = Pooling::from_str(text);
}

fn names(head: u8, data: &[u8]) {
    let path = put(["n.txt", "n.csv"][usize::from(head) % 2], data);
    if let Ok(names) = read_lines(&path) {
        assert!(names.iter().all(|name| !name.is_empty()));
    }
    let _ = read_runs(&path);
}

/// A pickle, alone and as the one inside an archive of torch.
fn pickle(head: u8, data: &[u8]) {
    let content = match head & 1 {
        0 => data.to_vec(),
        _ => archive(&[
            ("x/data.pkl", data),
            ("x/byteorder", b"little"),
            ("x/data/0", &[7; 960]),
            ("x/data/1", &[1; 64]),
        ]),
    };
    let path = put("x.pt", &content);
    if let Ok(dump) = Dump::open(&path) {
        read_all(&dump);
    }
    let _ = Tensors::open(&path);
}

/// A zip archive of stored members, whose checksums are right.
fn archive(members: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in members {
        let start = u32::try_from(bytes.len()).unwrap();
        let size = u32::try_from(content.len()).unwrap().to_le_bytes();
        let name_length = u16::try_from(name.len()).unwrap().to_le_bytes();
        let crc = crc(content).to_le_bytes();
        // Version, flags, method, time and date: nothing but the version.
        let fields = [
            &[20, 0][..],
            &[0; 8],
            &crc,
            &size,
            &size,
            &name_length,
            &[0; 2],
        ]
        .concat();
        bytes.extend([b"PK\x03\x04", &fields[..], name.as_bytes(), content].concat());
        directory.extend([b"PK\x01\x02\x14\x00", &fields[..], &[0; 10]].concat());
        directory.extend(start.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let count = u16::try_from(members.len()).unwrap().to_le_bytes();
    let start = u32::try_from(bytes.len()).unwrap().to_le_bytes();
    let size = u32::try_from(directory.len()).unwrap().to_le_bytes();
    let end = [
        b"PK\x05\x06",
        &[0; 4][..],
        &count,
        &count,
        &size,
        &start,
        &[0; 2],
    ]
    .concat();
    [bytes, directory, end].concat()
}

fn crc(content: &[u8]) -> u32 {
    !content.iter().fold(u32::MAX, |mut crc, &byte| {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 * (crc & 1));
        }
        crc
    })
}

/// Layers with the names of the input: their order, the pieces that they may be, and a choice of them.
fn order(head: u8, data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut names: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
    names.truncate(60);
    names.sort_unstable();
    names.dedup();
    let shape: &[usize] = match head % 3 {
        0 => &[3, 2],
        1 => &[60, 2],
        _ => &[2, 3, 2],
    };
    let size = 4 * shape.iter().product::<usize>();
    let quoted = |name: &str| -> String {
        let escaped = name
            .chars()
            .map(|c| format!("\\u{:04x}", u32::from(c) & 0xffff));
        escaped.collect()
    };
    let tensors: Vec<String> = names
        .iter()
        .enumerate()
        .map(|(at, name)| {
            let (start, end) = (at * size, (at + 1) * size);
            let name = quoted(name);
            format!("\"{name}\":{{\"dtype\":\"F32\",\"shape\":{shape:?},\"data_offsets\":[{start},{end}]}}")
        })
        .collect();
    let header = format!("{{{}}}", tensors.join(","));
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.as_bytes());
    file.extend((0..names.len() * size).map(|at| (at % 61) as u8));
    let path = put("o.safetensors", &file);
    let lines: Vec<String> = names.iter().rev().map(|name| (*name).to_owned()).collect();
    for join in [Join::Auto, Join::Rows, Join::Never] {
        for order in [None, Some(lines.clone())] {
            for pooling in [None, Some(Pooling::Tokens)] {
                let options = DumpOptions {
                    join,
                    order: order.clone(),
                    pooling,
                    ..DumpOptions::default()
                };
                let Ok(dump) = Dump::list_with(&path, &options) else {
                    continue;
                };
                dump.understood();
                let _ = dump.token_rows(None);
                for layer in dump.layers().iter().take(3) {
                    let options = ReadOptions {
                        pool: pooling,
                        ..ReadOptions::default()
                    };
                    let _ = dump.read(layer, &options);
                }
            }
        }
    }
}

fn plan(_: u8, data: &[u8]) {
    let place = folder().join("run");
    fs::create_dir_all(&place).unwrap();
    put("run/plan.json", data);
    if let Ok(plan) = Plan::read(&place) {
        plan.tasks();
        if plan.units() > 0 {
            plan.unit(0);
        }
    }
}

#[cfg(feature = "hdf5")]
fn hdf5(_: u8, data: &[u8]) {
    let path = put("x.h5", data);
    if let Ok(dump) = Dump::open(&path) {
        read_all(&dump);
    }
    let _ = Tensors::open(&path);
}

/// The bits of the input as rows, so that the kernels read every edge of what is packed.
fn search(head: u8, data: &[u8]) {
    let Some((&width, data)) = data.split_first() else {
        return;
    };
    let columns = usize::from(width) % 70 + 1;
    let values: Vec<f32> = data
        .chunks_exact(2)
        .map(|pair| {
            f32::from(half::bf16::from_bits(u16::from_le_bytes([
                pair[0], pair[1],
            ])))
        })
        .collect();
    let rows = (values.len() / columns).min(300);
    let matrix = Matrix::from_f32(rows, columns, values[..rows * columns].to_vec());
    let metric = match head & 1 {
        0 => Metric::Euclidean,
        _ => Metric::Cosine,
    };
    let Ok(points) = Points::new(&matrix, metric, "x") else {
        return;
    };
    let k = usize::from(head) / 2 % 40 + 1;
    let table = |strategy: Strategy, kernel: Kernel, tile: Option<usize>| {
        let options = SearchOptions {
            strategy,
            kernel,
            tile,
            ..SearchOptions::default()
        };
        neighbour_table(&points, k, &options, &Silent).unwrap()
    };
    let direct = table(Strategy::Direct, Kernel::Auto, None);
    for kernel in [
        Kernel::Portable,
        Kernel::Neon,
        Kernel::Avx2,
        Kernel::Avx512,
        Kernel::Avx512Bf16,
        Kernel::AmxSplit,
        Kernel::Amx,
    ] {
        for tile in [None, Some(64)] {
            let found = table(Strategy::Sweep, kernel, tile);
            assert_eq!(found.indices, direct.indices, "{kernel:?} {tile:?}");
            assert_eq!(found.distances, direct.distances, "{kernel:?} {tile:?}");
        }
    }
}
