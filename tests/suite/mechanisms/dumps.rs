//! Checkpoints and dumps written to disk by the tests themselves.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use repgeo::mechanisms::Prompts;
use repgeo::mechanisms::forward::forward;
use repgeo::mechanisms::model::{Checkpoint, Real, Sequences};
use repgeo::mechanisms::streams::{DumpPositions, ForwardOptions, StreamName, metadata, plan};
use repgeo::progress::Silent;
use repgeo::storage::{TensorFile, TensorSpec};
use safetensors::Dtype;
use safetensors::tensor::TensorView;

pub const EVERYTHING: [StreamName; 13] = [
    StreamName::Embed,
    StreamName::PosEmbed,
    StreamName::ResidPre,
    StreamName::ResidMid,
    StreamName::ResidPost,
    StreamName::AttnOut,
    StreamName::MlpOut,
    StreamName::Z,
    StreamName::Pattern,
    StreamName::K,
    StreamName::V,
    StreamName::Scale,
    StreamName::Logits,
];

/// Writes f64 tensors, and i32 ones where the name says ids.
#[allow(clippy::cast_possible_truncation)]
pub fn write_tensors(path: &Path, tensors: &[(&str, Vec<usize>, Vec<f64>)], said: &[(&str, &str)]) {
    let encoded: Vec<(Dtype, Vec<u8>)> = tensors
        .iter()
        .map(|(name, _, values)| match name.ends_with("_ids") {
            true => {
                let bytes = values.iter().flat_map(|&x| (x as i32).to_le_bytes());
                (Dtype::I32, bytes.collect())
            }
            false => {
                let bytes = values.iter().flat_map(|x| x.to_le_bytes());
                (Dtype::F64, bytes.collect())
            }
        })
        .collect();
    let views = tensors
        .iter()
        .zip(&encoded)
        .map(|((name, shape, _), (dtype, bytes))| {
            (
                *name,
                TensorView::new(*dtype, shape.clone(), bytes).unwrap(),
            )
        });
    let said: HashMap<String, String> = said
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    safetensors::serialize_to_file(views, Some(said), path).unwrap();
}

/// Runs a checkpoint and writes the streams.
pub fn write_dump<T: Real>(
    path: PathBuf,
    checkpoint: &Checkpoint,
    prompts: &Prompts,
    streams: &[StreamName],
    all_positions: bool,
) -> PathBuf {
    let options = ForwardOptions {
        streams: streams.to_vec(),
        positions: match all_positions {
            true => DumpPositions::All,
            false => DumpPositions::Last,
        },
        max_memory: None,
    };
    let specs: Vec<TensorSpec> = plan::<T>(checkpoint, prompts, &options)
        .unwrap()
        .into_iter()
        .map(|planned| TensorSpec {
            name: planned.name,
            dtype: planned.dtype,
            shape: planned.shape,
        })
        .collect();
    let mut file = TensorFile::create(&path, &specs, &metadata(&checkpoint.config)).unwrap();
    forward::<T>(
        checkpoint,
        prompts,
        &options,
        &mut |name, offset, bytes| file.write(name, offset, bytes),
        &Silent,
    )
    .unwrap();
    file.finish().unwrap();
    path
}

/// Prompts of several lengths with targets, an attribute and slots.
pub fn prompts(n_vocab: u32) -> Prompts {
    let lengths = [9usize, 5, 7, 9, 6, 8];
    let examples: Vec<Vec<u32>> = lengths
        .iter()
        .enumerate()
        .map(|(i, &length)| {
            (0..length)
                .map(|p| ((7 * i + 13 * p + 3) as u32 * 31) % n_vocab)
                .collect()
        })
        .collect();
    let attribute = vec![2usize, 1, 3, 2, 2, 1];
    let targets = (0..lengths.len())
        .map(|i| [(5 * i + 1) as u32, examples[i][attribute[i]]])
        .collect();
    let slots = lengths
        .iter()
        .zip(&attribute)
        .map(|(&length, &at)| {
            (0..14)
                .map(|slot| match slot {
                    0 => 0..1,
                    3 => at - 1..at,
                    6 => at..at + 1,
                    12 => at + 1..length - 1,
                    13 => length - 1..length,
                    _ => 0..0,
                })
                .collect()
        })
        .collect();
    Prompts {
        sequences: Some(Sequences::new(examples.iter().map(Vec::as_slice))),
        lengths: Some(lengths.to_vec()),
        targets: Some(targets),
        attribute: Some(attribute),
        slots: Some(slots),
        positions: None,
    }
}
