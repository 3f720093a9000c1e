//! Reads logits off the residual stream: final norm and unembedding.

use std::collections::BTreeMap;
use std::path::Path;

use super::model::{Checkpoint, Norm};
use super::norm::{NormKind, agreed};
use super::said::{Said, norm_kind};
use super::unembedding::{Columns, Unembedding, malformed, vector};
use crate::input::Tensors;
use crate::warning::{Warning, WarningCode};
use crate::{Error, Result};

/// Final norm and unembedding, from a checkpoint or a dump.
///
/// With γ, β, eps of the norm and W_U, b_U of the unembedding (W̄_U, b̄_U: minus their means over the
/// vocabulary, if centred), the logit of token t at residual x is
///
/// ```text
/// u_t · x / s + c_t      u_t = γ ⊙ W̄_U[:, t], of a LayerNorm minus its mean over d
///                        c_t = β · W̄_U[:, t] + b̄_U[t]
///                        s   = √(var(x) + eps), of an RMSNorm √(mean x² + eps)
/// ```
#[derive(Debug)]
pub struct Readout {
    /// Width d.
    pub width: usize,
    /// Which norm.
    pub kind: NormKind,
    /// Nothing but a β of zeros says that it is a LayerNorm.
    assumed: bool,
    /// Added to the variance.
    pub eps: f64,
    /// c of a model whose logits go through c · tanh(z / c); what is read here is z.
    pub soft_cap: Option<f64>,
    /// What the file said beside the numbers.
    said: Vec<Warning>,
    /// Whether logits are relative to their mean over the vocabulary.
    pub centred: bool,
    /// Where everything came from, if it was a checkpoint: its blocks give W_O too.
    pub checkpoint: Option<Checkpoint>,
    norm: Norm<f64>,
    columns: Columns,
    bias: Option<Vec<f64>>,
    bias_mean: f64,
    /// Mean of the columns over the vocabulary; zero if not centred.
    mean: Vec<f64>,
}

/// u_t and c_t of some tokens.
#[derive(Debug, Clone)]
pub(crate) struct Directions {
    places: BTreeMap<u32, usize>,
    width: usize,
    vectors: Vec<f64>,
    constants: Vec<f64>,
}

impl Directions {
    /// u_t.
    pub(crate) fn vector(&self, token: u32) -> &[f64] {
        let at = self.places[&token] * self.width;
        &self.vectors[at..at + self.width]
    }

    /// c_t.
    pub(crate) fn constant(&self, token: u32) -> f64 {
        self.constants[self.places[&token]]
    }

    /// The tokens, ascending, with their places.
    pub(crate) fn tokens(&self) -> impl Iterator<Item = (u32, usize)> {
        self.places.iter().map(|(&token, &at)| (token, at))
    }
}

impl Readout {
    /// Opens a checkpoint folder (or its weights file beside `config.json`), or a safetensors file
    /// with `ln_final.w`, `ln_final.b` and `unembed.W_U`, or `target_ids`, `W_U_targets` and
    /// `W_U_mean`, whose metadata say `eps`, `fold_ln` and `normalization_type` (`LN`, `RMS`), and
    /// `norm_offset` where 1 has yet to be added to `ln_final.w`.
    ///
    /// `norm` is the kind of the final norm where the file does not tell it: a checkpoint and a β do.
    ///
    /// `centred` subtracts the mean over the vocabulary, which reads all of W_U unless the file
    /// holds the mean.
    ///
    /// # Errors
    /// [`Error::NoLayers`] naming what is missing; [`Error::Malformed`] where folded and unfolded
    /// weights are mixed, nothing says which they are or which norm it is, or the file says
    /// something of the logits that is not modelled; [`Error::Usage`] where `norm` is another than
    /// the file says.
    pub fn open(path: &Path, centred: bool, norm: Option<NormKind>) -> Result<Self> {
        let folder = if path.is_dir() {
            Some(path)
        } else {
            path.parent().filter(|_| Checkpoint::names(path))
        };
        match folder.filter(|folder| folder.join("config.json").is_file()) {
            Some(folder) => {
                // Both families that are known have it.
                agreed(path, NormKind::Layer, norm)?;
                Self::of_checkpoint(Checkpoint::open(folder)?, centred)
            }
            None => Self::of_tensors(&Tensors::open(path)?, centred, norm),
        }
    }

