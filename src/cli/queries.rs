//! Flags that take queries from another dump.

use std::path::PathBuf;

use clap::Args;
use repgeo::input::{Dump, RowChoice, RowSource, Selection, TokenRows};
use repgeo::profile::tables::Queries;
use repgeo::profile::{DuplicatePolicy, LayerOptions};
use repgeo::{Error, Result};

use super::layers::LayerArgs;
use super::output::input_name;

/// Whose nearest rows are sought.
#[derive(Args)]
#[command(next_help_heading = "Queries")]
pub struct QueryArgs {
    /// Ask for the rows of another dump, layer by layer in the same order: which rows of ACTS are
    /// nearest to each of them?
    #[arg(long, value_name = "ACTS2")]
    queries: Option<PathBuf>,

    /// Layers of the other dump to keep, like --layers
    #[arg(
        long,
        value_name = "SELECTION",
        allow_hyphen_values = true,
        requires = "queries"
    )]
    query_layers: Option<Selection>,

    /// Rows of the other dump to ask for: a range, or a file, like --rows
    #[arg(
        long,
        value_name = "FILE|RANGE",
        allow_hyphen_values = true,
        requires = "queries"
    )]
    query_rows: Option<String>,
}

impl QueryArgs {
    /// Whether another dump asks.
    pub fn is_given(&self) -> bool {
        self.queries.is_some()
    }

    /// Opens the other dump, if one is named; its rows are read as `options` reads those of `rows`.
    pub fn open(
        &self,
        rows: &Dump,
        layers: &LayerArgs,
        options: &LayerOptions,
    ) -> Result<Option<Queries>> {
        let Some(path) = &self.queries else {
            return Ok(None);
        };
        let dump = layers.open_other(
            path,
            self.query_layers.as_ref(),
            self.words().into_iter().collect(),
        )?;
        let [here, there] = [rows, &dump].map(|dump| dump.layers().len());
        if here != there {
            return Err(Error::Usage(format!(
                "--queries: layers are taken in pairs, but ACTS has {here} and {} has {there}; \
                 choose them with --layers and --query-layers",
                input_name(path)
            )));
        }
        let source = match &self.query_rows {
            None => RowSource::All,
            Some(text) => text.parse()?,
        };
        let choice = RowChoice {
            source,
            ..RowChoice::default()
        };
        let tokens = dump.token_rows(options.mask.as_ref())?;
        let kept = tokens.as_ref().and_then(TokenRows::kept);
        let options = LayerOptions {
            rows: choice.resolve_among(dump.n_rows(), kept, None)?,
            tokens,
            // A repeated query has an answer of its own.
            duplicates: DuplicatePolicy::Keep,
            ..options.clone()
        };
        Ok(Some(Queries { dump, options }))
    }

    /// The other dump as it was named, for the report.
    pub fn input(&self) -> Option<String> {
        self.queries.as_deref().map(input_name)
    }

    /// The choice of its rows in words of the flags, for the report.
    pub fn words(&self) -> Option<String> {
        let rows = self.query_rows.as_ref();
        rows.map(|rows| format!("--query-rows {}", input_name(rows.as_ref())))
    }
}
