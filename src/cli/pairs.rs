//! Flags that say which layers are compared with which.

use std::path::{Path, PathBuf};

use clap::Args;
use repgeo::cluster::Source;
use repgeo::input::{Dump, RowChoice, RowSource, Selection, TableSource, TokenRows};
use repgeo::profile::DuplicatePolicy;
use repgeo::profile::compare::{Side, Target};
use repgeo::{Error, Result};

use super::layers::{LayerArgs, tables};
use super::output::input_name;
use super::rows::RowArgs;
use super::shared::SharedArgs;

/// Neighbours of the layers of one dump.
type Tables = Vec<TableSource>;

/// Which layers are compared.
#[derive(Args)]
#[command(next_help_heading = "Pairs of layers")]
pub struct PairArgs {
    /// A second layer or dump with the same samples in the same order (same as --against)
    #[arg(value_name = "OTHER", help_heading = None)]
    other: Option<PathBuf>,

    /// Compare with the layers of another dump (other model, width, checkpoint) over the same rows
    #[arg(long, value_name = "ACTS2", conflicts_with = "other")]
    against: Option<PathBuf>,

    /// What each layer is compared with: first, last, next, matched (of another dump, at the same
    /// relative depth), same (of another dump, by name), all, or a layer by name or index [default:
    /// all]
    #[arg(long, value_name = "LAYER|RULE", allow_hyphen_values = true)]
    to: Option<Target>,

    /// Layers of the other dump to keep, like --layers
    #[arg(long, value_name = "SELECTION", allow_hyphen_values = true)]
    against_layers: Option<Selection>,

    /// Rows of the other dump that match --rows, in ascending order: a range, or a file
    #[arg(long, value_name = "FILE|RANGE", allow_hyphen_values = true)]
    against_rows: Option<String>,
}

impl PairArgs {
    /// What each layer is compared with.
    pub fn target(&self) -> Target {
        self.to.clone().unwrap_or_default()
    }

    /// The same, if it was said.
    pub fn asked(&self) -> Option<&Target> {
        self.to.as_ref()
    }

    /// The second dump as typed.
    pub fn second(&self) -> Option<&Path> {
        self.other.as_deref().or(self.against.as_deref())
    }

    /// The neighbour tables at `path`, and those that they are compared with.
    pub fn tables(&self, path: &Path, squared: bool) -> Result<(Tables, Option<Tables>)> {
        let second = self.second().map(|path| tables(path, squared));
        Ok((tables(path, squared)?, second.transpose()?))
    }

    /// Opens the second dump, if there is one.
    pub fn open(&self, shared: &SharedArgs) -> Result<Option<Dump>> {
        let Some(path) = self.second() else {
            if self.against_layers.is_some() || self.against_rows.is_some() {
                return Err(Error::Usage(
                    "--against-layers and --against-rows need a second dump; name it with --against"
                        .into(),
                ));
            }
            return Ok(None);
        };
        let rows = match &self.against_rows {
            None => shared.rows.provenance(),
            Some(_) => self.words(),
        };
        let layers = self.against_layers.as_ref();
        shared.layers.open_other(path, layers, rows).map(Some)
    }

    /// The dumps that are compared, by themselves.
    pub fn sources(&self, input: &Path, shared: &SharedArgs) -> Result<(Source, Option<Source>)> {
        let first = shared.open(input)?;
        let second = self.open(shared)?;
        let (left, right) = self.sides(&first, second.as_ref(), &shared.layers, &shared.rows)?;
        let (left, right) = (left.options, right.map(|side| side.options));
        let right = second.zip(right);
        let source = |(dump, options)| Source { dump, options };
        Ok((source((first, left)), right.map(source)))
    }

    /// The two sides of the comparison; `rows` chose among the rows of the first.
    pub fn sides<'a>(
        &self,
        first: &'a Dump,
        second: Option<&'a Dump>,
        layers: &LayerArgs,
        rows: &RowArgs,
    ) -> Result<(Side<'a>, Option<Side<'a>>)> {
        let left = Side {
            dump: first,
            options: layers.options_or(first, rows, DuplicatePolicy::Keep)?,
        };
        let Some(dump) = second else {
            return Ok((left, None));
        };
        let tokens = dump.token_rows(left.options.mask.as_ref())?;
        let kept = tokens.as_ref().and_then(TokenRows::kept);
        let mut options = left.options.clone();
        if let Some(text) = &self.against_rows {
            let choice = RowChoice {
                source: text.parse::<RowSource>()?,
                ..RowChoice::default()
            };
            options.rows = choice.resolve_among(dump.n_rows(), kept, None)?;
        } else if dump.n_rows() != first.n_rows() {
            // Rows chosen among another number of rows would not be the same samples.
            options.rows = kept.map(<[u32]>::to_vec);
        } else if let (Some(rows), Some(kept)) = (&options.rows, kept)
            && let Some(row) = rows.iter().find(|row| kept.binary_search(row).is_err())
        {
            return Err(Error::Usage(format!(
                "row {row} is padding in {} and a token in {}; dump both models on the same tokens",
                dump.path().display(),
                first.path().display()
            )));
        }
        options.tokens = tokens;
        Ok((left, Some(Side { dump, options })))
    }

    /// The choice in words of the flags, for the report.
    pub fn words(&self) -> Vec<String> {
        let rows = self.against_rows.as_ref();
        rows.map(|rows| format!("--against-rows {}", input_name(rows.as_ref())))
            .into_iter()
            .collect()
    }
}