    /// The readout of a checkpoint.
    ///
    /// # Errors
    /// As [`Checkpoint::block`].
    pub fn of_checkpoint(checkpoint: Checkpoint, centred: bool) -> Result<Self> {
        let columns = Columns::Rows(checkpoint.unembedding()?);
        let mut readout = Self {
            width: checkpoint.config.width,
            kind: NormKind::Layer,
            assumed: false,
            eps: checkpoint.config.eps,
            soft_cap: None,
            said: Vec::new(),
            centred,
            norm: checkpoint.final_norm()?,
            checkpoint: Some(checkpoint),
            mean: Vec::new(),
            columns,
            bias: None,
            bias_mean: 0.0,
        };
        readout.mean = readout.columns.mean(readout.width, centred);
        Ok(readout)
    }

    fn of_tensors(tensors: &Tensors, centred: bool, asked: Option<NormKind>) -> Result<Self> {
        let unembedding = Unembedding::find(tensors)?;
        let width = unembedding.width;
        let said = Said::read(tensors)?;
        let (kind, norm, assumed) = final_norm(tensors, width, &said, asked)?;
        let columns = unembedding.columns()?;
        let bias = unembedding.bias()?;
        let bias_mean = match &bias {
            Some(bias) if centred => unembedding.mean_of(bias)?,
            _ => 0.0,
        };
        let mean = match unembedding.is_compact && centred {
            true => unembedding.stored_mean()?,
            false => columns.mean(width, centred),
        };
        Ok(Self {
            width,
            kind,
            assumed,
            eps: said.eps,
            soft_cap: said.soft_cap,
            said: said.warnings(),
            centred,
            checkpoint: None,
            norm,
            columns,
            bias,
            bias_mean,
            mean,
        })
    }

    /// What a reader must know of the norm beside the numbers.
    pub(crate) fn warnings(&self) -> Vec<Warning> {
        let assumed = self.assumed.then(|| {
            Warning::new(
                WarningCode::NormAssumed,
                1,
                "ln_final.b is zero and nothing says which norm this is: a LayerNorm was taken; an \
                 RMSNorm (Llama, Mistral, Qwen, Gemma) gives other logits, so say --norm layer or \
                 --norm rms",
            )
        });
        assumed
            .into_iter()
            .chain(self.said.iter().cloned())
            .collect()
    }

    /// The logit z of which the model gives `capped`; infinite at the cap itself.
    pub(crate) fn uncapped(&self, capped: f64) -> f64 {
        self.soft_cap
            .map_or(capped, |cap| cap * libm::atanh(capped / cap))
    }

    /// γ and β.
    pub(crate) fn norm(&self) -> &Norm<f64> {
        &self.norm
    }

    /// Tokens of the vocabulary, if all columns are there.
    pub fn vocabulary(&self) -> Option<usize> {
        self.columns.vocabulary()
    }

    /// The whole unembedding, V × d in f32, and its bias.
    pub(crate) fn whole(&self) -> Option<(Vec<f32>, Option<&[f64]>)> {
        Some((self.columns.whole()?, self.bias.as_deref()))
    }

