//! The tensors of a checkpoint, block by block.

use std::path::{Path, PathBuf};

use ndarray::ArrayView2;

use super::config::{Config, Family};
use super::product::view;
use super::real::Real;
use crate::input::{Matrix, Tensor, Tensors};
use crate::{Error, Result};

/// A checkpoint in Hugging Face form: its configuration, and weights that stay in their files.
#[derive(Debug, Clone)]
pub struct Checkpoint {
    /// Sizes and choices.
    pub config: Config,
    tensors: Tensors,
    /// What stands before every name but the unembedding's: `transformer.`, `gpt_neox.`, nothing.
    prefix: &'static str,
}

/// A LayerNorm.
#[derive(Debug, Clone)]
pub struct Norm<T> {
    /// γ.
    pub gain: Vec<T>,
    /// β.
    pub bias: Vec<T>,
}

/// An affine map x W + b.
#[derive(Debug, Clone)]
pub struct Linear<T> {
    /// Width of x.
    pub inputs: usize,
    /// Width of the result.
    pub outputs: usize,
    /// Row-major values of W, or of its transpose.
    pub weight: Vec<T>,
    /// Whether the rows of `weight` are outputs (PyTorch's Linear) instead of inputs (GPT-2).
    pub rows_are_outputs: bool,
    /// b.
    pub bias: Vec<T>,
}

/// One transformer block.
#[derive(Debug, Clone)]
pub struct Block<T> {
    /// LayerNorm before the attention.
    pub norm_attention: Norm<T>,
    /// Queries, keys and values of all heads.
    pub qkv: Linear<T>,
    /// W_O and b_O.
    pub out: Linear<T>,
    /// LayerNorm before the MLP.
    pub norm_mlp: Norm<T>,
    /// Into the hidden units.
    pub up: Linear<T>,
    /// Back from them.
    pub down: Linear<T>,
}

impl<T: Real> Linear<T> {
    /// W, inputs × outputs.
    pub fn matrix(&self) -> ArrayView2<'_, T> {
        if self.rows_are_outputs {
            view(&self.weight, self.outputs, self.inputs, self.inputs).reversed_axes()
        } else {
            view(&self.weight, self.inputs, self.outputs, self.outputs)
        }
    }
}

impl<T: Real> Block<T> {
    /// The bias that reaches every value vector: b_V + β₁ W_V, head after head (d values).
    pub fn value_bias(&self, config: &Config) -> Vec<T> {
        let all = self.qkv.apply(&self.norm_attention.bias);
        let e = config.head_width;
        (0..config.n_heads)
            .flat_map(|head| {
                let [_, _, value] = config.qkv(head);
                all[value..value + e].to_vec()
            })
            .collect()
    }
}

/// Where the tensors of a block are called what.
struct Names {
    norm_attention: &'static str,
    qkv: &'static str,
    out: &'static str,
    norm_mlp: &'static str,
    up: &'static str,
    down: &'static str,
}

const GPT2: Names = Names {
    norm_attention: "ln_1",
    qkv: "attn.c_attn",
    out: "attn.c_proj",
    norm_mlp: "ln_2",
    up: "mlp.c_fc",
    down: "mlp.c_proj",
};

const NEOX: Names = Names {
    norm_attention: "input_layernorm",
    qkv: "attention.query_key_value",
    out: "attention.dense",
    norm_mlp: "post_attention_layernorm",
    up: "mlp.dense_h_to_4h",
    down: "mlp.dense_4h_to_h",
};

/// The file of the configuration.
const CONFIG: &str = "config.json";

/// What the weights may be called, the index of shards first.
const WEIGHTS: [&str; 2] = ["model.safetensors.index.json", "model.safetensors"];

impl Checkpoint {
    /// Opens a folder with `config.json` and safetensors weights, sharded or not.
    ///
    /// # Errors
    /// [`Error::Read`], [`Error::Malformed`] or [`Error::NoLayers`]; weights are only listed here,
    /// a missing tensor shows when it is read.
    pub fn open(folder: &Path) -> Result<Self> {
        let config = Config::open(&folder.join(CONFIG))?;
        let tensors = Tensors::open(&weights_file(folder)?)?;
        let marked = match config.family {
            Family::Gpt2 => "transformer.",
            Family::GptNeox => "gpt_neox.",
        };
        let prefix = if tensors.names().any(|name| name.starts_with(marked)) {
            marked
        } else {
            ""
        };
        Ok(Self {
            config,
            tensors,
            prefix,
        })
    }

