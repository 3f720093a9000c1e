//! Tells the two kinds of final norm apart, LayerNorm and RMSNorm.

use std::path::Path;

use crate::choice::choice;
use crate::input::Tensors;
use crate::{Error, Result};

choice! {
    /// What a final norm does before γ and β.
    pub enum NormKind {
        /// LayerNorm: minus the mean over d, over the standard deviation (GPT-2, GPT-NeoX, Pythia).
        Layer = "layer",
        /// RMSNorm: over the root mean square (Llama, Mistral, Qwen, Gemma, OLMo 2).
        Rms = "rms",
    }
}

impl NormKind {
    /// The kind that a file's metadata `normalization_type` names, as TransformerLens does.
    fn named(text: &str) -> Option<Self> {
        match text {
            "LN" | "LNPre" | "layer" => Some(Self::Layer),
            "RMS" | "RMSPre" | "rms" => Some(Self::Rms),
            _ => None,
        }
    }

    /// s of one row.
    pub(crate) fn scale(self, row: &[f64], eps: f64) -> f64 {
        let n = row.len() as f64;
        let mean = self.centre(row);
        let squares = row.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>();
        (squares / n + eps).sqrt()
    }

    /// What the norm subtracts from a row.
    pub(crate) fn centre(self, row: &[f64]) -> f64 {
        match self {
            Self::Layer => row.iter().sum::<f64>() / row.len() as f64,
            Self::Rms => 0.0,
        }
    }
}

/// The kind of norm that a file of tensors tells, or else the one that was asked for.
pub(super) fn norm_kind(
    tensors: &Tensors,
    bias: Option<&[f64]>,
    asked: Option<NormKind>,
) -> Result<NormKind> {
    let malformed = |fact: String, remedy: &str| Error::Malformed {
        path: tensors.path().to_owned(),
        fact,
        remedy: remedy.into(),
    };
    if let Some(text) = tensors.metadata("normalization_type") {
        let told = NormKind::named(text).ok_or_else(|| {
            malformed(
                format!("normalization_type is {text:?}"),
                "LN, LNPre, RMS and RMSPre are known",
            )
        })?;
        return agreed(tensors.path(), told, asked);
    }
    match (asked, bias) {
        (Some(kind), _) => Ok(kind),
        (None, Some(_)) => Ok(NormKind::Layer),
        (None, None) => Err(malformed(
            "nothing says whether the final norm is a LayerNorm or an RMSNorm, which has no ln_final.b".into(),
            "pass --norm layer (GPT-2, GPT-NeoX, Pythia) or --norm rms (Llama, Mistral, Qwen, Gemma), or write the metadata normalization_type LN or RMS",
        )),
    }
}

/// The kind of norm that the file tells, unless another was asked for.
pub(super) fn agreed(path: &Path, told: NormKind, asked: Option<NormKind>) -> Result<NormKind> {
    match asked {
        Some(kind) if kind != told => Err(Error::Usage(format!(
            "--norm {}: {} has the final norm of kind {}; leave --norm out",
            kind.name(),
            path.display(),
            told.name()
        ))),
        _ => Ok(told),
    }
}
