//! How far the passes are from the products they are made of, on a model of GPT-2's size.
//!
//! `cargo bench --bench mechanisms [-- EXAMPLES]`: random weights, one thread. Prints times and
//! their ratios.

use std::collections::HashMap;
use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, Par};
use repgeo::mechanisms::lens::{LensOptions, logit_lens};
use repgeo::mechanisms::model::{
    Change, Checkpoint, Edit, EditMode, Head, LastPosition, Pass, PatternRows, Sequences,
    ValueBias, chunks_at_once, replay,
};
use repgeo::mechanisms::{Readout, StreamDump};
use repgeo::progress::Silent;
use repgeo::random::SplitMix64;
use safetensors::Dtype;
use safetensors::tensor::TensorView;

const LAYERS: usize = 12;
const WIDTH: usize = 768;
const HEADS: usize = 12;
const VOCABULARY: usize = 4096;
const TOKENS: usize = 21;

fn main() {
    let examples = std::env::args()
        .skip(1)
        .find_map(|text| text.parse().ok())
        .unwrap_or(48);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let checkpoint = plant(folder.path());
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
    pool.expect("a thread").install(|| {
        forward(&checkpoint, examples);
        lens(folder.path(), checkpoint);
    });
}

#[allow(clippy::print_stdout)]
fn say(what: &str, seconds: f64, beside: &str, other: f64) {
    println!(
        "{what:<44} {seconds:>8.3} s   {beside:<32} {other:>8.3} s   ratio {:.2}",
        seconds / other
    );
}

/// Uniform between −½ and ½.
#[allow(clippy::cast_possible_truncation)]
fn small(random: &mut SplitMix64) -> f32 {
    random.uniform() as f32 - 0.5
}

/// The best of three.
fn time(mut work: impl FnMut()) -> f64 {
    let once = |_| {
        let start = Instant::now();
        work();
        start.elapsed().as_secs_f64()
    };
    (0..3).map(once).fold(f64::INFINITY, f64::min)
}

fn forward(checkpoint: &Checkpoint, examples: usize) {
    let config = &checkpoint.config;
    let mut random = SplitMix64::new(1);
    let ids: Vec<u32> = (0..examples * TOKENS)
        .map(|_| u32::try_from(random.below(VOCABULARY as u64)).expect("a small id"))
        .collect();
    let sequences = Sequences::new(ids.chunks_exact(TOKENS));
    let pass = Pass {
        checkpoint,
        patterns: PatternRows::None,
        edit: None,
        at_once: chunks_at_once(config.width),
    };
    let mut last: Vec<LastPosition<f32>> = Vec::new();
    let first = LAYERS - 2;
    let full = time(|| {
        pass.run::<f32>(&sequences, LAYERS, |layer, chunks| {
            if layer.is_some_and(|layer| layer >= first) {
                for (last, chunk) in last.iter_mut().zip(chunks.iter()) {
                    last.keep(&chunk.streams, config);
                }
            }
            if layer == Some(first - 1) {
                last = chunks
                    .iter()
                    .map(|chunk| LastPosition::before(chunk, config))
                    .collect();
            }
            Ok(())
        })
        .expect("the model runs");
    });
    let rows = examples * TOKENS;
    let shapes = [
        (WIDTH, 3 * WIDTH),
        (WIDTH, WIDTH),
        (WIDTH, 4 * WIDTH),
        (4 * WIDTH, WIDTH),
    ];
    let operands: Vec<(Mat<f32>, Mat<f32>)> = shapes
        .iter()
        .map(|&(k, n)| {
            let fill = |i: usize, j: usize| ((i * 7 + j * 13) % 17) as f32 * 0.01;
            (Mat::from_fn(273, k, fill), Mat::from_fn(k, n, fill))
        })
        .collect();
    // Chunks of 273 tokens (13 examples), as the pass makes them.
    let products = time(|| {
        for _ in 0..LAYERS * rows / 273 {
            for (a, b) in &operands {
                let mut out = Mat::<f32>::zeros(a.nrows(), b.ncols());
                matmul(&mut out, Accum::Replace, a, b, 1.0, Par::Seq);
                black_box(&out);
            }
        }
    });
    say(
        &format!("forward, {examples} x {TOKENS} tokens"),
        full,
        "its products",
        products,
    );
    let blocks: Vec<_> = (first..LAYERS)
        .map(|layer| checkpoint.block::<f32>(layer).expect("the block is there"))
        .collect();
    let edit = Edit {
        heads: vec![
            Head { layer: 10, head: 7 },
            Head {
                layer: 11,
                head: 10,
            },
        ],
        own: Vec::new(),
        keys: vec![9..10; examples],
        alpha: 5.0,
        mode: EditMode::Post,
        value_bias: ValueBias::Fold,
    };
    let replayed = time(|| {
        black_box(replay(
            config,
            &blocks,
            first,
            &last,
            Change::Attention(&edit),
        ));
    });
    say("full pass", full, "replay of the last two blocks", replayed);
}