    /// Whether a file is called as one of a checkpoint is: its configuration, its weights or a
    /// shard of them.
    pub(crate) fn names(path: &Path) -> bool {
        let name = path.file_name().and_then(|name| name.to_str());
        name.is_some_and(|name| {
            let shard = name.starts_with("model-") && name.ends_with(".safetensors");
            shard || name == CONFIG || WEIGHTS.contains(&name)
        })
    }

    /// The file of the weights.
    pub fn path(&self) -> &Path {
        self.tensors.path()
    }

    /// The token embedding, V × d.
    ///
    /// # Errors
    /// As [`Checkpoint::block`].
    pub fn embedding(&self) -> Result<Matrix> {
        let name = match self.config.family {
            Family::Gpt2 => "wte.weight",
            Family::GptNeox => "embed_in.weight",
        };
        self.matrix(&self.name(name), self.config.n_vocab)
    }

    /// The position embedding; `None` with rotary positions.
    ///
    /// # Errors
    /// As [`Checkpoint::block`].
    pub fn positions(&self) -> Result<Option<Matrix>> {
        match self.config.rotary {
            Some(_) => Ok(None),
            None => self
                .matrix(&self.name("wpe.weight"), self.config.n_positions)
                .map(Some),
        }
    }

    /// The LayerNorm before the unembedding.
    ///
    /// # Errors
    /// As [`Checkpoint::block`].
    pub fn final_norm<T: Real>(&self) -> Result<Norm<T>> {
        self.norm(&self.name(match self.config.family {
            Family::Gpt2 => "ln_f",
            Family::GptNeox => "final_layer_norm",
        }))
    }

    /// The unembedding, V × d: the embedding again where the two are tied.
    ///
    /// # Errors
    /// As [`Checkpoint::block`].
    pub fn unembedding(&self) -> Result<Matrix> {
        // GPT-NeoX calls it embed_out; transformers 5 writes lm_head for both.
        let names = ["lm_head.weight", "embed_out.weight"];
        for bias in ["lm_head.bias", "embed_out.bias"] {
            if let Some(tensor) = self.tensors.get(bias) {
                let remedy = "neither GPT-2 nor GPT-NeoX has one; leave it out if it is zero";
                return Err(tensor.refused("the unembedding has a bias", remedy));
            }
        }
        let found = names.into_iter().find_map(|name| self.tensors.get(name));
        match (found, self.config.tied) {
            (None, true) => self.embedding(),
            (None, false) => self.matrix(names[1], self.config.n_vocab),
            (Some(own), false) => self.matrix(own.name(), self.config.n_vocab),
            (Some(own), true) => {
                let shared = self.matrix(own.name(), self.config.n_vocab)?;
                if !same(&shared, &self.embedding()?) {
                    return Err(own.refused(
                        "the configuration says that it is the embedding, which has other values",
                        "set tie_word_embeddings to false in config.json, or leave this tensor out",
                    ));
                }
                Ok(shared)
            }
        }
    }

    /// Fails if there are fewer blocks than the configuration promises, before anything is planned
    /// for each of them.
    ///
    /// # Errors
    /// [`Error::NoLayers`] naming a tensor of the last block.
    pub fn check_blocks(&self) -> Result<()> {
        let (folder, names) = self.place_of_blocks();
        let Some(last) = self.config.n_layers.checked_sub(1) else {
            return Ok(());
        };
        let name = format!("{folder}.{last}.{}.weight", names.norm_attention);
        self.tensor(&self.name(&name)).map(|_| ())
    }

    /// Where the tensors of blocks are.
    fn place_of_blocks(&self) -> (&'static str, Names) {
        match self.config.family {
            Family::Gpt2 => ("h", GPT2),
            Family::GptNeox => ("layers", NEOX),
        }
    }

