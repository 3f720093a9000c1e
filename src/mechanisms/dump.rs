//! Dumped streams, named as TransformerLens names its hooks.

use std::ops::Range;
use std::path::{Path, PathBuf};

use super::prompts::Prompts;
use crate::input::{Matrix, Tensors};
use crate::{Error, Result};

/// The streams of a dump and which position of which example each stored row is.
#[derive(Debug, Clone)]
pub struct StreamDump {
    pub(crate) tensors: Tensors,
    /// What is known about the examples.
    pub prompts: Prompts,
    /// Number of examples.
    pub n: usize,
    /// Stored positions of each, P.
    stored: usize,
    /// Tokens of each.
    pub(crate) lengths: Vec<usize>,
}

/// One stream: N × P rows.
#[derive(Debug, Clone)]
pub(crate) struct Stream {
    pub name: String,
    path: PathBuf,
    matrix: Matrix,
    stored: usize,
}

impl StreamDump {
    /// Opens a dump of streams `[N, P, …]` or, of the last position alone, `[N, …]`.
    ///
    /// # Errors
    /// [`Error::NoLayers`] if there are none; whatever reading the prompts can give.
    pub fn open(acts: &Path, tokens: Option<&Path>, targets: Option<&Path>) -> Result<Self> {
        let tensors = Tensors::open(acts)?;
        let prompts = Prompts::read(tokens, targets, Some(&tensors))?;
        let stream = tensors
            .names()
            .find(|name| layer_of(name).is_some_and(|(_, hook)| ROW_HOOKS.contains(&hook)))
            .map(str::to_owned);
        let (n, stored) = match stream.as_ref().and_then(|name| tensors.get(name)) {
            // Heads are axes of their own in z alone.
            Some(tensor) => {
                let axes = tensor.shape().len() - usize::from(tensor.name().ends_with("hook_z"));
                let stored = if axes == 3 { tensor.shape()[1] } else { 1 };
                (tensor.shape().first().copied().unwrap_or(0), stored)
            }
            None => {
                let pattern = tensors.names().find(|name| name.ends_with("hook_pattern"));
                let tensor = pattern.and_then(|name| tensors.get(name)).ok_or_else(|| Error::NoLayers {
                    path: acts.to_owned(),
                    fact: "there is no stream blocks.L.hook_… inside".into(),
                    remedy: "dump residual streams under the names of docs/guide.md, or run repgeo forward".into(),
                })?;
                let width = tensor.shape().last().copied().unwrap_or(0);
                (tensor.shape().first().copied().unwrap_or(0), width)
            }
        };
        prompts.check_rows(n, &format!("the dump {}", acts.display()))?;
        let lengths = prompts.lengths.clone().unwrap_or_else(|| vec![stored; n]);
        let dump = Self {
            tensors,
            prompts,
            n,
            stored,
            lengths,
        };
        dump.check_positions()?;
        Ok(dump)
    }

    /// What the dump says of itself under `key`.
    pub fn says(&self, key: &str) -> Option<&str> {
        self.tensors.metadata(key)
    }

    /// Number of blocks that any stream is named after.
    pub fn n_layers(&self) -> usize {
        let layers = self.tensors.names().filter_map(layer_of);
        layers.map(|(layer, _)| layer + 1).max().unwrap_or(0)
    }

    /// The blocks that have a stream `hook`, ascending.
    pub(crate) fn layers_with(&self, hook: &str) -> Vec<usize> {
        let layers = self.tensors.names().filter_map(layer_of);
        layers
            .filter(|&(_, other)| other == hook)
            .map(|(layer, _)| layer)
            .collect()
    }

    /// A stream of `width` values a row, or an error that says which hook gives it.
    pub(crate) fn stream(&self, name: &str, width: usize) -> Result<Stream> {
        let tensor = self.tensors.require(
            name,
            &format!("the hook of that name; the model's width is {width} (docs/guide.md, or repgeo forward --dump)"),
        )?;
        let matrix = tensor.rows_of(width)?;
        let rows = self.n * self.stored;
        if matrix.n_rows() != rows || !tensor.is_float() {
            return Err(tensor.refused(
                format!("shape {:?}", tensor.shape()),
                format!(
                    "[{}, {}, {width}] is needed, like the other streams",
                    self.n, self.stored
                ),
            ));
        }
        Ok(Stream {
            name: name.to_owned(),
            path: self.tensors.path().to_owned(),
            matrix,
            stored: self.stored,
        })
    }

