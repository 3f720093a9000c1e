//! Checkpoints, prompts and complete runs of them.

use std::fs;
use std::path::{Path, PathBuf};

use repgeo::input::Tensors;
use repgeo::mechanisms::model::{
    BlockStreams, Checkpoint, Edit, Pass, PatternRows, Real, Sequences,
};
use tempfile::TempDir;

pub fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures/mechanisms")
        .join(name)
}

/// The names of the NeoX configurations.
pub const NEOX: [&str; 4] = ["parallel_0.25", "serial_0.25", "parallel_0.5", "serial_0.5"];

/// A NeoX checkpoint: the common weights with one configuration, its rotary keys old or new.
pub fn neox(name: &str, old_keys: bool) -> (TempDir, Checkpoint) {
    let folder = TempDir::new().unwrap();
    let text = fs::read_to_string(path(&format!("neox/{name}.json"))).unwrap();
    let mut config: serde_json::Value = serde_json::from_str(&text).unwrap();
    if old_keys {
        let keys = config.as_object_mut().unwrap();
        let rope = keys.remove("rope_parameters").unwrap();
        keys.insert("rotary_pct".into(), rope["partial_rotary_factor"].clone());
        keys.insert("rotary_emb_base".into(), rope["rope_theta"].clone());
    }
    fs::write(folder.path().join("config.json"), config.to_string()).unwrap();
    fs::copy(
        path("neox/model.safetensors"),
        folder.path().join("model.safetensors"),
    )
    .unwrap();
    let checkpoint = Checkpoint::open(folder.path()).unwrap();
    (folder, checkpoint)
}

pub fn gpt2() -> Checkpoint {
    Checkpoint::open(&path("gpt2")).unwrap()
}

/// Token ids stored as [N, T].
pub fn sequences(tensors: &Tensors) -> Sequences {
    let tokens = tensors.get("tokens").unwrap();
    let width = tokens.shape()[1];
    let ids: Vec<u32> = tokens
        .integers()
        .unwrap()
        .into_iter()
        .map(|id| u32::try_from(id).unwrap())
        .collect();
    Sequences::new(ids.chunks_exact(width))
}

/// The stored values of a tensor, widened.
pub fn values(tensors: &Tensors, name: &str) -> Vec<f64> {
    let tensor = tensors.get(name).unwrap_or_else(|| panic!("{name}"));
    let width = *tensor.shape().last().unwrap();
    f64::of_matrix(&tensor.rows_of(width).unwrap())
}

/// Everything that a pass shows, chunks joined.
pub struct Run<T> {
    pub embed: Vec<T>,
    pub blocks: Vec<BlockStreams<T>>,
    pub resid: Vec<T>,
}

pub fn run<T: Real>(checkpoint: &Checkpoint, sequences: &Sequences, edit: Option<&Edit>) -> Run<T> {
    let pass = Pass {
        checkpoint,
        patterns: PatternRows::All,
        edit,
        at_once: 2,
    };
    let n_layers = checkpoint.config.n_layers;
    let mut found = Run {
        embed: Vec::new(),
        blocks: vec![BlockStreams::default(); n_layers],
        resid: Vec::new(),
    };
    pass.run::<T>(sequences, n_layers, |layer, chunks| {
        for chunk in chunks {
            let Some(layer) = layer else {
                found.embed.extend(&chunk.resid);
                continue;
            };
            let block = &mut found.blocks[layer];
            for (all, part) in [
                (&mut block.resid_pre, &chunk.streams.resid_pre),
                (&mut block.resid_mid, &chunk.streams.resid_mid),
                (&mut block.attn_out, &chunk.streams.attn_out),
                (&mut block.mlp_out, &chunk.streams.mlp_out),
                (&mut block.z, &chunk.streams.z),
                (&mut block.qkv, &chunk.streams.qkv),
                (&mut block.pattern, &chunk.streams.pattern),
            ] {
                all.extend(part);
            }
            if layer + 1 == n_layers {
                found.resid.extend(&chunk.resid);
            }
        }
        Ok(())
    })
    .unwrap();
    found
}

/// Logits of every row of the residual stream, by a plain loop.
pub fn logits<T: Real>(checkpoint: &Checkpoint, resid: &[T]) -> Vec<f64> {
    let config = &checkpoint.config;
    let normed = checkpoint
        .final_norm::<T>()
        .unwrap()
        .apply(resid, config.eps);
    let unembedding = f64::of_matrix(&checkpoint.unembedding().unwrap());
    normed
        .chunks_exact(config.width)
        .flat_map(|row| {
            unembedding
                .chunks_exact(config.width)
                .map(|column| row.iter().zip(column).map(|(x, w)| x.wide() * w).sum())
                .collect::<Vec<f64>>()
        })
        .collect()
}

/// The largest difference, over the largest value.
pub fn distance<T: Real>(found: &[T], wanted: &[f64]) -> f64 {
    assert_eq!(found.len(), wanted.len());
    let largest = wanted.iter().fold(0.0, |top: f64, x| top.max(x.abs()));
    let apart = found.iter().zip(wanted).map(|(x, y)| (x.wide() - y).abs());
    apart.fold(0.0, f64::max) / largest
}