    /// The weights of one block.
    ///
    /// # Errors
    /// [`Error::NoLayers`] naming a tensor that is not there, [`Error::Unsupported`] one of another
    /// shape, [`Error::Malformed`] one with NaN or infinity.
    pub fn block<T: Real>(&self, layer: usize) -> Result<Block<T>> {
        let (d, hidden) = (self.config.width, self.config.hidden);
        let (folder, names) = self.place_of_blocks();
        let name = |part: &str| self.name(&format!("{folder}.{layer}.{part}"));
        let biased = self.config.attention_bias;
        Ok(Block {
            norm_attention: self.norm(&name(names.norm_attention))?,
            qkv: self.linear(&name(names.qkv), d, 3 * d, biased)?,
            out: self.linear(&name(names.out), d, d, biased)?,
            norm_mlp: self.norm(&name(names.norm_mlp))?,
            up: self.linear(&name(names.up), d, hidden, true)?,
            down: self.linear(&name(names.down), hidden, d, true)?,
        })
    }

    fn name(&self, rest: &str) -> String {
        format!("{}{rest}", self.prefix)
    }

    fn tensor(&self, name: &str) -> Result<Tensor<'_>> {
        let tensor = self
            .tensors
            .require(name, "the checkpoint: save it whole with save_pretrained")?;
        let fact = match self.tensors.scaled_by(tensor) {
            _ if !tensor.is_float() => "its values are whole numbers".to_owned(),
            Some(scale) => format!("its values are to be multiplied with {scale:?}"),
            None => return Ok(tensor),
        };
        Err(tensor.refused(
            fact,
            "this is a quantised checkpoint; save the dequantised weights (model.dequantize())",
        ))
    }

    fn matrix(&self, name: &str, rows: usize) -> Result<Matrix> {
        let tensor = self.tensor(name)?;
        tensor.expect_shape(&[rows, self.config.width])?;
        let matrix = tensor.rows_of(self.config.width)?;
        Ok(matrix)
    }

    fn vector<T: Real>(&self, name: &str, length: usize) -> Result<Vec<T>> {
        let tensor = self.tensor(name)?;
        tensor.expect_shape(&[length])?;
        self.values(&tensor, length)
    }

    fn values<T: Real>(&self, tensor: &Tensor<'_>, columns: usize) -> Result<Vec<T>> {
        let values = T::of_matrix(&tensor.rows_of(columns)?);
        match values.iter().find(|value| !value.wide().is_finite()) {
            None => Ok(values),
            Some(value) => Err(Error::Malformed {
                path: self.path().to_owned(),
                fact: format!("tensor {:?} holds {}", tensor.name(), value.wide()),
                remedy: "save the checkpoint again; weights must be finite".into(),
            }),
        }
    }

    fn norm<T: Real>(&self, name: &str) -> Result<Norm<T>> {
        let d = self.config.width;
        Ok(Norm {
            gain: self.vector(&format!("{name}.weight"), d)?,
            bias: self.vector(&format!("{name}.bias"), d)?,
        })
    }

    fn linear<T: Real>(
        &self,
        name: &str,
        inputs: usize,
        outputs: usize,
        biased: bool,
    ) -> Result<Linear<T>> {
        let rows_are_outputs = self.config.family == Family::GptNeox;
        let shape = if rows_are_outputs {
            [outputs, inputs]
        } else {
            [inputs, outputs]
        };
        let tensor = self.tensor(&format!("{name}.weight"))?;
        tensor.expect_shape(&shape)?;
        Ok(Linear {
            inputs,
            outputs,
            weight: self.values(&tensor, shape[1])?,
            rows_are_outputs,
            bias: if biased {
                self.vector(&format!("{name}.bias"), outputs)?
            } else {
                vec![T::of(0.0); outputs]
            },
        })
    }
}

/// Whether two matrices of one shape hold the same values.
fn same(a: &Matrix, b: &Matrix) -> bool {
    let mut rows = [vec![0.0; a.n_columns()], vec![0.0; b.n_columns()]];
    (0..a.n_rows()).all(|row| {
        a.widen_row(row, &mut rows[0]);
        b.widen_row(row, &mut rows[1]);
        rows[0] == rows[1]
    })
}

/// The index of a sharded checkpoint, else its single file.
fn weights_file(folder: &Path) -> Result<PathBuf> {
    for name in WEIGHTS {
        let file = folder.join(name);
        if file.is_file() {
            return Ok(file);
        }
    }
    Err(Error::NoLayers {
        path: folder.to_owned(),
        fact: "there is no model.safetensors and no model.safetensors.index.json".into(),
        remedy: "save the checkpoint with save_pretrained(safe_serialization=True)".into(),
    })
}