    /// u_t and c_t of `tokens`.
    ///
    /// # Errors
    /// [`Error::Usage`] naming a token that is not in the vocabulary, or whose column is not there.
    pub(crate) fn directions(&self, tokens: impl Iterator<Item = u32>) -> Result<Directions> {
        let mut places: BTreeMap<u32, usize> = tokens.map(|token| (token, 0)).collect();
        let (mut vectors, mut constants) = (Vec::new(), Vec::new());
        for (at, (&token, place)) in places.iter_mut().enumerate() {
            *place = at;
            let (mut column, bias) = self.column(token)?;
            column
                .iter_mut()
                .zip(&self.mean)
                .for_each(|(w, mean)| *w -= mean);
            let dot: f64 = column.iter().zip(&self.norm.bias).map(|(w, b)| w * b).sum();
            constants.push(
                dot + bias
                    - if self.bias.is_some() {
                        self.bias_mean
                    } else {
                        0.0
                    },
            );
            column
                .iter_mut()
                .zip(&self.norm.gain)
                .for_each(|(w, gain)| *w *= gain);
            let mean = self.kind.centre(&column);
            vectors.extend(column.iter().map(|w| w - mean));
            if !mean.is_finite() || !constants[at].is_finite() {
                return Err(Error::Usage(format!(
                    "--unembed: the final norm or the column of token {token} holds NaN or infinity"
                )));
            }
        }
        Ok(Directions {
            places,
            width: self.width,
            vectors,
            constants,
        })
    }

    fn column(&self, token: u32) -> Result<(Vec<f64>, f64)> {
        let mut column = vec![0.0; self.width];
        let Some(at) = self.columns.column(token, &mut column) else {
            let known = match self.vocabulary() {
                Some(n) => format!("the vocabulary has {n} tokens"),
                None => "target_ids does not list it".into(),
            };
            return Err(Error::Usage(format!(
                "--targets: there is no token {token}; {known}"
            )));
        };
        let bias = self.bias.as_ref().and_then(|bias| bias.get(at).copied());
        Ok((column, bias.unwrap_or(0.0)))
    }
}

/// The kind of the final norm, its weights, and whether that kind is a guess.
///
/// # Errors
/// [`Error::Malformed`] where folded and unfolded weights are mixed; [`Error::NoLayers`] where they are not there.
fn final_norm(
    tensors: &Tensors,
    width: usize,
    said: &Said,
    asked: Option<NormKind>,
) -> Result<(NormKind, Norm<f64>, bool)> {
    let gain = vector(tensors, "ln_final.w", width)?;
    let bias = vector(tensors, "ln_final.b", width)?;
    if said.folded && (gain.is_some() || bias.is_some()) {
        return Err(malformed(
            tensors,
            "fold_ln is true but ln_final.w or ln_final.b is there too: γ would count twice".into(),
            "dump folded weights without ln_final, or everything unfolded",
        ));
    }
    let (kind, told) = norm_kind(tensors, said.folded, bias.as_deref(), asked)?;
    let zero = |bias: &Vec<f64>| bias.iter().all(|b| b.abs() <= 0.0);
    let assumed = !told && bias.as_ref().is_some_and(zero);
    let gain = match (said.folded, gain) {
        (true, _) => vec![1.0; width],
        (false, Some(gain)) => gain.iter().map(|w| w + said.offset).collect(),
        (false, None) => {
            let missing = tensors.require(
                "ln_final.w",
                "ln_f.weight (final_layer_norm, model.norm), dumped as ln_final.w",
            );
            return Err(missing.err().unwrap_or_else(|| {
                let fact = "ln_final is incomplete".into();
                malformed(tensors, fact, "dump both parts")
            }));
        }
    };
    let bias = bias.unwrap_or_else(|| vec![0.0; width]);
    Ok((kind, Norm { gain, bias }, assumed))
}

/// A sum with eight partial sums, in a fixed order.
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut lanes = [0.0; 8];
    let (left, right) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f64 = left
        .remainder()
        .iter()
        .zip(right.remainder())
        .map(|(a, b)| a * b)
        .sum();
    for (left, right) in left.zip(right) {
        for ((lane, a), b) in lanes.iter_mut().zip(left).zip(right) {
            *lane += a * b;
        }
    }
    lanes.iter().sum::<f64>() + rest
}