fn lens(folder: &Path, checkpoint: Checkpoint) {
    let n = 10_000;
    let mut random = SplitMix64::new(2);
    let stream: Vec<u8> = (0..n * WIDTH)
        .flat_map(|_| small(&mut random).to_le_bytes())
        .collect();
    let targets: Vec<u8> = (0..2 * n)
        .flat_map(|i| (i32::try_from(i * 37 % 600).expect("small")).to_le_bytes())
        .collect();
    let names: Vec<String> = (0..LAYERS)
        .map(|l| format!("blocks.{l}.hook_resid_post"))
        .collect();
    let mut views = HashMap::from([(
        "targets".to_owned(),
        TensorView::new(Dtype::I32, vec![n, 2], &targets).expect("it fits"),
    )]);
    for name in names {
        let view = TensorView::new(Dtype::F32, vec![n, WIDTH], &stream).expect("it fits");
        views.insert(name, view);
    }
    let path = folder.join("acts.safetensors");
    safetensors::serialize_to_file(views, None, &path).expect("the disk has room");
    let readout = Readout::of_checkpoint(checkpoint, true).expect("the readout is there");
    let found = time(|| {
        let dump = StreamDump::open(&path, None, None).expect("the dump opens");
        let lens = logit_lens(&dump, &readout, &LensOptions::default(), &Silent);
        black_box(lens.expect("the lens reads"));
    });
    let read = time(|| {
        black_box(fs::read(&path).expect("the file is there"));
    });
    say(
        "two-token lens, 10 000 examples, 12 blocks",
        found,
        "reading the file",
        read,
    );
}

fn plant(folder: &Path) -> Checkpoint {
    let config = format!(
        r#"{{"model_type": "gpt2", "n_layer": {LAYERS}, "n_head": {HEADS}, "n_embd": {WIDTH}, "n_positions": 64, "vocab_size": {VOCABULARY}}}"#
    );
    fs::write(folder.join("config.json"), config).expect("the folder is writable");
    let mut shapes = vec![
        ("wte.weight".to_owned(), vec![VOCABULARY, WIDTH]),
        ("wpe.weight".to_owned(), vec![64, WIDTH]),
        ("ln_f.weight".to_owned(), vec![WIDTH]),
        ("ln_f.bias".to_owned(), vec![WIDTH]),
    ];
    for layer in 0..LAYERS {
        for (name, inputs, outputs) in [
            ("attn.c_attn", WIDTH, 3 * WIDTH),
            ("attn.c_proj", WIDTH, WIDTH),
            ("mlp.c_fc", WIDTH, 4 * WIDTH),
            ("mlp.c_proj", 4 * WIDTH, WIDTH),
        ] {
            shapes.push((format!("h.{layer}.{name}.weight"), vec![inputs, outputs]));
            shapes.push((format!("h.{layer}.{name}.bias"), vec![outputs]));
        }
        for name in ["ln_1", "ln_2"] {
            shapes.push((format!("h.{layer}.{name}.weight"), vec![WIDTH]));
            shapes.push((format!("h.{layer}.{name}.bias"), vec![WIDTH]));
        }
    }
    let mut random = SplitMix64::new(3);
    let values: Vec<Vec<u8>> = shapes
        .iter()
        .map(|(_, shape)| {
            (0..shape.iter().product())
                .flat_map(|_| (0.1 * small(&mut random)).to_le_bytes())
                .collect()
        })
        .collect();
    let views = shapes.iter().zip(&values).map(|((name, shape), bytes)| {
        let view = TensorView::new(Dtype::F32, shape.clone(), bytes).expect("it fits");
        (name.as_str(), view)
    });
    safetensors::serialize_to_file(views, None, &folder.join("model.safetensors"))
        .expect("the disk has room");
    Checkpoint::open(folder).expect("the checkpoint opens")
}