    /// The stream, if the dump has it.
    pub(crate) fn find(&self, name: &str, width: usize) -> Result<Option<Stream>> {
        match self.tensors.get(name) {
            None => Ok(None),
            Some(_) => self.stream(name, width).map(Some),
        }
    }

    /// Where the tokens `range` of an example are stored; what is not stored is left out.
    pub(crate) fn stored(&self, example: usize, range: &Range<usize>) -> Vec<usize> {
        match &self.prompts.positions {
            Some(positions) => (0..self.stored)
                .filter(|&at| {
                    usize::try_from(positions[example][at]).is_ok_and(|p| range.contains(&p))
                })
                .collect(),
            // One stored position is the last.
            None if self.stored == 1 => {
                let last = self.lengths[example].saturating_sub(1);
                if range.contains(&last) {
                    vec![0]
                } else {
                    Vec::new()
                }
            }
            None => range.clone().filter(|&at| at < self.stored).collect(),
        }
    }

    fn check_positions(&self) -> Result<()> {
        let out_of_range = |fact: String| {
            Err(Error::Malformed {
                path: self.tensors.path().to_owned(),
                fact,
                remedy: "positions count from 0 and stay below the example's length".into(),
            })
        };
        if let Some(positions) = &self.prompts.positions {
            for (example, stored) in positions.iter().enumerate() {
                if stored.len() != self.stored {
                    return out_of_range(format!(
                        "positions: {} for {} stored rows",
                        stored.len(),
                        self.stored
                    ));
                }
                let length = i64::try_from(self.lengths[example]).unwrap_or(i64::MAX);
                // Without tokens or lengths the number of stored rows says nothing of positions.
                let known = self.prompts.lengths.is_some();
                if let Some(at) = stored
                    .iter()
                    .find(|&&at| at < -1 || (known && at >= length))
                {
                    return out_of_range(format!("positions: example {example} stores {at}"));
                }
            }
            return Ok(());
        }
        if let Some(longest) = self.lengths.iter().max()
            && self.stored != 1
            && *longest > self.stored
        {
            return out_of_range(format!(
                "an example has {longest} tokens but {} positions are stored and `positions` [N, P] is missing",
                self.stored
            ));
        }
        Ok(())
    }
}

impl Stream {
    /// Number of stored rows, N × P.
    pub(crate) fn n_rows(&self) -> usize {
        self.matrix.n_rows()
    }

    /// The row stored at `at` of an example.
    pub(crate) fn row(&self, example: usize, at: usize) -> usize {
        example * self.stored + at
    }

    /// An error about its values.
    pub(crate) fn refused(&self, fact: &str, remedy: &str) -> Error {
        Error::Malformed {
            path: self.path.clone(),
            fact: format!("{}: {fact}", self.name),
            remedy: remedy.into(),
        }
    }

    /// Writes the row stored at `at` of an example into `out`, whatever it holds.
    pub(crate) fn widen(&self, example: usize, at: usize, out: &mut [f64]) {
        self.matrix.widen_row(self.row(example, at), out);
    }

    /// Writes the row stored at `at` of an example into `out`.
    ///
    /// # Errors
    /// [`Error::NonFinite`].
    pub(crate) fn read(&self, example: usize, at: usize, out: &mut [f64]) -> Result<()> {
        self.widen(example, at, out);
        match out.iter().position(|x| !x.is_finite()) {
            None => Ok(()),
            Some(column) => {
                let value = out[column];
                Err(self.refused(
                    &format!("example {example}, stored position {at}, column {column} is {value}"),
                    "dump finite values",
                ))
            }
        }
    }
}

/// Hooks whose rows are positions.
const ROW_HOOKS: [&str; 6] = [
    "hook_resid_post",
    "hook_resid_pre",
    "hook_resid_mid",
    "hook_attn_out",
    "hook_mlp_out",
    "attn.hook_z",
];

/// `blocks.3.attn.hook_z` in two parts.
pub(crate) fn layer_of(name: &str) -> Option<(usize, &str)> {
    let (layer, hook) = name.strip_prefix("blocks.")?.split_once('.')?;
    Some((layer.parse().ok()?, hook))
}
