//! Contributions of heads at the cost of one short product each.

use std::collections::BTreeMap;

use super::dump::{Stream, StreamDump};
use super::model::{Checkpoint, Real, ValueBias};
use super::readout::{Directions, Readout, dot};
use crate::{Error, Result};

/// W_O^h u_t for every target token t and head h, so that a head costs e products per example.
pub(crate) struct HeadTable {
    z: Vec<Stream>,
    /// Per target token: L × (H e).
    table: Vec<Vec<f64>>,
    /// Per target token: L × H, the constant part of each head.
    constants: Vec<Vec<f64>>,
    /// Per target token: what belongs to no head.
    bias: Vec<f64>,
    places: BTreeMap<u32, usize>,
    /// Heads of a block.
    pub n_heads: usize,
    head_width: usize,
}

impl HeadTable {
    pub(crate) fn new(
        dump: &StreamDump,
        readout: &Readout,
        directions: &Directions,
        value_bias: ValueBias,
    ) -> Result<Self> {
        let checkpoint = readout.checkpoint.as_ref().ok_or_else(|| {
            Error::Usage(
                "--by head needs W_O of every block; give the checkpoint's folder with --unembed"
                    .into(),
            )
        })?;
        let config = &checkpoint.config;
        let (d, e) = (config.width, config.head_width);
        let tokens: Vec<(u32, usize)> = directions.tokens().collect();
        let mut heads = Self {
            z: Vec::new(),
            table: vec![Vec::new(); tokens.len()],
            constants: vec![Vec::new(); tokens.len()],
            bias: vec![0.0; tokens.len()],
            places: tokens.iter().copied().collect(),
            n_heads: config.n_heads,
            head_width: e,
        };
        // A dump of a folded model has no constant in its z.
        let in_z = !matches!(dump.says("fold_value_biases"), Some("true" | "True" | "1"));
        for layer in 0..config.n_layers {
            heads
                .z
                .push(dump.stream(&format!("blocks.{layer}.attn.hook_z"), d)?);
            let (out, bias, constant) = output_of(checkpoint, layer)?;
            for &(token, at) in &tokens {
                let vector = directions.vector(token);
                let through: Vec<f64> = out.chunks_exact(d).map(|row| dot(row, vector)).collect();
                heads.bias[at] += dot(&bias, vector);
                for (through, constant) in through.chunks_exact(e).zip(constant.chunks_exact(e)) {
                    let part = dot(through, constant);
                    let (to_head, to_bias) = match (value_bias, in_z) {
                        (ValueBias::Fold, true) => (-part, part),
                        (ValueBias::Fold, false) => (0.0, part),
                        (ValueBias::Keep, true) => (0.0, 0.0),
                        (ValueBias::Keep, false) => (part, 0.0),
                    };
                    heads.constants[at].push(to_head);
                    heads.bias[at] += to_bias;
                }
                heads.table[at].extend(through);
            }
        }
        Ok(heads)
    }

    /// Adds the contributions of every head, block after block, and of the bias to `found`, each
    /// times `per`.
    pub(crate) fn add(
        &self,
        example: usize,
        stored: usize,
        targets: [u32; 2],
        per: f64,
        row: &mut [f64],
        found: &mut [[f64; 2]],
    ) -> Result<()> {
        let (d, e, h) = (row.len(), self.head_width, self.n_heads);
        let places = targets.map(|token| self.places.get(&token).copied().unwrap_or(0));
        for (layer, z) in self.z.iter().enumerate() {
            z.read(example, stored, row)?;
            for (head, values) in row.chunks_exact(e).enumerate() {
                for (which, &place) in places.iter().enumerate() {
                    let start = layer * d + head * e;
                    let through = &self.table[place][start..start + e];
                    let constant = self.constants[place][layer * h + head];
                    found[layer * h + head][which] += (dot(values, through) + constant) * per;
                }
            }
        }
        for (which, &place) in places.iter().enumerate() {
            found[self.z.len() * h][which] += self.bias[place] * per;
        }
        Ok(())
    }
}

/// W_O (d × d, rows are z), b_O, and the constant part of z of one block.
fn output_of(checkpoint: &Checkpoint, layer: usize) -> Result<(Vec<f64>, Vec<f64>, Vec<f64>)> {
    let block = checkpoint.block::<f64>(layer)?;
    let matrix = block.out.matrix();
    let rows = (0..matrix.nrows()).flat_map(|i| (0..matrix.ncols()).map(move |j| (i, j)));
    let out = rows.map(|place| matrix[place].wide()).collect();
    Ok((
        out,
        block.out.bias.clone(),
        block.value_bias(&checkpoint.config),
    ))
}
