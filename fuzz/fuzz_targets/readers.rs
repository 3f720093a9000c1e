#![no_main]
use libfuzzer_sys::fuzz_target;
use repgeo::input::*;
use repgeo::neighbours::{Metric, Targets};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::OnceLock;

fn dir() -> &'static Path {
    static D: OnceLock<PathBuf> = OnceLock::new();
    D.get_or_init(|| {
        let d = PathBuf::from(format!("/dev/shm/rgfuzz-{}", std::process::id()));
        std::fs::create_dir_all(&d).unwrap();
        d
    })
}
fn mode() -> &'static str {
    static M: OnceLock<String> = OnceLock::new();
    M.get_or_init(|| std::env::var("RG").unwrap_or_else(|_| "array".into()))
}
fn fixtures() -> PathBuf { PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures")) }

fn put(name: &str, data: &[u8]) -> PathBuf {
    let p = dir().join(name);
    // a fresh inode every time: the reader maps files
    let _ = std::fs::remove_file(&p);
    std::fs::write(&p, data).unwrap();
    p
}
fn small(n: usize, d: usize) -> bool { n.saturating_mul(d) <= 1 << 20 }

fn read_all(dump: &Dump) {
    for layer in dump.layers().iter().take(8) {
        for pool in [None, Some(Pooling::Flatten), Some(Pooling::Last), Some(Pooling::Mean), Some(Pooling::Gap), Some(Pooling::Token(-1))] {
            if let Ok(read) = dump.read(layer, &ReadOptions { pool, mask: None, rows: None }) {
                let m = &read.matrix;
                if small(m.n_rows(), m.n_columns()) && m.n_rows() > 0 {
                    let mut out = vec![0.0; m.n_columns()];
                    m.widen_row(m.n_rows() - 1, &mut out);
                    let _ = scan(m);
                    let _ = find_duplicates(m);
                    let _ = repgeo::cache::fingerprint(m);
                }
            }
            let _ = dump.read(layer, &ReadOptions { pool, mask: None, rows: Some(&[0, 3]) });
        }
    }
}

fn run(data: &[u8]) {
    let Some((&head, rest)) = data.split_first() else { return };
    match mode() {
        "array" => {
            if let Ok(dump) = Dump::from_reader(data, "x") { read_all(&dump); }
        }
        "file" => {
            let name = ["x.npy", "x.npz", "x.safetensors", "x"][usize::from(head % 4)];
            let p = put(name, rest);
            if let Ok(dump) = Dump::open(&p) { read_all(&dump); }
            let _ = Dump::list(&p);
            if let Ok(t) = Tensors::open(&p) {
                let names: Vec<String> = t.names().map(str::to_owned).collect();
                for n in names.iter().take(4) {
                    let Some(t) = t.get(n) else { continue };
                    let _ = t.integers(); let _ = t.to_f64(); let _ = t.stored().map(|s| s.as_slice().len());
                    let w = t.shape().last().copied().unwrap_or(1);
                    let _ = t.rows_of(w); let _ = t.rows_of(3);
                }
            }
        }
        "index" => {
            for f in ["model-00001-of-00003.safetensors","model-00002-of-00003.safetensors","model-00003-of-00003.safetensors"] {
                let p = dir().join(f);
                if !p.exists() { std::fs::copy(fixtures().join("mechanisms/gpt2").join(f), &p).unwrap(); }
            }
            let p = put("model.safetensors.index.json", data);
            if let Ok(dump) = Dump::open(&p) { read_all(&dump); }
            let _ = Tensors::open(&p);
        }
        "labels" => {
            let p = match head % 4 { 0 => put("l.csv", rest), 1 => put("l.txt", rest), 2 => put("l.npy", rest), _ => put("l.csv", rest) };
            let spec = if head % 4 == 3 { PathBuf::from(format!("{}:class", p.display())) } else { p };
            if let Ok(l) = Labels::open(&spec) {
                let _ = l.n_missing();
                if !l.codes.is_empty() { let _ = l.select(&[0]); }
            }
        }
        "mask" => {
            let p = put("m.npy", data);
            if let Ok(mask) = Mask::open(&p) {
                let f = fixtures().join("formats/threed.npy");
                if let Ok(dump) = Dump::open(&f) { for layer in dump.layers() { for pool in [Pooling::Last, Pooling::Mean, Pooling::First, Pooling::Gap] {
                    let _ = dump.read(layer, &ReadOptions { pool: Some(pool), mask: Some(&mask), rows: None });
                    let _ = dump.read(layer, &ReadOptions { pool: Some(pool), mask: Some(&mask), rows: Some(&[1, 2]) });
                }}}
            }
        }
        "rows" => {
            let p = match head % 2 { 0 => put("r.txt", rest), _ => put("r.npy", rest) };
            for n in [0usize, 1, 50] {
                let _ = RowChoice { source: RowSource::File(p.clone()), sample: Sample::All, seed: 1 }.resolve(n, None);
                let _ = RowChoice { source: RowSource::File(p.clone()), sample: Sample::Rows { m: usize::from(head) / 2 }, seed: 1 }.resolve(n, None);
            }
        }
        "series" => {
            use repgeo::profile::events::{EventOptions, events_with_parts};
            let p = put("s.csv", rest);
            let choices = [
                SeriesChoice::default(),
                SeriesChoice { column: Some("value".into()), ..Default::default() },
                SeriesChoice { column: Some("id".into()), x: Some("x".into()), ..Default::default() },
                SeriesChoice { quantity: Some("id".into()), variant: Some("gride".into()), scale: Some(2), ..Default::default() },
            ];
            for choice in &choices {
                if let Ok(f) = SeriesFile::open(&p, choice) {
                    let o = EventOptions { smooth: if head & 1 == 1 { 3 } else { 1 }, skip_first: head & 2 == 2, bottleneck: if head & 4 == 4 { Some(1) } else { None }, threshold: if head & 8 == 8 { Some(0.5) } else { None }, ..EventOptions::default() };
                    if o.check(f.series.len()).is_ok() { let _ = events_with_parts(&f.series, &f.parts, &o); }
                }
            }
        }
        "tables" => {
            let name = if head & 1 == 0 { "t.npz" } else if head & 2 == 0 { "t.npy" } else { "t.safetensors" };
            let p = put(name, rest);
            if let Ok(found) = find_tables(&p) {
                for t in found.iter().take(3) {
                    for k in [0usize, 1, 5, usize::MAX] {
                        if let Ok(t) = t.read(k) { assert!(t.indices.dim() == (t.n, t.k) && t.distances.dim() == (t.n, t.k)); for &i in &t.indices { assert!((i as usize) < t.n); } }
                    }
                }
            }
        }
        "cache" => {
            let folder = dir().join("cache");
            std::fs::create_dir_all(&folder).unwrap();
            let p = folder.join("e.npz");
            let _ = std::fs::remove_file(&p);
            std::fs::write(&p, data).unwrap();
            { let cache = repgeo::cache::Cache::open(&folder);
                let mut w = Vec::new();
                let content = std::env::var("RG_CONTENT").unwrap_or_default();
                for m in [Metric::Euclidean, Metric::Cosine] {
                    for k in [0usize, 1, 3, 100] { if let Some(t) = cache.table(&content, m, k, &mut w) { for &i in &t.indices { assert!((i as usize) < t.indices.nrows()); } } }
                }
                let _ = cache.take_warnings();
            }
        }
        "config" => {
            use repgeo::mechanisms::model::Checkpoint;
            let p = dir().join("model.safetensors");
            if !p.exists() { std::fs::copy(fixtures().join("mechanisms/gpt2_tiny/model.safetensors"), &p).unwrap(); }
            put("config.json", data);
            if let Ok(c) = Checkpoint::open(dir()) {
                let _ = c.embedding(); let _ = c.positions(); let _ = c.final_norm::<f32>(); let _ = c.unembedding(); let _ = c.block::<f32>(0);
            }
        }
        "prompts" => {
            use repgeo::mechanisms::{Prompts, StreamDump};
            if head & 1 == 0 {
                let p = put("p.safetensors", rest);
                let _ = Prompts::read(Some(&p), None, None);
                let _ = Prompts::read(None, Some(&p), None);
                if let Ok(d) = StreamDump::open(&p, None, None) { let _ = d.n_layers(); let _ = d.says("eps"); }
            } else {
                let p = put("t.csv", rest);
                let _ = Prompts::read(None, Some(&p), None);
            }
        }
        "text" => {
            let Ok(text) = std::str::from_utf8(rest) else { return };
            let n = usize::from(head);
            if let Ok(s) = Selection::from_str(text) {
                static D: OnceLock<Dump> = OnceLock::new();
                let d = D.get_or_init(|| Dump::open(&fixtures().join("formats/order")).unwrap());
                let _ = d.select(&s);
            }
            let _ = index_list(text, n, "--x");
            if let Ok(r @ RowSource::Range(_)) = RowSource::from_str(text) { let _ = RowChoice { source: r, sample: Sample::All, seed: 0 }.resolve(n, None); }
            let _ = Pooling::from_str(text);
        }
        other => panic!("unknown mode {other}"),
    }
    let _ = std::marker::PhantomData::<Targets<'_>>;
}

fuzz_target!(|data: &[u8]| { run(data) });
