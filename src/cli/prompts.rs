//! Flags about the examples that the commands on mechanisms share.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use repgeo::Result;
use repgeo::input::{ExpectedLabels, Labels};
use repgeo::mechanisms::{Prompts, StreamDump};
use repgeo::storage::check_writable;

use super::ending::require_ending;
use super::output::input_name;

/// What is known about the examples.
#[derive(Args)]
#[command(next_help_heading = "Prompts")]
pub struct PromptArgs {
    /// Token ids [N, T], and what else is known (lengths, targets, attr_pos, slots): .npy or
    /// .safetensors [default: what the dump holds]
    #[arg(long, value_name = "FILE")]
    tokens: Option<PathBuf>,

    /// The factual and the counterfactual token of every example: [N, 2] as .npy or .safetensors,
    /// or .csv[.gz] with the columns fact and counterfactual [default: what the tokens or the dump hold]
    #[arg(long, value_name = "FILE")]
    targets: Option<PathBuf>,
}

/// How examples are grouped.
#[derive(Args)]
pub struct GroupArgs {
    /// Report each class too: one label per example, .npy, FILE#NAME, .csv[:COLUMN[@ID]] or .txt
    #[arg(long, value_name = "FILE", help_heading = "Prompts")]
    group_by: Option<PathBuf>,
}

impl PromptArgs {
    /// What the files alone say.
    pub fn prompts(&self) -> Result<Prompts> {
        Prompts::read(self.tokens.as_deref(), self.targets.as_deref(), None)
    }

    /// A dump with what it and the files say.
    pub fn dump(&self, acts: &Path) -> Result<StreamDump> {
        StreamDump::open(acts, self.tokens.as_deref(), self.targets.as_deref())
    }
}

impl GroupArgs {
    /// The classes of `n` examples, by the name of their file.
    pub fn groups(&self, n: usize) -> Result<Option<Labels>> {
        let Some(path) = &self.group_by else {
            return Ok(None);
        };
        let expected = ExpectedLabels {
            n,
            or: &[],
            of: "the dump",
            remedy: "give --group-by with one label per example",
        };
        let mut labels = Labels::open_for(path, expected)?;
        labels.name = input_name(path);
        Ok(Some(labels))
    }
}

/// Fails before any work if the numbers of every example could not be written to `path`.
pub fn check_examples(path: Option<&Path>) -> Result<()> {
    match path {
        None => Ok(()),
        Some(path) => {
            require_ending(path, &["csv"], "--examples")?;
            check_writable(path)
        }
    }
}

/// A switch that is on unless said otherwise.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    On,
    Off,
}
