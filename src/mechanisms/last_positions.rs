//! Takes from a dump, instead of a pass, what a replay needs.

use super::dump::StreamDump;
use super::model::{Config, LastPosition, Real};
use crate::input::Matrix;
use crate::{Error, Result};

/// Examples that are replayed together.
const CHUNK: usize = 64;

/// The last position of every example of a dump, and the keys and values of the blocks from
/// `first_layer` on.
pub(crate) fn last_positions<T: Real>(
    dump: &StreamDump,
    config: &Config,
    first_layer: usize,
) -> Result<Vec<LastPosition<T>>> {
    let d = config.width;
    let resid = dump.stream(&format!("blocks.{first_layer}.hook_resid_pre"), d)?;
    let mut keys = Vec::new();
    let mut values = Vec::new();
    for layer in first_layer..config.n_layers {
        let turned = if config.rotary.is_some() {
            "hook_rot_k"
        } else {
            "hook_k"
        };
        for (name, all) in [(turned, &mut keys), ("hook_v", &mut values)] {
            let name = format!("blocks.{layer}.attn.{name}");
            let tensor = dump
                .tensors
                .require(&name, "repgeo forward --dump k,v,resid_pre")?;
            let rows = tensor.rows_of(d)?;
            if rows.n_rows() % dump.n.max(1) != 0 || tensor.shape().first() != Some(&dump.n) {
                let fact = format!("shape {:?}", tensor.shape());
                return Err(tensor.refused(fact, format!("[{}, T, H, e] is needed", dump.n)));
            }
            all.push(rows);
        }
    }
    let stored = keys.first().map_or(0, |rows| rows.n_rows() / dump.n.max(1));
    let same = |rows: &Matrix| rows.n_rows() == stored * dump.n;
    let fits = dump.lengths.iter().all(|&length| length <= stored);
    if !fits || !keys.iter().chain(&values).all(same) {
        return Err(Error::Usage(format!(
            "keys and values of {stored} positions are stored, but examples are longer or blocks differ; dump k and v of every position"
        )));
    }
    let mut row = vec![0.0; d];
    let mut chunks = Vec::new();
    for first in (0..dump.n).step_by(CHUNK) {
        let examples = first..(first + CHUNK).min(dump.n);
        let mut chunk = LastPosition {
            first,
            lengths: dump.lengths[examples.clone()].to_vec(),
            resid: Vec::new(),
            keys: vec![Vec::new(); keys.len()],
            values: vec![Vec::new(); values.len()],
        };
        for example in examples {
            let length = dump.lengths[example];
            let Some(&at) = dump
                .stored(example, &(length.saturating_sub(1)..length))
                .first()
            else {
                return Err(Error::Usage(format!(
                    "blocks.{first_layer}.hook_resid_pre: the last position of example {example} is not stored"
                )));
            };
            resid.read(example, at, &mut row)?;
            chunk.resid.extend(row.iter().map(|&x| T::of(x)));
            for (stream, out) in [(&keys, &mut chunk.keys), (&values, &mut chunk.values)] {
                for (rows, out) in stream.iter().zip(out) {
                    for position in 0..length {
                        rows.widen_row(example * stored + position, &mut row);
                        out.extend(row.iter().map(|&x| T::of(x)));
                    }
                }
            }
        }
        chunks.push(chunk);
    }
    Ok(chunks)
}
