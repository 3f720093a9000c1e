//! Tells the two kinds of final norm apart, LayerNorm and RMSNorm.

use std::path::Path;

use crate::choice::choice;
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
    pub(super) fn named(text: &str) -> Option<Self> {
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
